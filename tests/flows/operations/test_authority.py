"""The small authority of the Compose file: what it makes, when it makes it again, and who can read it."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from expectations.base.clock import Clock
from flows.cli.main import run
from flows.operations.authority import AUTHORITY, OWN, TRUSTED, renew

NAMES = ["gate-owner", "gate"]


def test_each_has_a_certificate_of_one_authority_and_no_other_key(tmp_path: Path) -> None:
    now = Clock().now()
    assert renew(tmp_path, "postgres", NAMES, now) == [AUTHORITY, "postgres", *NAMES]
    authority = x509.load_pem_x509_certificate((tmp_path / AUTHORITY / OWN).read_bytes())
    for name in ("postgres", *NAMES):
        folder = tmp_path / name
        assert sorted(path.name for path in folder.iterdir()) == [TRUSTED, OWN]
        assert (folder / OWN).stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
        x509.load_pem_x509_certificate((folder / OWN).read_bytes()).verify_directly_issued_by(authority)
        assert "PRIVATE" not in (folder / TRUSTED).read_text()
        purpose = "sslserver" if name == "postgres" else "sslclient"
        trusted, own = str(folder / TRUSTED), str(folder / OWN)
        command = ["openssl", "verify", "-x509_strict", "-CAfile", trusted, "-purpose", purpose, own]
        assert subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("later", "again"),
    [
        (timedelta(days=2), []),
        (timedelta(days=3), NAMES),
        (timedelta(days=122), ["postgres", *NAMES]),
        (timedelta(days=1217), [AUTHORITY, "postgres", *NAMES]),
        (timedelta(days=-1), [AUTHORITY, "postgres", *NAMES]),  # a clock that was wrong when they were made
    ],
)
def test_they_are_made_again_when_a_third_of_their_time_is_over(
    tmp_path: Path, later: timedelta, again: list[str]
) -> None:
    now = Clock().now()
    renew(tmp_path, "postgres", NAMES, now)
    assert renew(tmp_path, "postgres", NAMES, now + later) == again
    assert renew(tmp_path, "postgres", NAMES, now + later) == []


def test_what_is_lost_or_broken_is_made_again_and_the_command_says_whose_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certificates", str(tmp_path), "--server", "postgres", "--client", "gate"]
    assert run(command) == 0 and len(capsys.readouterr().out.splitlines()) == 3
    (tmp_path / "gate" / OWN).write_text("not a certificate")
    assert run(command) == 0 and capsys.readouterr().out == "gate: a new certificate\n"
    (tmp_path / AUTHORITY / OWN).unlink()  # then nobody trusts the others
    assert run(command) == 0 and len(capsys.readouterr().out.splitlines()) == 3
