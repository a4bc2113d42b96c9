"""What `doctor` says of the services and the people that a home is connected to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.home.tree import Home
from flows.operations.doctor import examine
from flows.operations.findings import Finding
from tests.factories import installations
from tests.factories.receiver import receiver


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = installations.make(tmp_path_factory.mktemp("doctor") / "home").home
    with installations.at_home(made):
        yield made


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def found(word: str, home: Home, serving: str | None = None) -> list[tuple[str, str]]:
    findings: list[Finding] = examine(lambda _: serving)
    assert all(one.remedy for one in findings if one.level != "ok")
    return [(one.level, one.what) for one in findings if word in one.what]


def test_a_prefect_server_answers_or_does_not(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("Prefect server", home) == [("ok", "Prefect server: a temporary one for each run")]
    with receiver() as one:
        url = f"http://127.0.0.1:{one.port}/api"
        assert found("Prefect server", home, url) == [("ok", "Prefect server: it answers")]
        one.status = 500
        assert found("Prefect server", home, url) == [("fail", "Prefect server: it does not answer")]
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert found("Prefect server", home) == [("fail", "Prefect server: it does not answer")]
    assert {path for _, path, _ in one.got} == {"/api/health", "/api/admin/version"}


def test_whoever_gets_word_is_counted_and_not_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_SANDBOX", "false")
    assert [level for level, _ in found("night", home)] == ["warn", "warn"]
    with receiver() as one:
        monkeypatch.setenv("SLUICEGATE_NOTIFY__URLS", f'["json://127.0.0.1:{one.port}/a", "json://127.0.0.1:1/b"]')
        monkeypatch.setenv("SLUICEGATE_NOTIFY__PING", f"http://127.0.0.1:{one.port}/night")
        assert found("after", home) == [
            ("ok", "2 addresses get word after a night"),
            ("ok", "an address is called after each night"),
        ]
    assert one.got == []
    monkeypatch.setenv("SLUICEGATE_NOTIFY__PING", '{ file = "/none" }')
    assert found("notify", home) == [("fail", "notify.ping: its place cannot be read: file /none")]


def test_whether_the_secret_for_a_provider_can_be_read_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("provider", home) == []
    monkeypatch.setenv("SLUICEGATE_CONSOLE__OIDC__ISSUER", "https://id.example.org")
    monkeypatch.setenv("SLUICEGATE_CONSOLE__OIDC__CLIENT_ID", "gate")
    assert found("secret", home) == [("ok", "it is asked without a secret")]
    monkeypatch.setenv("SLUICEGATE_CONSOLE__OIDC__SECRET", "s3cret")
    assert found("secret", home) == [("ok", "the secret for it can be read")]
    monkeypatch.setenv("SLUICEGATE_CONSOLE__OIDC__SECRET", '{ file = "/none" }')
    assert found("secret", home) == [("fail", "console.oidc.secret: its place cannot be read: file /none")]


def test_a_ledger_out_of_reach_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("ledger can", home) == [("ok", "the ledger can be opened (sqlite)")]
    monkeypatch.setenv("SLUICEGATE_LEDGER", "postgresql://nobody:s3cret@127.0.0.1:1/none")
    ((level, what),) = found("ledger can", home)
    assert level == "fail" and "out of reach" in what


def test_a_home_that_others_can_enter_is_said(home: Home) -> None:
    home.root.chmod(0o755)
    assert ("fail", "the home is closed to others") not in found("home", home)
    assert ("fail", "the home is open to others") in found("home", home)
    home.root.chmod(0o700)
    assert ("ok", "the home is closed to others") in found("home", home)


def test_a_file_with_a_secret_that_everybody_can_read_is_said(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger").write_text(home.ledger_url)
    (tmp_path / "ledger").chmod(0o644)
    monkeypatch.setenv("SLUICEGATE_LEDGER", f'{{ file = "{tmp_path}/ledger" }}')
    ((level, what),) = found("everybody", home)
    assert level == "fail" and what.startswith("the ledger cannot be opened")
    (tmp_path / "ledger").chmod(0o600)
    assert found("ledger can", home) == [("ok", "the ledger can be opened (sqlite)")]
