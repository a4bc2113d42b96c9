BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE batches (
	name VARCHAR(64) NOT NULL, 
	submission VARCHAR(64) NOT NULL, 
	requester VARCHAR(64) NOT NULL, 
	agreement VARCHAR(64) NOT NULL, 
	received_at VARCHAR(32) NOT NULL, 
	decided_on DATE NOT NULL, 
	instruments TEXT NOT NULL, 
	register VARCHAR(64) NOT NULL, 
	rows BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	resumes VARCHAR(16), 
	hold BIGINT, 
	checkpoint VARCHAR(16), 
	content_digest VARCHAR(64), 
	codes TEXT NOT NULL, 
	cites TEXT NOT NULL, 
	package_digest VARCHAR(64), 
	merkle_root VARCHAR(64), 
	PRIMARY KEY (name), 
	CONSTRAINT batch_state_known CHECK (state IN ('received', 'ingested', 'matched', 'validated', 'sealed', 'prepared', 'published', 'held', 'failed', 'refused', 'rejected', 'withdrawn', 'unreadable', 'expired')), 
	UNIQUE (submission)
);
INSERT INTO "batches" VALUES('batch-1','8f5815465303ca0a3b700c07068ef3ef0bf6f4d8a6cd60bf7220cd3d33e7c77e','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'published',NULL,NULL,NULL,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','[]','[]','7d5f56c15af9cb77d9726555ef7bc7ee0379b547515f00031b5284a2329984c4','4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2');
INSERT INTO "batches" VALUES('batch-2','280d89f4b7d66d4d75f007ede05ec1de4724b6f7a6f2d50d9639fac116b0e46a','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'published',NULL,NULL,NULL,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','[]','[]','ff082b38751cb017cdce7b704a0268536818a4d93f3d44a20ccebd5644505057','4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2');
INSERT INTO "batches" VALUES('held','c20dea4d876b5b8fb0a1814b43017030cea6d4ac30b2d9ae71b404d2faba49b5','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'held','ingested',48,'matching','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','["MATCH_RATE"]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('rejected','20cd938a2ea64f612b3523bc9219130c6fc66cd09b394ea38437488c0b8898b2','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'rejected',NULL,NULL,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','["TOO_MANY_INCOMPLETE"]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('expired','fa64ea1e82e1206f828ab2a02917c7e92accb98e3b95881a1b4ad52b914b66e3','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'expired',NULL,NULL,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','["TOO_MANY_INCOMPLETE"]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('refused','83c874d33e8bff73caaa762c79cd1ed101d727c7f20fe4972c67e67978292f23','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'refused',NULL,NULL,NULL,NULL,'["COURT_ORDER"]','["mou"]',NULL,NULL);
INSERT INTO "batches" VALUES('failed','5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'failed','received',NULL,NULL,NULL,'[]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('unreadable','da3c01050b1f352b33853bf17e408ba64e0b14423d4f7137a20906ed2e58e679','unknown','unknown','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'unreadable',NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('long-ago','3a2f10a74177ddea5844011c6d8b04df4a578c509b5f2e7bcf565c6ad3cebf1c','agency','mou','2024-01-02T03:04:05.678901+00:00','2024-01-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c", "order-1": "0bafe22156d2698c143b86040446d366ead863ba600d5c924f3d15c786ef4057"}','register-1',2,'received',NULL,NULL,NULL,NULL,'[]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('withdrawn','fd60c459d03b66a8600f5c72ca868c83ad2708810fa3140b03abb35b3b91d931','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'withdrawn',NULL,NULL,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','["HALTED"]','["order-1"]','2c4025c216319b372b11ec400894ae2d244d15a94e0a856bf8ece9341606690f','4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2');
CREATE TABLE claims (
	requester VARCHAR(64) NOT NULL, 
	agreement VARCHAR(64) NOT NULL, 
	request_key VARCHAR(64) NOT NULL, 
	person_key VARCHAR(64) NOT NULL, 
	batch VARCHAR(64) NOT NULL, 
	PRIMARY KEY (requester, agreement, request_key), 
	FOREIGN KEY(batch) REFERENCES batches (name)
);
INSERT INTO "claims" VALUES('agency','mou','ace93f4fca23378b709d3ef80cbb555028430b0c09ce8f8c73086671f7061ecc','66518ce13b288c91b96e32103dd6c4fab4c2d9f33a4dd09f3b2b563e9b7bf9ab','batch-1');
INSERT INTO "claims" VALUES('agency','mou','c050c26f370e67f9051f926edfdf44c8d0e3dc8fe8ab4f2147d801a0a8bb990a','f27b85198a57d9e74d9439e013f3c607a212569e9094e58f45a6522c4f8941f1','batch-2');
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	batch VARCHAR(64), 
	hold BIGINT NOT NULL, 
	checkpoint VARCHAR(16) NOT NULL, 
	content_digest VARCHAR(64) NOT NULL, 
	decision VARCHAR(16) NOT NULL, 
	reason VARCHAR(64) NOT NULL, 
	operator VARCHAR(64) NOT NULL, 
	key_line TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT decision_once UNIQUE (hold, decision, key_line), 
	FOREIGN KEY(batch) REFERENCES batches (name)
);
INSERT INTO "decisions" VALUES(1,'2026-11-25T21:48:33.160512+00:00','rejected',38,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','reject','incomplete_rows','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEAlQDr/WAe5KxWhoVd52Bm5u0LJOIX7RItWjDYIbVSqRU
sTnC+Ja+9t5XqnS7MpXxE/xeKfvWUpVvnsXpvP52AF
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(2,'2026-11-25T21:48:33.373916+00:00','held',48,'matching','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','confirm','incomplete_rows','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAECaE6iaD/7JWeZhYC7sp72sG7cbbmPlZcn7MzxisAEea+
qDs1B1xa+5+Ev08M5L6P/3OcEV9sUaLj/T40WZ2BYJ
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(3,'2026-11-25T21:48:33.438410+00:00','withdrawn',51,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','drop','incomplete_rows','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEASozL84b5CcLveCRND1Ev/TD0kXgYkIuQ/pReucRYbux
VXuj2APx3irreAWQeEzOZM0GwOBlK0ON+d+wqQtEsB
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(4,'2026-11-25T21:48:33.469055+00:00','withdrawn',51,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','drop','incomplete_rows','ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEBg+S4gLgB1ZGRiKs8D73o4WavBelkatXf+ZB8QttfBB+
dgeCVmUxmfuT9Fr8BP4PEJBmG5tCw8eg0nunN/eykO
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(5,'2026-11-25T21:48:34.339441+00:00',NULL,85,'halt','','resume','cause_mended','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEDUbrZIw3wakd0VUSNevSr89WQHwMKUhG+5D1n69a38Tx
90aaKvf1GWa41MRkLl9C9K2PUpMXWK3wb4mHUNRiYJ
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(6,'2026-11-25T21:48:34.369779+00:00',NULL,85,'halt','','resume','cause_mended','ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAECi66Q9g5zmdaAgwvTYuDjpkEO+I30hocu3Io13Z3cgCs
jSEm9EzbG0uctT9giU/IZf/e16zuE2XCZqUW0urd0F
-----END SSH SIGNATURE-----
');
CREATE TABLE endorsements (
	seq BIGINT NOT NULL, 
	operator VARCHAR(64) NOT NULL, 
	key_line TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	PRIMARY KEY (seq, operator)
);
INSERT INTO "endorsements" VALUES(3,'ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1vcGVyYXRvcgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEC/5H51Wkn9ZX5wxOmiKf7WJVK0Pba5zAHQSNZMgxkjqB
0l2/oZIB68IMus00zzYwnjkil3NzDP6P/jJt2qMDwB
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(3,'ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAATc2x1aWNlZ2F0ZS1vcGVyYXRvcgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAED9v7G2/8uVaLgzQ2IV5dz4XXlr+RpykiLaIzCQieFpR/
Drc8DuNWgAs/oIZUG3nSqdGvs74PBuuUXT+A/SfKwO
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(4,'ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1vcGVyYXRvcgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEBspxlIjyKWG2QbcpYRj/Wru5i3E134dr8qMXBNMb1x8p
C1LDrgk8VxONANYZZBYibJBj/vvJHrtjCNt26qoi4P
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(4,'ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAATc2x1aWNlZ2F0ZS1vcGVyYXRvcgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEAae7p1FNUFpkaRg8dLgn857y9iPKSLMkpZfJyQp8cO+L
t4owuYup1f/wYdmuZcmMr/i9nsIN839ZRvHCwvgW0K
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(5,'ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAAVc2x1aWNlZ2F0ZS1pbnN0cnVtZW50AAAAAAAAAAZzaGE1MTIA
AABTAAAAC3NzaC1lZDI1NTE5AAAAQKH77wm+azh5IRZV2HQW4AaFGR+ED8v3nUtc1HmlrR
xuhog+I8/jaTwh0YY5D3q/69N0Sbwx7l8pXh1Lt63oew0=
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(5,'ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAAVc2x1aWNlZ2F0ZS1pbnN0cnVtZW50AAAAAAAAAAZzaGE1MTIA
AABTAAAAC3NzaC1lZDI1NTE5AAAAQABcsJt2BGqyBJWoDzlo/VQR/sE3KoR3ajCiq/Rtum
BQCxVDlNi6H1rh3oYeeE+TUO1pDm6WrDtv9rem2cIX5w4=
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(6,'ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAAVc2x1aWNlZ2F0ZS1pbnN0cnVtZW50AAAAAAAAAAZzaGE1MTIA
AABTAAAAC3NzaC1lZDI1NTE5AAAAQADrcv1h5jkLw8wH3SWzdHTD/wkSrPNY22LX72QfUO
ckp4qMAjbIbWqlMOKXqJEl1DpTZ7N5yH8b5WECkrF8UwM=
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(6,'ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAAVc2x1aWNlZ2F0ZS1pbnN0cnVtZW50AAAAAAAAAAZzaGE1MTIA
AABTAAAAC3NzaC1lZDI1NTE5AAAAQEtfDVIfHTjxlOfEZVdNcViocabxYqkJPfjwDJKXeb
6s/h6yiXhEW2Wzbs0SpFpi7h7eNmzitWdJdovE2vIQ/AI=
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(7,'ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAAVc2x1aWNlZ2F0ZS1pbnN0cnVtZW50AAAAAAAAAAZzaGE1MTIA
AABTAAAAC3NzaC1lZDI1NTE5AAAAQDFfSUj5odUUJYsloYOt/s+FYaGAu+S9rMKxR/S/UJ
OwFy1YkLTCA6QBUehy2thDIaTOUCfYYbJAjECqsmc6xwM=
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(7,'ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAAVc2x1aWNlZ2F0ZS1pbnN0cnVtZW50AAAAAAAAAAZzaGE1MTIA
AABTAAAAC3NzaC1lZDI1NTE5AAAAQN6amOHrSuoL1D3JYpN890w2vpkLdNXQKUupsCvmt2
yk97LZlUOT1EehtxyN6kwm45q1/0QnhE1B3DO0JHjvCAM=
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(8,'ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1vcGVyYXRvcgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEDCfAUBixOGIW+UXmRSOxlkA0wHwB9sgr0qEQjFMszGq4
TPDGmysRLpylTyYI68uMmIHfzl/3X1HbUo9ECL6/IL
-----END SSH SIGNATURE-----
');
INSERT INTO "endorsements" VALUES(8,'ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAATc2x1aWNlZ2F0ZS1vcGVyYXRvcgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEC/oCITqMT9PYcWhlXPWDwL1UszXyvBiSx4dIqo5Sv9Xj
DTVWhsqe7fOltUv0F93xt4RlOUQx+ktL/8Bm1YsNwI
-----END SSH SIGNATURE-----
');
CREATE TABLE events (
	seq BIGINT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	batch VARCHAR(64), 
	kind VARCHAR(16) NOT NULL, 
	facts TEXT NOT NULL, 
	previous VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1,'2026-11-25T21:48:32.047066+00:00',NULL,'operator','{"enrolled":true,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","operator":"ada","signed":[]}','0000000000000000000000000000000000000000000000000000000000000000','06fd6171a812c92e0fb8bd718ed50278f01a1a035cdbc067ec00a2d014c167e1');
INSERT INTO "events" VALUES(2,'2026-11-25T21:48:32.079632+00:00',NULL,'operator','{"enrolled":true,"key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","operator":"ben","signed":[]}','06fd6171a812c92e0fb8bd718ed50278f01a1a035cdbc067ec00a2d014c167e1','23555924034d859cf828cf23b7a4da8cadb7fe402987d5dc8381e01382f2de40');
INSERT INTO "events" VALUES(3,'2026-11-25T21:48:32.108311+00:00',NULL,'operator','{"enrolled":true,"key":"f3775f0242bf9450d01e60c6e7362054839f02167c02b3b0bc426fa9b17f0928","operator":"cleo","signed":[{"by":"ada","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","signature":"9799c60e34a05423bfd16cf16a42b5c3d20061812cd529d5148164b94d55f838"},{"by":"ben","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","signature":"163763ac137941eed43e019d42a06eeb9cbeaac71731cb9231a116a9fe5d734d"}]}','23555924034d859cf828cf23b7a4da8cadb7fe402987d5dc8381e01382f2de40','2604642a01b67631922a813d62232a6bad495522224f72d2245ba26a9e88a686');
INSERT INTO "events" VALUES(4,'2026-11-25T21:48:32.132977+00:00',NULL,'operator','{"enrolled":true,"key":"537242cf7f7bcbe82e040b5443379492e30b5370edf92035f68a9a8505d1c401","operator":"dora","signed":[{"by":"ada","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","signature":"5140ec702af5bbc25926646762aeeb0bb95ddbccd5895a3b7b1c011618d3d904"},{"by":"ben","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","signature":"9c5250a122be50386867622c6140a59c669c79233943e6dab94cc35394592a25"}]}','2604642a01b67631922a813d62232a6bad495522224f72d2245ba26a9e88a686','100fa1b6bfea3ce045af2ece367e92a85f78b35b31fa1fef8aebf7b72b9b904e');
INSERT INTO "events" VALUES(5,'2026-11-25T21:48:32.178325+00:00',NULL,'enrolled','{"digest":"77e1ce6aa2910541f67935a093cc6bb6639cdc88f19d86d5c4d3f62c7cba4a3c","instrument":"order-1","kind":"court_order","signed":[{"by":"ada","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","signature":"1879b3345d9658cde4c8d4bbe8fad38cdb642790da75797ee1b875323303095c"},{"by":"ben","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","signature":"f8347243192da259b68aa17aed225ea4433493a611b0724843bdb040a3e4d2b3"}],"version":1}','100fa1b6bfea3ce045af2ece367e92a85f78b35b31fa1fef8aebf7b72b9b904e','e616c6374f7b32a590b7ddfb94f862bd64b00dd1a3c834436dda2f30b6512816');
INSERT INTO "events" VALUES(6,'2026-11-25T21:48:32.215458+00:00',NULL,'enrolled','{"digest":"de9acd3183156f3e87cdc5a8f9163b8e49406471ea05f55707979ab643abdbac","instrument":"order-1","kind":"court_order","signed":[{"by":"ada","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","signature":"afbabde45ca4105aa2fcf7149328b1c49aadceb1893681a5a9333623172ddd2d"},{"by":"ben","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","signature":"d6b2c86320153dccc6605721fc0f58d251e0651f42f4931bb0290c42982d75de"}],"version":2}','e616c6374f7b32a590b7ddfb94f862bd64b00dd1a3c834436dda2f30b6512816','686bceea0255ba397c25a7b0abece4bd6eebd89a54d4e0426b162d188357194d');
INSERT INTO "events" VALUES(7,'2026-11-25T21:48:32.237188+00:00',NULL,'enrolled','{"digest":"335edca6444cda4cb52853cc62cb040ad9b106ee0cf15c27ca0153459aadf7eb","instrument":"mou","kind":"agreement","signed":[{"by":"ada","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","signature":"e68f951e8792e867c40d26f0aedd90b3c74ae7cfa9aafa74e6b2f185fbe279f0"},{"by":"ben","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","signature":"35d4306ea06c333ec39abfd36a5b1ce1d2b0241bd044604d6505feeb0af30365"}],"version":1}','686bceea0255ba397c25a7b0abece4bd6eebd89a54d4e0426b162d188357194d','dd8b5df964aa03c9c964dc1b8b6da49ac7dae8cfc916995192c6d1285c041db6');
INSERT INTO "events" VALUES(8,'2026-11-25T21:48:32.260857+00:00',NULL,'operator','{"enrolled":false,"key":"537242cf7f7bcbe82e040b5443379492e30b5370edf92035f68a9a8505d1c401","operator":"dora","signed":[{"by":"ada","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","signature":"3a5e28e341b326d8b7821d9dae617e492dc58f690a3e8738bfb217ffda9479b2"},{"by":"ben","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","signature":"318a13174f6183e13a59ceef538d27d38bc6baba370a9332d3da2d08db22f3c1"}]}','dd8b5df964aa03c9c964dc1b8b6da49ac7dae8cfc916995192c6d1285c041db6','f921df78cd60ce023f3a4e73f5c6c59198e2185feda51bbde96007aeb616408a');
INSERT INTO "events" VALUES(9,'2026-11-25T21:48:32.300133+00:00','batch-1','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"8f5815465303ca0a3b700c07068ef3ef0bf6f4d8a6cd60bf7220cd3d33e7c77e"}','f921df78cd60ce023f3a4e73f5c6c59198e2185feda51bbde96007aeb616408a','17e78599e91fd79565ef9bda6041aec05bb8a087fd731ecabc8bd4442205f1f8');
INSERT INTO "events" VALUES(10,'2026-11-25T21:48:32.333938+00:00','batch-1','ingested','{"rows":10,"start":"received"}','17e78599e91fd79565ef9bda6041aec05bb8a087fd731ecabc8bd4442205f1f8','d8322066a70c304fe34aa7d88bd1638a5e2f5c94db331d500b97da22be454454');
INSERT INTO "events" VALUES(11,'2026-11-25T21:48:32.347721+00:00','batch-1','matched','{"rows":10,"start":"ingested"}','d8322066a70c304fe34aa7d88bd1638a5e2f5c94db331d500b97da22be454454','126899e5533953e7f03d5f0e0d219f8f79ef4b9572f9cada54a199c0086f833c');
INSERT INTO "events" VALUES(12,'2026-11-25T21:48:32.368326+00:00','batch-1','validated','{"rows":10,"start":"matched"}','126899e5533953e7f03d5f0e0d219f8f79ef4b9572f9cada54a199c0086f833c','74ec2e6386f0e299ab2d9192f0a644bc15f5156d9c6255a20592da1600001659');
INSERT INTO "events" VALUES(13,'2026-11-25T21:48:32.391963+00:00','batch-1','sealed','{"rows":10,"start":"validated"}','74ec2e6386f0e299ab2d9192f0a644bc15f5156d9c6255a20592da1600001659','c2a1df2c8fc8b6a0f2b244c79d8deea6f7ac69ce5efa435da216e6bd369a93ad');
INSERT INTO "events" VALUES(14,'2026-11-25T21:48:32.419176+00:00','batch-1','tries','{"rows":2}','c2a1df2c8fc8b6a0f2b244c79d8deea6f7ac69ce5efa435da216e6bd369a93ad','9a3915e9b43927d5bfb9d544216426eab3c882badb0e599351fefbcaf0f61545');
INSERT INTO "events" VALUES(15,'2026-11-25T21:48:32.432987+00:00','batch-1','accounted','{"accounting":"fd6275c20326214bf38b16f4a61ea55cd4e42311861510e0ed3c06fca6e09926","codes":{},"evidence":"ee8250fb76e094b34b471f13a73dbbe51d1ae142e9df59d7c0d31ec20f0a0a8e","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","outcomes":{"released":2},"rows":2}','9a3915e9b43927d5bfb9d544216426eab3c882badb0e599351fefbcaf0f61545','5fc5b4139d4ba5481831ac4b4f67f6c9aab61448f2d707f311b55f9be15bfb5f');
INSERT INTO "events" VALUES(16,'2026-11-25T21:48:32.515300+00:00','batch-1','prepared','{"claims":"e58cb29b8cae8c2a4e129b279391cc254ce5e8910a906b4f9b93a0aa59a0bc1d","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","package":"7d5f56c15af9cb77d9726555ef7bc7ee0379b547515f00031b5284a2329984c4","rows":1,"start":"sealed"}','5fc5b4139d4ba5481831ac4b4f67f6c9aab61448f2d707f311b55f9be15bfb5f','0fe4f17ae12ec7dc4f35d300f411bf930f0a5450286f54b57e3b736f39813659');
INSERT INTO "events" VALUES(17,'2026-11-25T21:48:32.575043+00:00','batch-1','published','{"package":"7d5f56c15af9cb77d9726555ef7bc7ee0379b547515f00031b5284a2329984c4","start":"prepared"}','0fe4f17ae12ec7dc4f35d300f411bf930f0a5450286f54b57e3b736f39813659','c101cb9f234d50e94619284c22a6871b907a134f47ed1e66bcec3de7994a74e2');
INSERT INTO "events" VALUES(18,'2026-11-25T21:48:32.605852+00:00','batch-2','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"280d89f4b7d66d4d75f007ede05ec1de4724b6f7a6f2d50d9639fac116b0e46a"}','c101cb9f234d50e94619284c22a6871b907a134f47ed1e66bcec3de7994a74e2','479345f15b2c951353cdb53a1cb103b37a4e597523f9458575937381d45868ed');
INSERT INTO "events" VALUES(19,'2026-11-25T21:48:32.622896+00:00','batch-2','ingested','{"rows":10,"start":"received"}','479345f15b2c951353cdb53a1cb103b37a4e597523f9458575937381d45868ed','697210b64d39f7ef7800e00964a74ed9c3c7ca6c1e1c7ae515573818a417bd0f');
INSERT INTO "events" VALUES(20,'2026-11-25T21:48:32.643855+00:00','batch-2','matched','{"rows":10,"start":"ingested"}','697210b64d39f7ef7800e00964a74ed9c3c7ca6c1e1c7ae515573818a417bd0f','828c17a980d2383792f01c62e7542136f92f9d8e5e0736a4335bd4db4e0f2fd2');
INSERT INTO "events" VALUES(21,'2026-11-25T21:48:32.664405+00:00','batch-2','validated','{"rows":10,"start":"matched"}','828c17a980d2383792f01c62e7542136f92f9d8e5e0736a4335bd4db4e0f2fd2','d0fc3af11caf78e201771fb5b447607d43ce2dca2860665db1115543429b828b');
INSERT INTO "events" VALUES(22,'2026-11-25T21:48:32.686270+00:00','batch-2','sealed','{"rows":10,"start":"validated"}','d0fc3af11caf78e201771fb5b447607d43ce2dca2860665db1115543429b828b','a98dc4e8f91b269f060f6729cccfad274e034b8eb2adf6ef08258204af9b2ec2');
INSERT INTO "events" VALUES(23,'2026-11-25T21:48:32.714838+00:00','batch-2','tries','{"rows":2}','a98dc4e8f91b269f060f6729cccfad274e034b8eb2adf6ef08258204af9b2ec2','626e76b303f78b39465d18204832ea653a42ec26ca75a244707e1ae23d16809c');
INSERT INTO "events" VALUES(24,'2026-11-25T21:48:32.733180+00:00','batch-2','accounted','{"accounting":"fd6275c20326214bf38b16f4a61ea55cd4e42311861510e0ed3c06fca6e09926","codes":{},"evidence":"ee8250fb76e094b34b471f13a73dbbe51d1ae142e9df59d7c0d31ec20f0a0a8e","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","outcomes":{"released":2},"rows":2}','626e76b303f78b39465d18204832ea653a42ec26ca75a244707e1ae23d16809c','d22442f5d1826dd6e4fede80c7e7aeb13f261a600e3d1b8dc8fbfc9125c279bb');
INSERT INTO "events" VALUES(25,'2026-11-25T21:48:32.775733+00:00','batch-2','prepared','{"claims":"012f2dcdf0dcebf6f3a1683284daf11ea01e955caa69e4237ebd3ced86fbe266","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","package":"ff082b38751cb017cdce7b704a0268536818a4d93f3d44a20ccebd5644505057","rows":1,"start":"sealed"}','d22442f5d1826dd6e4fede80c7e7aeb13f261a600e3d1b8dc8fbfc9125c279bb','95745ebcbac55d9c9537d132a471a83cab8c111e428deb0fe4143773e8f29776');
INSERT INTO "events" VALUES(26,'2026-11-25T21:48:32.851198+00:00','batch-2','published','{"package":"ff082b38751cb017cdce7b704a0268536818a4d93f3d44a20ccebd5644505057","start":"prepared"}','95745ebcbac55d9c9537d132a471a83cab8c111e428deb0fe4143773e8f29776','392feb0410ba4c741cb5e77eeaa2bce465dda07a7e059d8e45ed2927fa1ec647');
INSERT INTO "events" VALUES(27,'2026-11-25T21:48:32.882431+00:00','held','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"c20dea4d876b5b8fb0a1814b43017030cea6d4ac30b2d9ae71b404d2faba49b5"}','392feb0410ba4c741cb5e77eeaa2bce465dda07a7e059d8e45ed2927fa1ec647','130362794e8e23a93287702f3116e919b50f709fea107e49b43ef3d3873251e1');
INSERT INTO "events" VALUES(28,'2026-11-25T21:48:32.896933+00:00','rejected','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"20cd938a2ea64f612b3523bc9219130c6fc66cd09b394ea38437488c0b8898b2"}','130362794e8e23a93287702f3116e919b50f709fea107e49b43ef3d3873251e1','691f859de923741c31b496b3a7d81274a83c47d92c3aa988ef225eebab632ee5');
INSERT INTO "events" VALUES(29,'2026-11-25T21:48:32.917043+00:00','expired','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"fa64ea1e82e1206f828ab2a02917c7e92accb98e3b95881a1b4ad52b914b66e3"}','691f859de923741c31b496b3a7d81274a83c47d92c3aa988ef225eebab632ee5','09d870afa9f29a4c5ddbecddeb27ed628414ff660546c924f15b871ab90c50d2');
INSERT INTO "events" VALUES(30,'2026-11-25T21:48:32.944064+00:00','refused','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"83c874d33e8bff73caaa762c79cd1ed101d727c7f20fe4972c67e67978292f23"}','09d870afa9f29a4c5ddbecddeb27ed628414ff660546c924f15b871ab90c50d2','d48881755bf8d5e369ed09032cf6a77de02b5b9e5acb1d87735cdcc75c9e7a5f');
INSERT INTO "events" VALUES(31,'2026-11-25T21:48:32.970307+00:00','failed','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826"}','d48881755bf8d5e369ed09032cf6a77de02b5b9e5acb1d87735cdcc75c9e7a5f','be6dafad8737be2326325143e3d640d0c51b772430164ca99676d654dbcbdf41');
INSERT INTO "events" VALUES(32,'2026-11-25T21:48:32.987735+00:00','unreadable','received','{"agreement":"unknown","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"unknown","rows":10,"submission":"da3c01050b1f352b33853bf17e408ba64e0b14423d4f7137a20906ed2e58e679"}','be6dafad8737be2326325143e3d640d0c51b772430164ca99676d654dbcbdf41','92f19b9f53923678351f9dcec3b00d01cd4efba9d9443b39d2b417cd8fada3bd');
INSERT INTO "events" VALUES(33,'2026-11-25T21:48:33.007820+00:00','long-ago','received','{"agreement":"mou","decided_on":20240102,"instruments":["0bafe22156d2698c143b86040446d366ead863ba600d5c924f3d15c786ef4057","e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-1","requester":"agency","rows":2,"submission":"3a2f10a74177ddea5844011c6d8b04df4a578c509b5f2e7bcf565c6ad3cebf1c"}','92f19b9f53923678351f9dcec3b00d01cd4efba9d9443b39d2b417cd8fada3bd','b7a53ae8098394221e1521ce17ba3e8bcd34fd029cc7dedd399855965d5c1f8e');
INSERT INTO "events" VALUES(34,'2026-11-25T21:48:33.033801+00:00','long-ago','tries','{"rows":2}','b7a53ae8098394221e1521ce17ba3e8bcd34fd029cc7dedd399855965d5c1f8e','759debad946ee8fa5b67580cc9ac3151e8107f9dde4b2c7fdbf1a02526c43349');
INSERT INTO "events" VALUES(35,'2026-11-25T21:48:33.051482+00:00','unreadable','unreadable','{"start":"received"}','759debad946ee8fa5b67580cc9ac3151e8107f9dde4b2c7fdbf1a02526c43349','e356ac2fd24c41dcfe3f2940c565f34e157beffcf3ebeda235d3274278691387');
INSERT INTO "events" VALUES(36,'2026-11-25T21:48:33.062870+00:00','failed','failed','{"start":"received"}','e356ac2fd24c41dcfe3f2940c565f34e157beffcf3ebeda235d3274278691387','d45e530f52c1ce68ebbd617ed66c882266da40887bc77b3338f9c37b76a84659');
INSERT INTO "events" VALUES(37,'2026-11-25T21:48:33.087625+00:00','refused','refused','{"cites":["mou"],"codes":["COURT_ORDER"],"start":"received"}','d45e530f52c1ce68ebbd617ed66c882266da40887bc77b3338f9c37b76a84659','a3037d3882a4f1653651f9ea35355311dcadc8a6820114f508674cf77654e31e');
INSERT INTO "events" VALUES(38,'2026-11-25T21:48:33.107767+00:00','rejected','held','{"checkpoint":"intake","codes":["TOO_MANY_INCOMPLETE"],"content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","start":"received"}','a3037d3882a4f1653651f9ea35355311dcadc8a6820114f508674cf77654e31e','60c6d7a44e24605ec30614a77f9c29e96bd07622687eca9945872ac19b6158eb');
INSERT INTO "events" VALUES(39,'2026-11-25T21:48:33.127668+00:00','expired','held','{"checkpoint":"intake","codes":["TOO_MANY_INCOMPLETE"],"content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","start":"received"}','60c6d7a44e24605ec30614a77f9c29e96bd07622687eca9945872ac19b6158eb','9e302dc192b197a317531e497fef1664d636f0897827d8fa0df85c0f4b6f8e00');
INSERT INTO "events" VALUES(40,'2026-11-25T21:48:33.172184+00:00','rejected','decision','{"by":"ada","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"reject","hold":38,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"incomplete_rows","signature":"bc88d83b99e862b25b667acc22a2ceeeb2f95e51a1dd859dd7e6626709728199"}','9e302dc192b197a317531e497fef1664d636f0897827d8fa0df85c0f4b6f8e00','e14dbdd43036a7b02ea0cf0970d13c8e170cf40033d2063f18223d6255bf2a34');
INSERT INTO "events" VALUES(41,'2026-11-25T21:48:33.187966+00:00','rejected','rejected','{"checkpoint":"intake","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"reject","start":"held"}','e14dbdd43036a7b02ea0cf0970d13c8e170cf40033d2063f18223d6255bf2a34','d6b66f0e7d6a2af782f0445012481b84f1ae0430c18dff63e5ff3da45054dfbe');
INSERT INTO "events" VALUES(42,'2026-11-25T21:48:33.208414+00:00','expired','expired','{"codes":["TOO_MANY_INCOMPLETE"],"start":"held"}','d6b66f0e7d6a2af782f0445012481b84f1ae0430c18dff63e5ff3da45054dfbe','f796acbf032b6b603e61c027f6fd339bee7c3a086aba187c34bd12d705875083');
INSERT INTO "events" VALUES(43,'2026-11-25T21:48:33.241860+00:00','rejected','shredding','{"key":"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"}','f796acbf032b6b603e61c027f6fd339bee7c3a086aba187c34bd12d705875083','782eff77ccf7f78f58133cdda402e80c095140d1b037994e85b57145925e7ff5');
INSERT INTO "events" VALUES(44,'2026-11-25T21:48:33.270416+00:00','rejected','shredded','{"key":"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"}','782eff77ccf7f78f58133cdda402e80c095140d1b037994e85b57145925e7ff5','5f8dd07a20197ce60294bcb6c3eb805783cf8334f9832ae79212994bfa78b8a8');
INSERT INTO "events" VALUES(45,'2026-11-25T21:48:33.298193+00:00','expired','shredding','{"key":null}','5f8dd07a20197ce60294bcb6c3eb805783cf8334f9832ae79212994bfa78b8a8','7e59caefa59207422e68f6087cec56b1ca7b5c13a66b2c04da2c85d34b00f235');
INSERT INTO "events" VALUES(46,'2026-11-25T21:48:33.316880+00:00','expired','shredded','{"key":null}','7e59caefa59207422e68f6087cec56b1ca7b5c13a66b2c04da2c85d34b00f235','f0d8e86724cca8b5539eab309722ee6a0b44ee31bd754c6d8383ff925e6c3582');
INSERT INTO "events" VALUES(47,'2026-11-25T21:48:33.336084+00:00','held','ingested','{"rows_submitted":10,"start":"received"}','f0d8e86724cca8b5539eab309722ee6a0b44ee31bd754c6d8383ff925e6c3582','74cf32f488a0ed8f6dce8c6508f373ba299e07d0e4f996d63e6c99e8dc5807ec');
INSERT INTO "events" VALUES(48,'2026-11-25T21:48:33.355037+00:00','held','held','{"checkpoint":"matching","codes":["MATCH_RATE"],"content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","start":"ingested"}','74cf32f488a0ed8f6dce8c6508f373ba299e07d0e4f996d63e6c99e8dc5807ec','e42835ca1d410946ea2ae1678e2ba8673b6685854c0a84fb8a3f198c1183a427');
INSERT INTO "events" VALUES(49,'2026-11-25T21:48:33.375656+00:00','held','decision','{"by":"ada","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"confirm","hold":48,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"incomplete_rows","signature":"ab7c7f2bb2f6e6af50e63ef35d3160de4e3d1be8251aeac9ad0eb367ccfcddd9"}','e42835ca1d410946ea2ae1678e2ba8673b6685854c0a84fb8a3f198c1183a427','979eb58a6b7ea272c54e9ddf3788d9fe13a0918d4315947c541a37993e1cb743');
INSERT INTO "events" VALUES(50,'2026-11-25T21:48:33.394410+00:00','withdrawn','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"fd60c459d03b66a8600f5c72ca868c83ad2708810fa3140b03abb35b3b91d931"}','979eb58a6b7ea272c54e9ddf3788d9fe13a0918d4315947c541a37993e1cb743','5b66263fa55296ae4e55046a7897aa18abbd7ba059a8516733438bce9cd27830');
INSERT INTO "events" VALUES(51,'2026-11-25T21:48:33.407955+00:00','withdrawn','held','{"checkpoint":"intake","codes":["TOO_MANY_INCOMPLETE"],"content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","start":"received"}','5b66263fa55296ae4e55046a7897aa18abbd7ba059a8516733438bce9cd27830','19d55f117833bec9476ccf16fe141d58c0f9b3014aad5b1eac750381b8297438');
INSERT INTO "events" VALUES(52,'2026-11-25T21:48:33.439431+00:00','withdrawn','decision','{"by":"ada","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"drop","hold":51,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"incomplete_rows","signature":"5262680dd1d21f0d27e30742dcab7cccc98eaac9708c0276e75dca361f4c5d64"}','19d55f117833bec9476ccf16fe141d58c0f9b3014aad5b1eac750381b8297438','0d8427b264f8b1d7970ad6c82f55d0f84db5808b0685e99ba1f6ac592f9c8955');
INSERT INTO "events" VALUES(53,'2026-11-25T21:48:33.478666+00:00','withdrawn','decision','{"by":"ben","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"drop","hold":51,"key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","reason":"incomplete_rows","signature":"9aaee4c88fff3c7fefbadd1d55f8507025e0e8e929b5795dfb6dc8adba3fe590"}','0d8427b264f8b1d7970ad6c82f55d0f84db5808b0685e99ba1f6ac592f9c8955','23393ad3c0b43fefdab5b66650e43e0caf22aeb3802553a629f406e5ac05c8c8');
INSERT INTO "events" VALUES(54,'2026-11-25T21:48:33.480754+00:00','withdrawn','received','{"checkpoint":"intake","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"drop","start":"held"}','23393ad3c0b43fefdab5b66650e43e0caf22aeb3802553a629f406e5ac05c8c8','ef22158c54784ad46de4a7f2c176f1111a47f3504419e8922e7918d6596e4e6c');
INSERT INTO "events" VALUES(55,'2026-11-25T21:48:33.503368+00:00','withdrawn','ingested','{"start":"received"}','ef22158c54784ad46de4a7f2c176f1111a47f3504419e8922e7918d6596e4e6c','975da8012d24c53bb2940734f0cf5835266c760d5b088bf11516ecd945365ae5');
INSERT INTO "events" VALUES(56,'2026-11-25T21:48:33.519376+00:00','withdrawn','failed','{"start":"ingested"}','975da8012d24c53bb2940734f0cf5835266c760d5b088bf11516ecd945365ae5','3d90abfa62f4b2e9acb78309161bf2d1b79b983a6c7bd1a3a58c5fe0893814f9');
INSERT INTO "events" VALUES(57,'2026-11-25T21:48:33.535124+00:00','withdrawn','ingested','{"start":"failed"}','3d90abfa62f4b2e9acb78309161bf2d1b79b983a6c7bd1a3a58c5fe0893814f9','12d8e2b92b426876423bf2d8a54a72fa6847c985b22adb3c2a66180545f29755');
INSERT INTO "events" VALUES(58,'2026-11-25T21:48:33.547218+00:00','withdrawn','matched','{"start":"ingested"}','12d8e2b92b426876423bf2d8a54a72fa6847c985b22adb3c2a66180545f29755','3e273a6eb40727379dc258657ef1b4a0d72aab6b5a35bfad853777ed052830c9');
INSERT INTO "events" VALUES(59,'2026-11-25T21:48:33.567057+00:00','withdrawn','validated','{"start":"matched"}','3e273a6eb40727379dc258657ef1b4a0d72aab6b5a35bfad853777ed052830c9','bdf8d9e9b249d3f4550843147d9f9153fba88ca87fa2d320c02da307e993aab8');
INSERT INTO "events" VALUES(60,'2026-11-25T21:48:33.580039+00:00','withdrawn','sealed','{"start":"validated"}','bdf8d9e9b249d3f4550843147d9f9153fba88ca87fa2d320c02da307e993aab8','2d8f0710649b0d40341b07d760bfb2a12b975b530b9c14063ab93d35af3020ab');
INSERT INTO "events" VALUES(61,'2026-11-25T21:48:33.596134+00:00','withdrawn','accounted','{"accounting":"fd6275c20326214bf38b16f4a61ea55cd4e42311861510e0ed3c06fca6e09926","codes":{},"evidence":"ee8250fb76e094b34b471f13a73dbbe51d1ae142e9df59d7c0d31ec20f0a0a8e","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","outcomes":{"released":2},"rows":2}','2d8f0710649b0d40341b07d760bfb2a12b975b530b9c14063ab93d35af3020ab','e26cb6eb3ca7f7e9c6b80f356093ea317957ab365fb40b6d1182842ba5c8b570');
INSERT INTO "events" VALUES(62,'2026-11-25T21:48:33.653785+00:00','withdrawn','prepared','{"claims":"2ed34049fca74b2f0c3f648ec747f08af2abed48d7f1057955f7b711d876661d","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","package":"2c4025c216319b372b11ec400894ae2d244d15a94e0a856bf8ece9341606690f","rows":1,"start":"sealed"}','e26cb6eb3ca7f7e9c6b80f356093ea317957ab365fb40b6d1182842ba5c8b570','128e55d9a9835bee9153ef551b88a134c9046b7edd2ed90804c1fcf6df4bf979');
INSERT INTO "events" VALUES(63,'2026-11-25T21:48:33.677088+00:00','withdrawn','validated','{"start":"prepared"}','128e55d9a9835bee9153ef551b88a134c9046b7edd2ed90804c1fcf6df4bf979','6ce9ba29a3bac1cc942a56140420d94afee5771542ef90348af8e1e9f8130063');
INSERT INTO "events" VALUES(64,'2026-11-25T21:48:33.715887+00:00','withdrawn','sealed','{"start":"validated"}','6ce9ba29a3bac1cc942a56140420d94afee5771542ef90348af8e1e9f8130063','95c810bfbfd8d7d8a9dd0c154978da4b36c596d9012b65cbe4d8d1931ba16f9e');
INSERT INTO "events" VALUES(65,'2026-11-25T21:48:33.735791+00:00','withdrawn','accounted','{"accounting":"fd6275c20326214bf38b16f4a61ea55cd4e42311861510e0ed3c06fca6e09926","codes":{},"evidence":"ee8250fb76e094b34b471f13a73dbbe51d1ae142e9df59d7c0d31ec20f0a0a8e","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","outcomes":{"released":2},"rows":2}','95c810bfbfd8d7d8a9dd0c154978da4b36c596d9012b65cbe4d8d1931ba16f9e','375337936b58d2978101d847931112c16fa3787afee45782c67dc75eb5554a07');
INSERT INTO "events" VALUES(66,'2026-11-25T21:48:33.791205+00:00','withdrawn','prepared','{"claims":"2ed34049fca74b2f0c3f648ec747f08af2abed48d7f1057955f7b711d876661d","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","package":"2c4025c216319b372b11ec400894ae2d244d15a94e0a856bf8ece9341606690f","rows":1,"start":"sealed"}','375337936b58d2978101d847931112c16fa3787afee45782c67dc75eb5554a07','2ec759eb2c4a33f5d28b6ecc544cf6a3d05b423c4e04e63128f193771e0a60a0');
INSERT INTO "events" VALUES(67,'2026-11-25T21:48:33.820591+00:00','withdrawn','withdrawn','{"cites":["order-1"],"codes":["HALTED"],"start":"prepared"}','2ec759eb2c4a33f5d28b6ecc544cf6a3d05b423c4e04e63128f193771e0a60a0','b78e01300bd3f04b88ba6fa6136ca87caf9f5fdcea39985a20545e8bbd26975a');
INSERT INTO "events" VALUES(68,'2026-11-25T21:48:33.884258+00:00',NULL,'recall','{"affected":"a6f7ef47ee8dc84af9056a3051ddc302f19581a96eb7e12f510fdf550326a399","agreement":"mou","batches":["batch-1"],"case":"c-1","claims":"4ec1d80be5df1b5895d7ce30f0cb1a3c93e5cafd26c93f3e396f4b7b00977749","codes":{"NO_NUMBER":1},"discovered_at":1772499723,"proof":null,"reason":"lookback","requester":"agency","rows":[1],"step":"found"}','b78e01300bd3f04b88ba6fa6136ca87caf9f5fdcea39985a20545e8bbd26975a','6bfc69eeb70a3cf6afb2913a5e766a3bb0cae067a69bcdeabb5e1d093cc68d2c');
INSERT INTO "events" VALUES(69,'2026-11-25T21:48:33.916269+00:00',NULL,'recall','{"affected":"6260cd1bca682c8e6d53f7bd48085059c4f9bbab010abf0200ccfae2567a6dda","agreement":"mou","batches":["batch-2"],"case":"c-2","claims":"448e2f316ccdf8b2b59665129aa7469ed1dd125da307e8e50003db66ca2fa8f7","codes":{"NO_NUMBER":1},"discovered_at":1772499723,"proof":null,"reason":"lookback","requester":"agency","rows":[1],"step":"found"}','6bfc69eeb70a3cf6afb2913a5e766a3bb0cae067a69bcdeabb5e1d093cc68d2c','263c3b72275f01e9616a1b2b2b2576b9b548517aaa08082a034d0ae465ccbe87');
INSERT INTO "events" VALUES(70,'2026-11-25T21:48:33.970118+00:00',NULL,'recall','{"case":"c-1","documents":{},"proof":"list","rests_on":"a330395cc0a53ad1207736546afff4735940937564bbf75ce1edad40780d9139","start":"found","step":"frozen"}','263c3b72275f01e9616a1b2b2b2576b9b548517aaa08082a034d0ae465ccbe87','27a7bdc346e05d95dd12fb7f1b20f0f43e2d7812f3bcbf3a0369d687dcecb32a');
INSERT INTO "events" VALUES(71,'2026-11-25T21:48:34.011838+00:00',NULL,'recall_signed','{"after":70,"by":"ada","case":"c-1","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","proof":"notice","rests_on":"9368a7d21e018f64ae3327d2f25cd4d7693b2d85328e4bb680bcfcbd4c26b90e","signature":"ed80f5512b32ed209bd1114001795e523314ea166bfb3bf94edb4547cab0201f"}','27a7bdc346e05d95dd12fb7f1b20f0f43e2d7812f3bcbf3a0369d687dcecb32a','9f47deec48d4f8a189efe74ee5cb180bcee9708daae2c81d4f37698153cbd275');
INSERT INTO "events" VALUES(72,'2026-11-25T21:48:34.031864+00:00',NULL,'recall','{"case":"c-1","documents":{},"proof":"notice","rests_on":"9368a7d21e018f64ae3327d2f25cd4d7693b2d85328e4bb680bcfcbd4c26b90e","start":"frozen","step":"notified"}','9f47deec48d4f8a189efe74ee5cb180bcee9708daae2c81d4f37698153cbd275','1e006fbb5ccb92c7c99c806af9ceb6e63d52a192f7701ec0ad034f8fb919cd73');
INSERT INTO "events" VALUES(73,'2026-11-25T21:48:34.065512+00:00',NULL,'recall_signed','{"after":72,"by":"ada","case":"c-1","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","proof":"copies","rests_on":"c62d18434681f20e8fd1a63fc468aeaec55b014db3c53bda192459b5c91f6251","signature":"58cbd036b33716577f465b3b9b926ce375e23b07ceee2ecc68a9eaf20b364726"}','1e006fbb5ccb92c7c99c806af9ceb6e63d52a192f7701ec0ad034f8fb919cd73','cb6cd9f17846084ede92c97c154015d07cbccdbb3f5396507baa365f47d68c95');
INSERT INTO "events" VALUES(74,'2026-11-25T21:48:34.086945+00:00',NULL,'recall','{"case":"c-1","documents":{},"proof":"copies","rests_on":"c62d18434681f20e8fd1a63fc468aeaec55b014db3c53bda192459b5c91f6251","start":"notified","step":"copies_enumerated"}','cb6cd9f17846084ede92c97c154015d07cbccdbb3f5396507baa365f47d68c95','9f44aae5193f22a7d7782368cd97cff72621be14f214bb28a686f78b59fa9656');
INSERT INTO "events" VALUES(75,'2026-11-25T21:48:34.114963+00:00',NULL,'recall_signed','{"after":74,"by":"ada","case":"c-1","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","proof":"part","rests_on":"37a680133bd09342f934afb8dd2c7d9e1b624da5f35e3a38adb103e37c055ed1","signature":"4eefa0566c2bdeddbba309e717a1057fa85b72c838578512238f9e68dadba95b"}','9f44aae5193f22a7d7782368cd97cff72621be14f214bb28a686f78b59fa9656','281bb25ecda9238f623b20ab445ac68294d45069956998747f64df7a0b535a4c');
INSERT INTO "events" VALUES(76,'2026-11-25T21:48:34.135320+00:00',NULL,'recall','{"case":"c-1","documents":{},"proof":"part","rests_on":"37a680133bd09342f934afb8dd2c7d9e1b624da5f35e3a38adb103e37c055ed1","start":"copies_enumerated","step":"copies_enumerated"}','281bb25ecda9238f623b20ab445ac68294d45069956998747f64df7a0b535a4c','f9653cf848e58b6252e3c49a865b8e40d6091b0b39d18e33544183b755301627');
INSERT INTO "events" VALUES(77,'2026-11-25T21:48:34.167714+00:00',NULL,'recall_signed','{"after":76,"by":"ada","case":"c-1","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","proof":"log","rests_on":"836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213","signature":"5a04e77ac2a38c3b472b2dcb9e3c22a29ddb98297aedeb7888fa11bbe165987a"}','f9653cf848e58b6252e3c49a865b8e40d6091b0b39d18e33544183b755301627','54c1f03bff712d21b7fafd46b2b827130c251f673bc0119b1d923a683f62d0c5');
INSERT INTO "events" VALUES(78,'2026-11-25T21:48:34.179785+00:00',NULL,'recall','{"case":"c-1","documents":{"attestation.txt":"90686d835b2b877e207c0bc60d3f2ca9dce53ba098845e4d6d7f1c647acedd90"},"proof":"log","rests_on":"836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213","start":"copies_enumerated","step":"disposed"}','54c1f03bff712d21b7fafd46b2b827130c251f673bc0119b1d923a683f62d0c5','bf2bdd93f2ae16862b767a1ff4d8d61a0b1993bda78ad7302a27c24a033a4445');
INSERT INTO "events" VALUES(79,'2026-11-25T21:48:34.209041+00:00',NULL,'recall_issued','{"case":"c-1","documents":{"notice.txt":"9368a7d21e018f64ae3327d2f25cd4d7693b2d85328e4bb680bcfcbd4c26b90e"},"step":"disposed"}','bf2bdd93f2ae16862b767a1ff4d8d61a0b1993bda78ad7302a27c24a033a4445','ae23854389ef5f4a9d7b5fc208e28fe2d17e42bb20f63ca211a23ceff557e8f8');
INSERT INTO "events" VALUES(80,'2026-11-25T21:48:34.237318+00:00',NULL,'recall_signed','{"after":78,"by":"agency","case":"c-1","instrument":"335edca6444cda4cb52853cc62cb040ad9b106ee0cf15c27ca0153459aadf7eb","key":"776a6a59a090271d6e6c31b553fdf171667fae42a525e0181b44df9fb9426ce1","proof":"attestation","rests_on":"90686d835b2b877e207c0bc60d3f2ca9dce53ba098845e4d6d7f1c647acedd90","signature":"2b3d9d426d3446fb1b49c148623616854e5961721b32430e1e748620183278ea"}','ae23854389ef5f4a9d7b5fc208e28fe2d17e42bb20f63ca211a23ceff557e8f8','9d1a27623148742fa1df399f4f0f63859bfa7384249dd72e7d9dd980be3326a9');
INSERT INTO "events" VALUES(81,'2026-11-25T21:48:34.247204+00:00',NULL,'recall','{"case":"c-1","proof":"attestation","rests_on":"90686d835b2b877e207c0bc60d3f2ca9dce53ba098845e4d6d7f1c647acedd90","start":"disposed","step":"attested"}','9d1a27623148742fa1df399f4f0f63859bfa7384249dd72e7d9dd980be3326a9','062ce4c6698fb224e2c82334bafadeced70f2f884c2dcbfd9ea75b692651e49a');
INSERT INTO "events" VALUES(82,'2026-11-25T21:48:34.266365+00:00',NULL,'recall_signed','{"after":81,"by":"ada","case":"c-1","key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","proof":"review","rests_on":"c97ace4c8fef2cee8fa0f3c9f52aab18dbd4f42438afe362ffb8f75ce4c04b84","signature":"e10b9da18cf2989755a4b522a11ecbb22cc139aa07c3cfe63aa49eb802cff0e6"}','062ce4c6698fb224e2c82334bafadeced70f2f884c2dcbfd9ea75b692651e49a','e1e4628a0e94ec9bf2388897806fafc7e95870ca03553991e8822928f6654013');
INSERT INTO "events" VALUES(83,'2026-11-25T21:48:34.280572+00:00',NULL,'recall_signed','{"after":81,"by":"ben","case":"c-1","key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","proof":"review","rests_on":"c97ace4c8fef2cee8fa0f3c9f52aab18dbd4f42438afe362ffb8f75ce4c04b84","signature":"3cc393c1cc58875660e9d9a71a851e6e04d7fd9e11b640fbee3658be3da49292"}','e1e4628a0e94ec9bf2388897806fafc7e95870ca03553991e8822928f6654013','96bb7bbad5ac3fee9b89fa84b6faab99bdb89cd6b57cdcc22de7ed8063c4ed15');
INSERT INTO "events" VALUES(84,'2026-11-25T21:48:34.288418+00:00',NULL,'recall','{"case":"c-1","documents":{},"proof":"review","rests_on":"c97ace4c8fef2cee8fa0f3c9f52aab18dbd4f42438afe362ffb8f75ce4c04b84","start":"attested","step":"closed"}','96bb7bbad5ac3fee9b89fa84b6faab99bdb89cd6b57cdcc22de7ed8063c4ed15','5491de1737d8dc154e5691a4edd5098f2fabfaa9b6b1ff911325370a750bf056');
INSERT INTO "events" VALUES(85,'2026-11-25T21:48:34.307652+00:00',NULL,'halt','{"by":"ada","reason":"suspected_fault"}','5491de1737d8dc154e5691a4edd5098f2fabfaa9b6b1ff911325370a750bf056','da4a004b8d21637d620d4428d63c7f8059f64cc79930e9525a1cd0605366f7f7');
INSERT INTO "events" VALUES(86,'2026-11-25T21:48:34.340935+00:00',NULL,'decision','{"by":"ada","content_digest":null,"decision":"resume","hold":85,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"cause_mended","signature":"7777aaa31cd8c81f6bae696b63e2067ca4e93aa9524cc73ed9469036f915f9f7"}','da4a004b8d21637d620d4428d63c7f8059f64cc79930e9525a1cd0605366f7f7','9d4af8ffbffad00498685420dd4996a5266533738e9a0439e396bbedfefc7b6c');
INSERT INTO "events" VALUES(87,'2026-11-25T21:48:34.371557+00:00',NULL,'decision','{"by":"ben","content_digest":null,"decision":"resume","hold":85,"key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","reason":"cause_mended","signature":"c90e0d195718fc7592c7535208ff481d6a1d58f9b4483908233436cdf6646d7b"}','9d4af8ffbffad00498685420dd4996a5266533738e9a0439e396bbedfefc7b6c','95c325f6602063eb334a67e26a6972a8d0a236614e321c6d81d04735814443ed');
INSERT INTO "events" VALUES(88,'2026-11-25T21:48:34.387568+00:00',NULL,'resumed','{"halt":85}','95c325f6602063eb334a67e26a6972a8d0a236614e321c6d81d04735814443ed','114cb16b134761a379084db2d2e5e55cc79c4d88a275ec0af2f784a68b953d87');
INSERT INTO "events" VALUES(89,'2026-11-25T21:48:34.399807+00:00',NULL,'halt','{"by":"ben","reason":"court_or_counsel"}','114cb16b134761a379084db2d2e5e55cc79c4d88a275ec0af2f784a68b953d87','f2f381eb2806e5bf5d0d6653de133c9600e4cafb72f342d2895dc5a8391f4149');
INSERT INTO "events" VALUES(90,'2026-11-25T21:48:34.420368+00:00','batch-1','view','{"ordinal":3,"what":"values","who":"ada"}','f2f381eb2806e5bf5d0d6653de133c9600e4cafb72f342d2895dc5a8391f4149','27a7c16eae928d0bbaa777f61ed226c2f9f57a5508bd7697b877c4e0e06ab41a');
INSERT INTO "events" VALUES(91,'2026-11-25T21:48:34.444102+00:00','batch-1','view','{"ordinal":null,"what":"evidence","who":"ada"}','27a7c16eae928d0bbaa777f61ed226c2f9f57a5508bd7697b877c4e0e06ab41a','15a9f320545acdffaa1de079facfa9e86deb227b32282b7b1c91de02f6793cca');
INSERT INTO "events" VALUES(92,'2026-11-25T21:48:34.463138+00:00',NULL,'view','{"person":"550e70378c5d788035da700b41621409bf98914be8e99ed8146731d89adf5c89","what":"person","who":"ada"}','15a9f320545acdffaa1de079facfa9e86deb227b32282b7b1c91de02f6793cca','1f4dd97bb4125de38e66d99a7363520c7f6f24fad17f9cb7023eebef5a781ff0');
CREATE TABLE halts (
	seq BIGINT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	operator VARCHAR(64) NOT NULL, 
	reason VARCHAR(64) NOT NULL, 
	resumed_at VARCHAR(32), 
	PRIMARY KEY (seq)
);
INSERT INTO "halts" VALUES(85,'2026-11-25T21:48:34.308662+00:00','ada','suspected_fault','2026-11-25T21:48:34.372691+00:00');
INSERT INTO "halts" VALUES(89,'2026-11-25T21:48:34.401163+00:00','ben','court_or_counsel',NULL);
CREATE TABLE "instruments" (
	seq BIGINT NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	enrolled_at VARCHAR(32) NOT NULL, 
	body BLOB NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (seq), 
	CONSTRAINT version_once UNIQUE (id, version)
);
INSERT INTO "instruments" VALUES(5,'order-1','77e1ce6aa2910541f67935a093cc6bb6639cdc88f19d86d5c4d3f62c7cba4a3c','court_order','2026-11-25T21:48:32.180132+00:00',X'0A6B696E64203D2022636F7572745F6F72646572220A6964203D20226F726465722D31220A636F757274203D2022442E2054657374220A646F636B6574203D2022313A32362D63762D31220A7469746C65203D202253746179220A736F75726365203D20226D616465207570220A6566666563746976655F6F6E203D20323032362D30312D30310A656666656374203D2022666F72626964220A73636F7065203D207B7D0A',1);
INSERT INTO "instruments" VALUES(6,'order-1','de9acd3183156f3e87cdc5a8f9163b8e49406471ea05f55707979ab643abdbac','court_order','2026-11-25T21:48:32.216265+00:00',X'0A6B696E64203D2022636F7572745F6F72646572220A6964203D20226F726465722D31220A636F757274203D2022442E2054657374220A646F636B6574203D2022313A32362D63762D31220A7469746C65203D202253746179220A736F75726365203D20226D616465207570220A6566666563746976655F6F6E203D20323032362D30312D30310A656666656374203D2022666F72626964220A73636F7065203D207B7D0A6C69667465645F6F6E203D20323032362D30322D30310A',2);
INSERT INTO "instruments" VALUES(7,'mou','335edca6444cda4cb52853cc62cb040ad9b106ee0cf15c27ca0153459aadf7eb','agreement','2026-11-25T21:48:32.246447+00:00',X'2320412066696374696F6E616C2061677265656D656E742C20696E20666F7263652C20666F722064656D6F6E7374726174696F6E7320616E642074657374732E204120686F6D652066696C6C7320696E207468652074776F206B65797320616E6420656E726F6C732074686520726573756C742E0A6B696E64203D202261677265656D656E74220A6964203D20226D6F75220A7469746C65203D202253616E64626F782061677265656D656E74202866696374696F6E616C29220A736F75726365203D202266696374696F6E616C220A76616C69645F66726F6D203D20323032362D30312D30310A76616C69645F746F203D20323033312D31322D33310A72656365697665645F6F6E203D20323032362D30312D30310A7A6F6E65203D2022416D65726963612F4E65775F596F726B220A7374617475746573203D205B2238205553432031323533286129283129225D0A6F666669636573203D205B2248656164206F66206167656E6379222C2022496E73706563746F722047656E6572616C225D0A707572706F736573203D205B224372696D696E616C2070726F63656564696E67222C20224372696D696E616C20696E7665737469676174696F6E222C20224772616E64206A7572792070726F63656564696E67225D0A6669656C6473203D205B22737472656574222C2022756E6974222C2022757262616E697A6174696F6E222C202263697479222C20227374617465222C20227A6970225D0A6164647265737365735F746861745F636F72726F626F72617465203D202263757272656E745F616E645F6561726C696572220A0A5B686F6C6465725D0A6964203D202272656769737465722D6F6666696365220A6E616D65203D20225265676973746572204F6666696365202866696374696F6E616C29220A61646472657373203D20223120526567697374657220506C7A2C2057617368696E67746F6E204443203230303031220A0A5B7265717565737465725D0A6964203D20226465706172746D656E742D6F662D6578616D706C6573220A6E616D65203D20224465706172746D656E74206F66204578616D706C6573202866696374696F6E616C29220A61646472657373203D202231303030204578616D706C65204176652C2057617368696E67746F6E204443203230303031220A7072656D69736573203D205B2231303030204578616D706C65204176652C2057617368696E67746F6E204443203230303031225D0A0A5B7468726573686F6C64735D0A696E636F6D706C6574655F7368617265203D20302E31300A696E636F6D706C6574655F73686172655F7065725F66696C65203D20302E31350A696E636F6D706C6574655F73686172655F33305F64617973203D20302E31300A6D617463685F726174655F666C6F6F72203D20302E3030350A6D617463685F726174655F6365696C696E67203D20302E39380A7765616B5F74696572735F6365696C696E67203D20302E32350A6C65747465725F6167655F64617973203D2033300A726F77735F7065725F6261746368203D20313530303030300A6D6174746572735F7065725F6F666669636572203D20353030300A6964656E746963616C5F726561736F6E5F7368617265203D20302E30350A706572736F6E735F7065725F61646472657373203D2035300A74726965735F7065725F706572736F6E203D20330A68656C645F64617973203D2033300A0A5B736166656775617264735D0A72657669657765645F6F6E203D20323032362D30312D30310A0A5B6B6579735D0A7369676E696E67203D205B227373682D65643235353139204141414143334E7A6143316C5A4449314E5445354141414149483047627A7A61565853506A48342B2F6462544F385477664A49514568376261715939497834727641524E225D0A726563697069656E74203D20226167653178220A',1);
CREATE TABLE operators (
	name VARCHAR(64) NOT NULL, 
	key_line TEXT NOT NULL, 
	enrolled_at VARCHAR(32) NOT NULL, 
	revoked_at VARCHAR(32), 
	PRIMARY KEY (name), 
	UNIQUE (key_line)
);
INSERT INTO "operators" VALUES('ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','2026-11-25T21:48:32.038538+00:00',NULL);
INSERT INTO "operators" VALUES('ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','2026-11-25T21:48:32.077994+00:00',NULL);
INSERT INTO "operators" VALUES('cleo','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICjRAACstKDZsHU5PXoLkIuk36MpRXBFx2f5nJsjKdGB','2026-11-25T21:48:32.106541+00:00',NULL);
INSERT INTO "operators" VALUES('dora','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrmOX7+PYCO2/Wi0sxNF5QOJW8TteSFgqbAlLNul156','2026-11-25T21:48:32.132172+00:00','2026-11-25T21:48:32.259545+00:00');
CREATE TABLE recall_cases (
	id VARCHAR(64) NOT NULL, 
	requester VARCHAR(64) NOT NULL, 
	agreement VARCHAR(64) NOT NULL, 
	reason VARCHAR(64) NOT NULL, 
	discovered_at VARCHAR(32) NOT NULL, 
	batches TEXT NOT NULL, 
	codes TEXT NOT NULL, 
	affected VARCHAR(64) NOT NULL, 
	state VARCHAR(64) NOT NULL, 
	seq BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "recall_cases" VALUES('c-1','agency','mou','lookback','2026-03-03T01:02:03.456789+00:00','{"batch-1": 1}','{"NO_NUMBER": 1}','a6f7ef47ee8dc84af9056a3051ddc302f19581a96eb7e12f510fdf550326a399','closed',84);
INSERT INTO "recall_cases" VALUES('c-2','agency','mou','lookback','2026-03-03T01:02:03.456789+00:00','{"batch-2": 1}','{"NO_NUMBER": 1}','6260cd1bca682c8e6d53f7bd48085059c4f9bbab010abf0200ccfae2567a6dda','found',69);
CREATE TABLE recall_signatures (
	seq BIGINT NOT NULL, 
	case_id VARCHAR(64) NOT NULL, 
	proof VARCHAR(16) NOT NULL, 
	signer VARCHAR(64) NOT NULL, 
	key_line TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	said BLOB NOT NULL, 
	PRIMARY KEY (seq), 
	FOREIGN KEY(case_id) REFERENCES recall_cases (id)
);
INSERT INTO "recall_signatures" VALUES(71,'c-1','notice','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAARc2x1aWNlZ2F0ZS1yZWNhbGwAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAeVSEzakAezvKdsdN+1JTlQv5TqIuUHoi2BOzi/W1k1Trvj
1Y27tgNB39/YkAuUZoJLtjUiyOMO+bwIdVEelOBQ==
-----END SSH SIGNATURE-----
',X'7B226166746572223A37302C2263617365223A22632D31222C2270726F6F66223A226E6F74696365222C2272657374735F6F6E223A2239333638613764323165303138663634616533333237643266323563643464373639336232643835333238653462623638306263666362643463323662393065227D');
INSERT INTO "recall_signatures" VALUES(73,'c-1','copies','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAARc2x1aWNlZ2F0ZS1yZWNhbGwAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAK78fuDc5R7BjErsPQzRY8rysgPstS/nuVPtULObDiB0R6L
2AQCAg3iuv5VjqDkJ3cG/c0sVBQRpZu08eJnG5AQ==
-----END SSH SIGNATURE-----
',X'7B226166746572223A37322C2263617365223A22632D31222C2270726F6F66223A22636F70696573222C2272657374735F6F6E223A2263363264313834333436383166323065386664316136336663343638616561656335356230313464623363353362646131393234353962356339316636323531227D');
INSERT INTO "recall_signatures" VALUES(75,'c-1','part','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAARc2x1aWNlZ2F0ZS1yZWNhbGwAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABA/4Gg+nSUFdh0IPjcwnzD1hCLyDVBGHRv8PDIMmCbQjkwdE
y97mlyeokMdy5o2wUDwMyMPJQ4P3VWGNHisUruCQ==
-----END SSH SIGNATURE-----
',X'7B226166746572223A37342C2263617365223A22632D31222C2270726F6F66223A2270617274222C2272657374735F6F6E223A2233376136383031333362643039333432663933346166623864643263376439653162363234646135663335653361333861646231303365333763303535656431227D');
INSERT INTO "recall_signatures" VALUES(77,'c-1','log','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAARc2x1aWNlZ2F0ZS1yZWNhbGwAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAfdwaf6Kr2zEFhvu83VfEKFLBJGD5TNLb4aMO0+F8o3Xvli
Q4YgauF/wdc80hKjrPtcWV7mMW7J3Lf7UmXEzPBw==
-----END SSH SIGNATURE-----
',X'7B226166746572223A37362C2263617365223A22632D31222C2270726F6F66223A226C6F67222C2272657374735F6F6E223A2238333666663138346537623431623165313363623566643839666131646539386462626162393965396432393138393133666634336238366135633763323133227D');
INSERT INTO "recall_signatures" VALUES(80,'c-1','attestation','agency','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0GbzzaVXSPjH4+/dbTO8TwfJIQEh7baqY9Ix4rvARN','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgfQZvPNpVdI+Mfj791tM7xPB8kh
ASHttqpj0jHiu8BE0AAAAWc2x1aWNlZ2F0ZS1hdHRlc3RhdGlvbgAAAAAAAAAGc2hhNTEy
AAAAUwAAAAtzc2gtZWQyNTUxOQAAAEC+0xyRj2xMp1KNGN86R96Q8FH6/g70dkoQFMFOD9
hUmwECLQtw5FGQ2FS0Fgq0S4+sbPEnO613iO15bnBGZSsE
-----END SSH SIGNATURE-----
',X'7765206174746573740A');
INSERT INTO "recall_signatures" VALUES(82,'c-1','review','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAARc2x1aWNlZ2F0ZS1yZWNhbGwAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAxhsOc/IELKzbuqQL+FpuQioDjrmLfngf4fF7OL2gWhX2r+
HvSVcIBV9s/b1jqpx+YfLYQRVhfnTKIkezDyQlDA==
-----END SSH SIGNATURE-----
',X'7B226166746572223A38312C2263617365223A22632D31222C2270726F6F66223A22726576696577222C2272657374735F6F6E223A2263393761636534633866656632636565386661306633633966353261616231386462643466343234333861666533363266666238663735636534633034623834227D');
INSERT INTO "recall_signatures" VALUES(83,'c-1','review','ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAARc2x1aWNlZ2F0ZS1yZWNhbGwAAAAAAAAABnNoYTUxMgAAAFMA
AAALc3NoLWVkMjU1MTkAAABAmh3Hfww4eYNg3sdBZDfGMNh32bzy+TvA4iH5SS7UnjaxTc
5EJiPpsNP8X5qi77uu7UIAQ3hNZlUdOVzTiPPTCA==
-----END SSH SIGNATURE-----
',X'7B226166746572223A38312C2263617365223A22632D31222C2270726F6F66223A22726576696577222C2272657374735F6F6E223A2263393761636534633866656632636565386661306633633966353261616231386462643466343234333861666533363266666238663735636534633034623834227D');
CREATE TABLE recalled (
	requester VARCHAR(64) NOT NULL, 
	agreement VARCHAR(64) NOT NULL, 
	request_key VARCHAR(64) NOT NULL, 
	case_id VARCHAR(64) NOT NULL, 
	PRIMARY KEY (requester, agreement, request_key), 
	FOREIGN KEY(case_id) REFERENCES recall_cases (id)
);
INSERT INTO "recalled" VALUES('agency','mou','ace93f4fca23378b709d3ef80cbb555028430b0c09ce8f8c73086671f7061ecc','c-1');
INSERT INTO "recalled" VALUES('agency','mou','c050c26f370e67f9051f926edfdf44c8d0e3dc8fe8ab4f2147d801a0a8bb990a','c-2');
CREATE TABLE tries (
	requester VARCHAR(64) NOT NULL, 
	person_key VARCHAR(64) NOT NULL, 
	address_key VARCHAR(64) NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (requester, person_key, address_key)
);
INSERT INTO "tries" VALUES('agency','2e957d2a4a743921f605066d2d656d009068c09fc190d368fe6eb43129e8bbb3','550e70378c5d788035da700b41621409bf98914be8e99ed8146731d89adf5c89','2026-03-02T12:00:00.000000+00:00');
INSERT INTO "tries" VALUES('agency','ace93f4fca23378b709d3ef80cbb555028430b0c09ce8f8c73086671f7061ecc','66518ce13b288c91b96e32103dd6c4fab4c2d9f33a4dd09f3b2b563e9b7bf9ab','2026-03-02T12:00:00.000000+00:00');
INSERT INTO "tries" VALUES('agency','c050c26f370e67f9051f926edfdf44c8d0e3dc8fe8ab4f2147d801a0a8bb990a','f27b85198a57d9e74d9439e013f3c607a212569e9094e58f45a6522c4f8941f1','2026-03-02T12:00:00.000000+00:00');
INSERT INTO "tries" VALUES('agency','13843bfa5758f7dc119777d3f67328515e0bf57cd9cdead0b00761509995fea8','c2e58c4bf460bd7387a7261bcd42d82d1cfd6cd4c8713cf28fd0eff3c0d1eca1','2024-01-02T03:04:05.678901+00:00');
CREATE INDEX ix_batches_state ON batches (state);
CREATE INDEX ix_events_batch ON events (batch);
CREATE INDEX ix_decisions_batch ON decisions (batch);
CREATE INDEX claims_of_batch ON claims (batch, request_key);
CREATE INDEX ix_instruments_id ON instruments (id);
CREATE INDEX recalled_in_case ON recalled (case_id, request_key);
CREATE INDEX ix_recall_signatures_case_id ON recall_signatures (case_id);
COMMIT;
