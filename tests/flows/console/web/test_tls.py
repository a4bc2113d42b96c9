"""What the console serves TLS with: which suites, which keys, whose certificates."""

from __future__ import annotations

import datetime as dt
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from expectations.base.errors import Usage
from flows.console.web import tls
from flows.console.web.place import Place
from flows.console.web.watch import Watch
from flows.home.config import Config
from flows.home.tree import Home
from tests.factories import certificates

AUTHORITY = certificates.authority()


def place(folder: Path, host: str = "localhost", **more: object) -> Place:
    said = {"origin": f"https://{host}:8765", "certificate": "gate.pem", "key": "gate.key", **more}
    return Place.of(Home(folder, Config.model_validate({"console": said})))


def greet(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """The client's side, once both have greeted; raises SSLError if they do not agree."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours, theirs = server.wrap_bio(there, back, server_side=True), client.wrap_bio(back, there)
    for _ in range(10):
        for side in (theirs, ours):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return theirs


def client(**settings: object) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_ciphers("ALL:@SECLEVEL=0")
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def test_only_suites_that_encrypt_and_authenticate_in_one_step_with_fresh_keys(tmp_path: Path) -> None:
    certificates.put(tmp_path, certificates.own("localhost"))
    made = tls.context(place(tmp_path))
    offered = made.get_ciphers()
    assert {one["protocol"] for one in offered} == {"TLSv1.2", "TLSv1.3"}
    assert all(one["aead"] and one["strength_bits"] >= 128 for one in offered)
    assert all(one["name"].startswith(("ECDHE-", "TLS_")) for one in offered)
    assert "256" in offered[0]["name"]  # the strongest first
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        agreed = greet(made, client(maximum_version=newest)).cipher()
        assert agreed and ("GCM" in agreed[0] or "CHACHA20" in agreed[0])
    for suites in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256"):
        old = client(maximum_version=ssl.TLSVersion.TLSv1_2)
        old.set_ciphers(suites)
        with pytest.raises(ssl.SSLError):
            greet(made, old)


def test_nothing_older_than_tls_1_2(tmp_path: Path) -> None:
    certificates.put(tmp_path, certificates.own("localhost"))
    old = client()
    with pytest.warns(DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        greet(tls.context(place(tmp_path)), old)


def test_a_key_that_is_too_weak_is_not_taken(tmp_path: Path) -> None:
    certificates.put(tmp_path, certificates.own("localhost", certificates.weak_rsa()))
    with pytest.raises(Usage, match=r"CONSOLE_TLS_WEAK.*3072"):
        tls.context(place(tmp_path))


def test_what_is_no_certificate_or_no_key_is_said(tmp_path: Path) -> None:
    certificates.put(tmp_path, certificates.own("localhost"))
    for name, text in (("gate.key", "none"), ("gate.pem", "none"), ("gate.pem", None)):
        certificates.put(tmp_path, certificates.own("localhost"))
        (tmp_path / name).unlink() if text is None else (tmp_path / name).write_text(text)
        with pytest.raises(Usage, match="CONSOLE_TLS"):
            tls.context(place(tmp_path))


def test_a_key_that_everybody_can_read_is_not_taken(tmp_path: Path) -> None:
    certificates.put(tmp_path, certificates.own("localhost"))
    (tmp_path / "gate.key").chmod(0o644)
    with pytest.raises(Usage, match="SECRET_EXPOSED"):
        tls.context(place(tmp_path))


@pytest.mark.parametrize("how", ["credential", "command"])
def test_the_key_may_come_from_systemd_or_from_a_vault(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.put(tmp_path, certificates.own("localhost"))
    (tmp_path / "gate.key").rename(tmp_path / "kept")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    key = {"credential": "kept"} if how == "credential" else {"command": ["cat", str(tmp_path / "kept")]}
    assert greet(tls.context(place(tmp_path, key=key)), client()).cipher()


def test_beyond_localhost_browsers_must_trust_the_certificate(tmp_path: Path) -> None:
    host = "gate.example.org"
    certificates.put(tmp_path, AUTHORITY, name="authority")
    certificates.put(tmp_path, certificates.signed(host, AUTHORITY))
    own = place(tmp_path, host, authority="authority.pem")
    assert greet(tls.context(own), client()).cipher()
    with pytest.raises(Usage, match="CONSOLE_TLS_UNTRUSTED"):  # this machine knows no such authority
        tls.context(place(tmp_path, host))
    wrong = [
        (certificates.own(host), "self-signed"),
        (certificates.signed("other.example.org", AUTHORITY), "mismatch"),
        (certificates.signed(host, AUTHORITY, days=-1), "expired"),
        (certificates.signed(host, certificates.authority()), "signature failure|unable to get"),
    ]
    for made, why in wrong:
        certificates.put(tmp_path, made)
        with pytest.raises(Usage, match=f"(?i)CONSOLE_TLS_UNTRUSTED.*({why})"):
            tls.context(own)


def test_a_certificate_that_soon_ends_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for days, said in ((40, ""), (20, "console: the certificate ends in 19 days\n")):
        certificates.put(tmp_path, certificates.own("localhost", days=days))
        tls.soon_over(place(tmp_path), dt.datetime.now(dt.UTC))
        assert capfd.readouterr().err == said


def test_a_handshake_that_fails_is_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    certificates.put(tmp_path, certificates.own("localhost"))
    watch = Watch()
    made = tls.watched(tls.context(place(tmp_path)), watch)
    greet(made, client())
    watch.write()
    assert capfd.readouterr().err == ""
    old = client(maximum_version=ssl.TLSVersion.TLSv1_2)
    old.set_ciphers("ECDHE-ECDSA-AES256-SHA")
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            greet(made, old)
    watch.write()
    assert capfd.readouterr().err == "console: a TLS handshake that failed: 2\n"


def test_openssl_reads_the_suites_as_we_do() -> None:
    listed = subprocess.run(["openssl", "ciphers", "-v", tls.SUITES], capture_output=True, text=True, check=True)
    assert {line.split("Mac=")[1].strip() for line in listed.stdout.splitlines()} == {"AEAD"}
