"""The configuration: from the file, from the environment, and what is said of what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from expectations.base.errors import Usage
from flows.cli import main
from flows.home.config import KEYS, VARIABLES, Config, read
from flows.home.tree import open_home
from tests.factories.paths import DOCS

FILE = """# a comment
part_rows = 10
signed_heads = [
  "/a",  # ledger = "this is none"
  "/b",
]
ledger = { env = "LEDGER_URL" }

[notify]
ping = "https://example.org/ping"
"""
# a value of each key that is not its default, as it is written in a variable
OTHER = {
    "register_folder": "/srv/extracts",
    "inbox": "/srv/in",
    "outbox": '"s3://bucket/prefix"',
    "instruments": "law",
    "keys": "/etc/keys",
    "holder.hash": '{ credential = "hash" }',
    "holder.signing": '{ command = ["vault", "read"] }',
    "holder.age": '{ file = "/run/secrets/age" }',
    "ledger": "postgresql+psycopg://host/ledger",
    "runner": "flink",
    "part_rows": "1000",
    "threads": "3",
    "memory": "8GB",
    "contact": "2026",
    "alert_hours": "24",
    "upload_hours": "48",
    "clock_skew": "9",
    "clock_leap": "60",
    "views_per_hour": "7",
    "signed_heads": '["/mnt/a", "/mnt/b"]',
    "recovery": '["age1one"]',
    "backups.folder": '"/mnt/backups"',
    "backups.hours": "48",
    "backups.keep": "7",
    "notify.urls": '[{ file = "/etc/addresses" }, "mailto://a@example.org"]',
    "notify.ping": '{ credential = "ping" }',
    "telemetry.otlp": "http://127.0.0.1:4318",
    "telemetry.headers": '{ authorization = { env = "OTLP_TOKEN" } }',
    "telemetry.prometheus_port": "9464",
    "lineage.url": "http://127.0.0.1:5000",
    "lineage.token": '{ env = "LINEAGE_TOKEN" }',
    "lineage.namespace": "other",
    "log.format": "json",
    "log.to": "https://logs.example.org",
    "log.headers": '{ authorization = { env = "LOG_TOKEN" } }',
    "log.authority": "/etc/logs.pem",
    "console.origin": "https://gate.example.org",
    "console.certificate": "/etc/tls/gate.pem",
    "console.key": '{ credential = "gate" }',
    "console.authority": "/etc/tls/authority.pem",
    "console.proxies": '["192.0.2.0/24"]',
    "console.reaches": '["keys.example.org"]',
    "console.pages_a_minute": "120",
    "console.idle_minutes": "15",
    "console.hours": "8",
    "console.sessions": "2",
    "console.leaked_passwords": "/srv/leaked.txt",
    "console.passwords": "false",
    "console.oidc.issuer": "https://id.example.org",
    "console.oidc.client_id": "gate",
    "console.oidc.secret": '{ credential = "oidc" }',
    "console.oidc.scopes": '["openid", "acr"]',
    "console.oidc.acr": '["phr"]',
    "console.oidc.amr": '["mfa"]',
    "console.oidc.max_minutes": "60",
    "console.oidc.label": "the office's account",
    "sandbox": "true",
}

SECRETS = {
    *("ledger", "notify.urls", "notify.ping"),
    *("telemetry.otlp", "telemetry.headers", "lineage.url", "lineage.token", "log.to", "log.headers"),
    "console.oidc.secret",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "sluicegate.toml"
    path.write_text(text)
    return path


def test_every_value_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_PART_ROWS", "20")
    config, said = read(written(tmp_path, FILE))
    assert (config.part_rows, config.signed_heads) == (20, ["/a", "/b"])
    assert {key: said.source(key) for key in ("part_rows", "signed_heads", "ledger", "notify.ping", "memory")} == {
        "part_rows": "SLUICEGATE_PART_ROWS",
        "signed_heads": "sluicegate.toml, line 3",
        "ledger": "sluicegate.toml, line 7",
        "notify.ping": "sluicegate.toml, line 10",
        "memory": "default",
    }


def test_every_key_has_a_variable_which_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert OTHER.keys() == KEYS.keys()
    default, _ = read(written(tmp_path, ""))
    assert default == Config(threads=1)  # which the tests set
    for variable, key in VARIABLES.items():
        monkeypatch.setenv(variable, OTHER[key])
    config, _ = read(written(tmp_path, FILE))
    assert all(getattr(config, name) != getattr(Config(), name) for name in Config.model_fields)
    assert (config.contact, config.runner, config.signed_heads) == ("2026", "flink", ["/mnt/a", "/mnt/b"])
    assert [one.place for one in config.notify.urls] == ["file /etc/addresses", ""]


def test_every_key_is_described_on_its_page() -> None:
    text = (DOCS / "home.md").read_text()
    assert [key for key in KEYS if f"`{key}`" not in text] == []


@pytest.mark.parametrize(
    ("text", "variables", "named"),
    [
        ("inbx = 1", {}, "no inbx (sluicegate.toml, line 1; did you mean inbox?)"),
        ("\n[notify]\n\npnig = 1", {}, "no notify.pnig (sluicegate.toml, line 4; did you mean notify.ping?)"),
        ("notify = 3", {}, "no notify (sluicegate.toml, line 1"),
        ("", {"SLUICEGATE_LEGER": "x"}, "no SLUICEGATE_LEGER (the environment; did you mean SLUICEGATE_LEDGER?)"),
        ("", {"SLUICEGATE_REGISTER": "x"}, "did you mean SLUICEGATE_REGISTER_FOLDER?"),
        ('"s3cret s3cret" = 1', {}, "no that key (sluicegate.toml, line 1)"),
        ("part_rows = 0", {}, "part_rows: Input should be greater than or equal to 1 (sluicegate.toml, line 1)"),
        (
            "",
            {"SLUICEGATE_THREADS": "s3cret"},
            "valid integer, unable to parse string as an integer (SLUICEGATE_THREADS",
        ),
        ('runner = "s3cret"', {}, "runner: Input should be 'embedded' or 'flink' (sluicegate.toml, line 1)"),
        ('ledger = { fil = "s3cret" }', {}, "ledger: write the secret itself, or one of { file ="),
        ('notify.ping = { file = "s3cret", env = "X" }', {}, "notify.ping: write the secret itself, or one of"),
        ('holder.hash = "s3cret"', {}, "holder.hash: a key never stands in the configuration itself: write one of {"),
        ("ledger = { command = [] }", {}, "ledger: Tuple should have at least 1 item"),
        ("notify.urls = 's3cret'", {}, "notify.urls: Input should be a valid list (sluicegate.toml, line 1)"),
        ('\nledger = "s3cret\n"', {}, "CONFIG_UNREADABLE: the configuration is not TOML (sluicegate.toml, line 2)"),
    ],
)
def test_what_is_wrong_is_named_and_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Usage) as error:
        read(written(tmp_path, text))
    assert named in str(error.value)
    assert "s3cret" not in f"{error.value!r} {error.value}" and error.value.__cause__ is None


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"part_rows: .*; clock_skew: .*line 2"):
        read(written(tmp_path, "part_rows = 0\nclock_skew = 90"))


def test_the_command_shows_what_is_in_force_in_80_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, FILE)
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SLUICEGATE_OUTBOX", "s3://key:s3cret@bucket/prefix")
    assert main.run(["config"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "env LEDGER_URL" in " ".join(shown.split()) and "example.org" not in shown
    assert main.run(["config", "--json"]) == 0
    listed = {one["key"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed.keys() == {"home", *KEYS}
    assert {key for key, one in listed.items() if one["secret"]} == SECRETS
    assert listed["notify.ping"] == {
        "key": "notify.ping",
        "value": "set",
        "source": "sluicegate.toml, line 10",
        "secret": True,
    }
    assert (listed["part_rows"]["value"], listed["ledger"]["value"]) == (10, "set")
    assert "s3cret" not in shown + json.dumps(listed)


def test_the_ledgers_address_is_read_from_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, FILE)
    monkeypatch.setenv("LEDGER_URL", "sqlite:///other.db")
    assert open_home(tmp_path).ledger_url == f"sqlite:///{tmp_path}/other.db"
    monkeypatch.delenv("LEDGER_URL")
    with pytest.raises(Usage, match=r"NO_SECRET: .*env LEDGER_URL \(ledger\)"):
        _ = open_home(tmp_path).ledger_url
