"""No secret of the configuration in anything that a command prints, whichever way it is configured, and whatever goes
wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli import main
from tests.factories import installations

CANARY = "quxzaz-s3cret"
COMMANDS = (["config"], ["config", "--json"], ["doctor"], ["doctor", "--json"], ["status"], ["status", "--json"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installations.make(tmp_path_factory.mktemp("secrets") / "home").home.root


@pytest.mark.parametrize(
    "said",
    [
        f'ledger = "postgresql://user:{CANARY}@127.0.0.1:1/{CANARY}?password={CANARY}"',
        f'ledger = "postgresql://{CANARY}@db.localhost/x?sslmode=verify-full&sslrootcert=system&password={CANARY}"',
        f'ledger = "postgresql://u@db.localhost/x?sslmode=verify-full&sslrootcert=system&sslkey={CANARY}"',
        f'ledger = "{CANARY}"',
        f'ledger = {{ command = ["echo", "postgresql://u:{CANARY}@127.0.0.1:1/x"] }}',
        f'ledger = {{ command = ["false", "{CANARY}"] }}',
        f'ledger = {{ filed = "{CANARY}" }}',
        f'outbox = "s3://key:{CANARY}@bucket/x?secret={CANARY}"',
        f'notify.urls = ["json://127.0.0.1:1/{CANARY}", "nothing-{CANARY}"]\nnotify.ping = "ftp://{CANARY}"',
        f'console.oidc = {{ issuer = "http://localhost:1", client_id = "g", secret = "{CANARY}", amr = "{CANARY}" }}',
        f'console.oidc = {{ issuer = "https://u:{CANARY}@localhost", client_id = "g", secret = "{CANARY}" }}',
        f'notify.ping = "{CANARY}',
        f'notify = "{CANARY}"',
        f'runner = "{CANARY}"',
    ],
)
def test_no_command_prints_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    monkeypatch.setenv("SLUICEGATE_HOME", str(home))
    path = home / "sluicegate.toml"
    before = path.read_text()
    path.write_text(f"{before}\n{said}\n")
    try:
        ends = [main.run(command) for command in COMMANDS]
    finally:
        path.write_text(before)
    out, err = capsys.readouterr()
    assert CANARY not in out + err
    assert out + err and any(ends[2:])  # each of these settings is wrong, or leads nowhere


def test_whoever_grants_rights_prints_no_url(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for url in (
        f"postgresql://{CANARY}:{CANARY}@127.0.0.1:1/{CANARY}",
        CANARY,
        f"postgresql://{CANARY}@db.localhost/x",
    ):
        monkeypatch.setenv("SLUICEGATE_LEDGER", url)
        assert main.run(["ledger", "grant", "--batches", "gate", "--console", "desk"]) != 0
    out, err = capsys.readouterr()
    assert err and CANARY not in out + err
