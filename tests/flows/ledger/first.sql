BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
INSERT INTO "batches" VALUES('held','c20dea4d876b5b8fb0a1814b43017030cea6d4ac30b2d9ae71b404d2faba49b5','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'held','received',27,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','["TOO_MANY_INCOMPLETE"]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('rejected','20cd938a2ea64f612b3523bc9219130c6fc66cd09b394ea38437488c0b8898b2','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'rejected',NULL,NULL,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','["TOO_MANY_INCOMPLETE"]','[]',NULL,NULL);
INSERT INTO "batches" VALUES('refused','83c874d33e8bff73caaa762c79cd1ed101d727c7f20fe4972c67e67978292f23','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'refused',NULL,NULL,NULL,NULL,'["COURT_ORDER"]','["mou"]',NULL,NULL);
INSERT INTO "batches" VALUES('failed','5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826','agency','mou','2026-03-02T12:00:00.000000+00:00','2026-03-02','{"mou": "e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"}','register-7',10,'failed','received',NULL,NULL,NULL,'[]','[]',NULL,NULL);
CREATE TABLE claims (
	requester VARCHAR(64) NOT NULL, 
	agreement VARCHAR(64) NOT NULL, 
	request_key VARCHAR(64) NOT NULL, 
	person_key VARCHAR(64) NOT NULL, 
	batch VARCHAR(64) NOT NULL, 
	PRIMARY KEY (requester, agreement, request_key), 
	FOREIGN KEY(batch) REFERENCES batches (name)
);
INSERT INTO "claims" VALUES('agency','mou','8770309ffb501ed6275fdb03cca2954eb623648816b27a12e87a28ab16994562','7d87c600fd463812612afa06102c490cbbb43e94fa07ad01bda231b185368973','batch-1');
INSERT INTO "claims" VALUES('agency','mou','ace93f4fca23378b709d3ef80cbb555028430b0c09ce8f8c73086671f7061ecc','66518ce13b288c91b96e32103dd6c4fab4c2d9f33a4dd09f3b2b563e9b7bf9ab','batch-1');
INSERT INTO "claims" VALUES('agency','mou','0b35d84632f3ce5f074aa1783b680a9d0ec5a387dbac63639ec4890431e73686','09e417240eba4684a18c03791fc622089894e7291fea0d74140ead605b87da5d','batch-2');
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
INSERT INTO "decisions" VALUES(1,'2026-11-26T18:13:12.165582+00:00','held',27,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','drop','incomplete_rows','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAECkYqakVjI+GoygWgvOhtA4ZaS1pcgUk4vzuFg2sO3SrA
KTbWDOHhAN+HrHzsMJMTrthkoyPW8F97TUW2SoiksH
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(2,'2026-11-26T18:13:12.193245+00:00','rejected',28,'intake','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','reject','incomplete_rows','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEC2jvqJXU8lPwjCLEl2bkRe2NiNMI7Z5f+jBgfk0KIxFB
FQ87T+Egy1AQivWBN52cPzu8I9UTzqjiWDUCNq1UkF
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(3,'2026-11-26T18:13:12.245335+00:00',NULL,32,'halt','','resume','cause_mended','ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgBHtrOfdvoA1egtaoMMObbliA9M
2Mtj20NkZlyQuFGwwAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEA+GcZuoZGuz0NkAkK/37b8OUSqLZBrKtkzAhBUgvqQlz
G6bFr9bmOpqIuMIoz4p/nJDq8WrnkNOAkYdpCAQQIJ
-----END SSH SIGNATURE-----
');
INSERT INTO "decisions" VALUES(4,'2026-11-26T18:13:12.265462+00:00',NULL,32,'halt','','resume','cause_mended','ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJ8zHDrJcRXHXNYipsbLo4tJ3z4
gWwFPkwZFLw5U4d1AAAAATc2x1aWNlZ2F0ZS1kZWNpc2lvbgAAAAAAAAAGc2hhNTEyAAAA
UwAAAAtzc2gtZWQyNTUxOQAAAEB3BLrm6TdI2DmFu1cnIXOA+v+7YRTen2fOHSF8qYlTtH
5ckojDPFtTvCEraovknZZr8Rj5OtdlixKY3/9BYt8J
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
INSERT INTO "events" VALUES(1,'2026-11-26T18:13:11.253839+00:00',NULL,'operator','{"enrolled":true,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","operator":"ada"}','0000000000000000000000000000000000000000000000000000000000000000','39c18ce50c74032b141313434345e45fe781f20049f90d183b54d849a32198f2');
INSERT INTO "events" VALUES(2,'2026-11-26T18:13:11.295332+00:00',NULL,'operator','{"enrolled":true,"key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","operator":"ben"}','39c18ce50c74032b141313434345e45fe781f20049f90d183b54d849a32198f2','8efdbf2041b9d467ddaca5593342b91f131a1fca253e19b82aaa996d5b16a353');
INSERT INTO "events" VALUES(3,'2026-11-26T18:13:11.314266+00:00',NULL,'operator','{"enrolled":true,"key":"f3775f0242bf9450d01e60c6e7362054839f02167c02b3b0bc426fa9b17f0928","operator":"cleo"}','8efdbf2041b9d467ddaca5593342b91f131a1fca253e19b82aaa996d5b16a353','347cca13518438323d28183c3d2d11fe1b497aa00e02075caa4eaa35b1877af2');
INSERT INTO "events" VALUES(4,'2026-11-26T18:13:11.360674+00:00',NULL,'enrolled','{"by":["ada","ben"],"digest":"77e1ce6aa2910541f67935a093cc6bb6639cdc88f19d86d5c4d3f62c7cba4a3c","instrument":"order-1","kind":"court_order"}','347cca13518438323d28183c3d2d11fe1b497aa00e02075caa4eaa35b1877af2','0711afd55768f7e1f0eb7371c4a0d6be35b73dcea92238f65158e061c8226b72');
INSERT INTO "events" VALUES(5,'2026-11-26T18:13:11.389292+00:00','batch-1','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"8f5815465303ca0a3b700c07068ef3ef0bf6f4d8a6cd60bf7220cd3d33e7c77e"}','0711afd55768f7e1f0eb7371c4a0d6be35b73dcea92238f65158e061c8226b72','a2ba43c3c2e293c02058fc3f45c8de2a249862a0e0531eab1afbfd921a28f2e8');
INSERT INTO "events" VALUES(6,'2026-11-26T18:13:11.415547+00:00','batch-1','ingested','{"rows":10,"start":"received"}','a2ba43c3c2e293c02058fc3f45c8de2a249862a0e0531eab1afbfd921a28f2e8','63aa3cdad5b02123fe287044e520be80cf2518793d9bf7f7b28bf5392d258016');
INSERT INTO "events" VALUES(7,'2026-11-26T18:13:11.435402+00:00','batch-1','matched','{"rows":10,"start":"ingested"}','63aa3cdad5b02123fe287044e520be80cf2518793d9bf7f7b28bf5392d258016','bcd146a6d650f689bd667171548f5ddc98e2ea216ed46ab8a6ca98b9728a5d42');
INSERT INTO "events" VALUES(8,'2026-11-26T18:13:11.456909+00:00','batch-1','validated','{"rows":10,"start":"matched"}','bcd146a6d650f689bd667171548f5ddc98e2ea216ed46ab8a6ca98b9728a5d42','739711a68949f5e997995c88826c64b5c3a504de6ff5c480b12b6bede90e8898');
INSERT INTO "events" VALUES(9,'2026-11-26T18:13:11.480582+00:00','batch-1','sealed','{"rows":10,"start":"validated"}','739711a68949f5e997995c88826c64b5c3a504de6ff5c480b12b6bede90e8898','0affe942669e4eacdb1b64a7dd9a45c6a3a748297906c3ac90377359303a3cf6');
INSERT INTO "events" VALUES(10,'2026-11-26T18:13:11.512287+00:00','batch-1','tries','{"rows":2}','0affe942669e4eacdb1b64a7dd9a45c6a3a748297906c3ac90377359303a3cf6','67e84be49830abd32b2bf6bdea010cbfd9201a408123d3db7776222627c3caae');
INSERT INTO "events" VALUES(11,'2026-11-26T18:13:11.591931+00:00','batch-1','prepared','{"claims":"211a9ae675cc4fb2a57a38d907dab3fd407a916248ea924121d6e1513dff4e8b","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","package":"7d5f56c15af9cb77d9726555ef7bc7ee0379b547515f00031b5284a2329984c4","rows":2,"start":"sealed"}','67e84be49830abd32b2bf6bdea010cbfd9201a408123d3db7776222627c3caae','48ee31bdc00427c233456448ba1048c757d77c58debed8d4cd7b760d091188a2');
INSERT INTO "events" VALUES(12,'2026-11-26T18:13:11.667586+00:00','batch-1','published','{"package":"7d5f56c15af9cb77d9726555ef7bc7ee0379b547515f00031b5284a2329984c4","start":"prepared"}','48ee31bdc00427c233456448ba1048c757d77c58debed8d4cd7b760d091188a2','b1df9a552e0904183c6b122e926709167831054db59dd9e998342a01f185ff44');
INSERT INTO "events" VALUES(13,'2026-11-26T18:13:11.693816+00:00','batch-2','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"280d89f4b7d66d4d75f007ede05ec1de4724b6f7a6f2d50d9639fac116b0e46a"}','b1df9a552e0904183c6b122e926709167831054db59dd9e998342a01f185ff44','9b083923c6d18af6d71ec9b01fdbc13f9f27df860773b3d0b6a07fce8934ac2c');
INSERT INTO "events" VALUES(14,'2026-11-26T18:13:11.716685+00:00','batch-2','ingested','{"rows":10,"start":"received"}','9b083923c6d18af6d71ec9b01fdbc13f9f27df860773b3d0b6a07fce8934ac2c','b6a206eef6d54b496a1a8d0e23bc008fe33ed6e2acc204cc6483ecf3ef49736b');
INSERT INTO "events" VALUES(15,'2026-11-26T18:13:11.732325+00:00','batch-2','matched','{"rows":10,"start":"ingested"}','b6a206eef6d54b496a1a8d0e23bc008fe33ed6e2acc204cc6483ecf3ef49736b','aad3350f9a448f65949b335b61471c7ac640b31f58996741bbc9b39e2da66e3b');
INSERT INTO "events" VALUES(16,'2026-11-26T18:13:11.749600+00:00','batch-2','validated','{"rows":10,"start":"matched"}','aad3350f9a448f65949b335b61471c7ac640b31f58996741bbc9b39e2da66e3b','544d9d6a78aba0a958277acc86a8872e6a4f21ecaf36b0c99d6d5333d67f50e8');
INSERT INTO "events" VALUES(17,'2026-11-26T18:13:11.781949+00:00','batch-2','sealed','{"rows":10,"start":"validated"}','544d9d6a78aba0a958277acc86a8872e6a4f21ecaf36b0c99d6d5333d67f50e8','bc3d4367abeadde4d08703b1bec5c52816c4377c056a58e510fce0de1d920a65');
INSERT INTO "events" VALUES(18,'2026-11-26T18:13:11.808533+00:00','batch-2','tries','{"rows":2}','bc3d4367abeadde4d08703b1bec5c52816c4377c056a58e510fce0de1d920a65','ccc3bd808ccf9042acb5dfe8dfd1822226f9e3e2e2fd1e1ee1f8ce7d2b5a2865');
INSERT INTO "events" VALUES(19,'2026-11-26T18:13:11.878279+00:00','batch-2','prepared','{"claims":"48ed686381b75089f6bd0d45a3e1786cdbc60c0d8cfaab4498bb5b0c2cb99a1f","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","merkle_root":"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","package":"ff082b38751cb017cdce7b704a0268536818a4d93f3d44a20ccebd5644505057","rows":2,"start":"sealed"}','ccc3bd808ccf9042acb5dfe8dfd1822226f9e3e2e2fd1e1ee1f8ce7d2b5a2865','22fc81da6a399f5653027f9108804ce549839bb40a45b2c96320babc1997700f');
INSERT INTO "events" VALUES(20,'2026-11-26T18:13:12.005296+00:00','batch-2','published','{"package":"ff082b38751cb017cdce7b704a0268536818a4d93f3d44a20ccebd5644505057","start":"prepared"}','22fc81da6a399f5653027f9108804ce549839bb40a45b2c96320babc1997700f','c40c43c41f0806100c71f03345be89eadb91a0b794773d9cd309c298668ebea0');
INSERT INTO "events" VALUES(21,'2026-11-26T18:13:12.024849+00:00','held','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"c20dea4d876b5b8fb0a1814b43017030cea6d4ac30b2d9ae71b404d2faba49b5"}','c40c43c41f0806100c71f03345be89eadb91a0b794773d9cd309c298668ebea0','b1c172a548253ae7c3cabf6cfdd0d19a7ba05ec55cd0fcb57f9b76a36b334c73');
INSERT INTO "events" VALUES(22,'2026-11-26T18:13:12.041159+00:00','rejected','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"20cd938a2ea64f612b3523bc9219130c6fc66cd09b394ea38437488c0b8898b2"}','b1c172a548253ae7c3cabf6cfdd0d19a7ba05ec55cd0fcb57f9b76a36b334c73','758368438df45c599bf9360a8785daf9adcbd37e2da8e188aeac2800bec9cb1f');
INSERT INTO "events" VALUES(23,'2026-11-26T18:13:12.052429+00:00','refused','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"83c874d33e8bff73caaa762c79cd1ed101d727c7f20fe4972c67e67978292f23"}','758368438df45c599bf9360a8785daf9adcbd37e2da8e188aeac2800bec9cb1f','a8750deb6879147db81524b4ddaa263dfd19d92da15bd7f5612dbd81ba6dd89d');
INSERT INTO "events" VALUES(24,'2026-11-26T18:13:12.069039+00:00','failed','received','{"agreement":"mou","decided_on":20260302,"instruments":["e45f2c548199501355ec0c152eec188084465b662bbb06f22fb762b6cef1122c"],"register":"register-7","requester":"agency","rows":10,"submission":"5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826"}','a8750deb6879147db81524b4ddaa263dfd19d92da15bd7f5612dbd81ba6dd89d','05a38bc473cb249f8c185d3cd332a07dab94ff7fb421a9ca361a9116879b4ad8');
INSERT INTO "events" VALUES(25,'2026-11-26T18:13:12.080286+00:00','refused','refused','{"cites":["mou"],"codes":["COURT_ORDER"],"start":"received"}','05a38bc473cb249f8c185d3cd332a07dab94ff7fb421a9ca361a9116879b4ad8','38ed3c68638e168512b9bb78360b21be076e9daf25c6f1073742b42aafc8dce0');
INSERT INTO "events" VALUES(26,'2026-11-26T18:13:12.097582+00:00','failed','failed','{"start":"received"}','38ed3c68638e168512b9bb78360b21be076e9daf25c6f1073742b42aafc8dce0','99294a76b0350d57b9e77c710636976b28f64f437424d794a6996641b7688c3c');
INSERT INTO "events" VALUES(27,'2026-11-26T18:13:12.113354+00:00','held','held','{"checkpoint":"intake","codes":["TOO_MANY_INCOMPLETE"],"content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","start":"received"}','99294a76b0350d57b9e77c710636976b28f64f437424d794a6996641b7688c3c','5c73c5c7d82f7af091a210ff7cf67daf874fe6926b753b3533ae47bc4b103237');
INSERT INTO "events" VALUES(28,'2026-11-26T18:13:12.136347+00:00','rejected','held','{"checkpoint":"intake","codes":["TOO_MANY_INCOMPLETE"],"content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","start":"received"}','5c73c5c7d82f7af091a210ff7cf67daf874fe6926b753b3533ae47bc4b103237','6ac5d1bea97d512856ce318a16b0553509ee0ee2deeec6e4421dba63aacdee1f');
INSERT INTO "events" VALUES(29,'2026-11-26T18:13:12.172285+00:00','held','decision','{"by":"ada","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"drop","hold":27,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"incomplete_rows","signature":"4cd53795f7c3a23926c4b26ae48b1cb6c9b0fae8e66f256f356be25375543034"}','6ac5d1bea97d512856ce318a16b0553509ee0ee2deeec6e4421dba63aacdee1f','bce7c21c72a12c97203f8658d8919d6bb9dd78b3f08bb0f3788ab366bb62bb1a');
INSERT INTO "events" VALUES(30,'2026-11-26T18:13:12.194305+00:00','rejected','decision','{"by":"ada","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"reject","hold":28,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"incomplete_rows","signature":"b4dcad0b09439c223d63af1863954826b04368fec32db5aa1153a809743fd1d5"}','bce7c21c72a12c97203f8658d8919d6bb9dd78b3f08bb0f3788ab366bb62bb1a','9434b5b688254da2f0925e3ee0dcd5b2bc1db3ad69a93a0426a00bd60a9124c9');
INSERT INTO "events" VALUES(31,'2026-11-26T18:13:12.201821+00:00','rejected','rejected','{"checkpoint":"intake","content_digest":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","decision":"reject","start":"held"}','9434b5b688254da2f0925e3ee0dcd5b2bc1db3ad69a93a0426a00bd60a9124c9','daf7ff66a0b3bf277fc2fbb049ec047d2359774c453e1b2871a30254ee524449');
INSERT INTO "events" VALUES(32,'2026-11-26T18:13:12.216270+00:00',NULL,'halt','{"by":"ada","reason":"suspected_fault"}','daf7ff66a0b3bf277fc2fbb049ec047d2359774c453e1b2871a30254ee524449','f8b6b6167eae4697a5516c7e5117ff9af0b8558a91ae20f97c4ddec005346de4');
INSERT INTO "events" VALUES(33,'2026-11-26T18:13:12.246382+00:00',NULL,'decision','{"by":"ada","content_digest":null,"decision":"resume","hold":32,"key":"d7c5f450dd85db4a0225f56cbaf2e3dd9829548c6d35e2a9b82228d6ffb83dd7","reason":"cause_mended","signature":"a0e6dbb72e1a92cf7261b9df72d0e91502ee7c334bc42a98cc91ae4e1458b986"}','f8b6b6167eae4697a5516c7e5117ff9af0b8558a91ae20f97c4ddec005346de4','1653f961c1933ae7337d23c4cca4bd925e6122cd48f06a82b39748d276224f58');
INSERT INTO "events" VALUES(34,'2026-11-26T18:13:12.273505+00:00',NULL,'decision','{"by":"ben","content_digest":null,"decision":"resume","hold":32,"key":"99997b753a79262d0c4dc7d41c660867adf6c7af0de806c788b75a650f8aea4c","reason":"cause_mended","signature":"1b2db8d59aaf37c1154ec1a4aecdbea7e499f1fb1205b57c35e5aec5cb5a2ee1"}','1653f961c1933ae7337d23c4cca4bd925e6122cd48f06a82b39748d276224f58','07a8750f09fb1c21969009d6b3d7af6955e2a19e14ce6cfa5ae597aa734228d5');
INSERT INTO "events" VALUES(35,'2026-11-26T18:13:12.276325+00:00',NULL,'resumed','{"halt":32}','07a8750f09fb1c21969009d6b3d7af6955e2a19e14ce6cfa5ae597aa734228d5','3b8dea43e7de4e5b9a8489b2a1a1909935414a46c3a3fd1c1c91993353e09a50');
CREATE TABLE halts (
	seq BIGINT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	operator VARCHAR(64) NOT NULL, 
	reason VARCHAR(64) NOT NULL, 
	resumed_at VARCHAR(32), 
	PRIMARY KEY (seq)
);
INSERT INTO "halts" VALUES(32,'2026-11-26T18:13:12.217274+00:00','ada','suspected_fault','2026-11-26T18:13:12.274790+00:00');
CREATE TABLE instruments (
	seq BIGINT NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	enrolled_at VARCHAR(32) NOT NULL, 
	enrolled_by TEXT NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "instruments" VALUES(4,'order-1','77e1ce6aa2910541f67935a093cc6bb6639cdc88f19d86d5c4d3f62c7cba4a3c','court_order','2026-11-26T18:13:11.344811+00:00','["ada", "ben"]',X'0A6B696E64203D2022636F7572745F6F72646572220A6964203D20226F726465722D31220A636F757274203D2022442E2054657374220A646F636B6574203D2022313A32362D63762D31220A7469746C65203D202253746179220A736F75726365203D20226D616465207570220A6566666563746976655F6F6E203D20323032362D30312D30310A656666656374203D2022666F72626964220A73636F7065203D207B7D0A');
CREATE TABLE operators (
	name VARCHAR(64) NOT NULL, 
	key_line TEXT NOT NULL, 
	enrolled_at VARCHAR(32) NOT NULL, 
	revoked_at VARCHAR(32), 
	PRIMARY KEY (name), 
	UNIQUE (key_line)
);
INSERT INTO "operators" VALUES('ada','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAR7azn3b6ANXoLWqDDDm25YgPTNjLY9tDZGZckLhRsM','2026-11-26T18:13:11.245414+00:00',NULL);
INSERT INTO "operators" VALUES('ben','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICfMxw6yXEVx1zWIqbGy6OLSd8+IFsBT5MGRS8OVOHdQ','2026-11-26T18:13:11.289480+00:00',NULL);
INSERT INTO "operators" VALUES('cleo','ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICjRAACstKDZsHU5PXoLkIuk36MpRXBFx2f5nJsjKdGB','2026-11-26T18:13:11.312860+00:00',NULL);
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
CREATE INDEX ix_batches_state ON batches (state);
CREATE INDEX ix_events_batch ON events (batch);
CREATE INDEX ix_decisions_batch ON decisions (batch);
CREATE INDEX claims_of_batch ON claims (batch, request_key);
CREATE INDEX ix_instruments_id ON instruments (id);
COMMIT;
