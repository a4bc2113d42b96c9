"""The small commands, in this process: schema, doctor, init, instruments, gates, and how a command line ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from expectations.base.errors import Usage
from expectations.rules.book import every_rule
from expectations.suites.selftest import SUITES, Proof, selftest
from flows.cli import main
from flows.reports import Format, render
from flows.reports.schemas import NAMES
from pipelines.lake.runner import Runner, options
from pipelines.simulate.profiles import PROFILES, Kind
from tests.factories import installations
from tests.factories.installations import Installation
from tests.flows.conftest import Run

ORDERS = {"stay-2025-11-21-ddc", "injunction-2026-02-05-dmass"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounting", "person", "3", "--reason", "Zebulon Quartermain"),
        ("accounting", "person", "3", "--reason=Zebulon Quartermain"),
        ("accounting", "person", "3", "Zebulon", "Quartermain", "--reason", "person_asks", "--key", "none"),
        ("console", "--port", "Zebulon Quartermain"),
        ("review", "decide", "b-1", "Zebulon Quartermain", "--key", "none"),
        ("Zebulon Quartermain",),
        ("review", "Zebulon Quartermain"),
    ],
    ids=" ".join,
)
def test_a_name_in_the_wrong_place_is_not_printed_again(command: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = command(*arguments)
    assert code == Usage.exit_code and "Quartermain" not in out + err and "Zebulon" not in out + err
    assert "Error" in err


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_shown_for_people_and_as_json_schema(command: Run, name: str) -> None:
    code, out, _ = command("schema", name)
    assert code == 0 and out.startswith(name)
    code, out, _ = command("schema", name, "--json")
    assert code == 0
    described = json.loads(out)
    assert described["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"] and described["title"] == name
    jsonschema.Draft202012Validator.check_schema(described)
    assert described["properties"]
    with pytest.raises(jsonschema.ValidationError):  # a schema that lets anything through describes nothing
        jsonschema.validate({"no such field": 1}, described)


def test_the_request_schema_takes_a_request_and_nothing_else(command: Run) -> None:
    described = json.loads(command("schema", "request", "--json")[1])
    good = installations.request(1)
    jsonschema.validate(good, described)
    for spoiled in ({**good, "zip": 95814}, {**good, "salary": "1"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoiled, described)


def test_schema_lists_its_names_and_knows_no_other(command: Run) -> None:
    assert command("schema")[1].split() == list(NAMES)
    code, _, err = command("schema", "salary")
    assert code == 2 and NAMES[0] in err


def test_rules_are_shown_for_people_and_as_json(command: Run) -> None:
    code, out, _ = command("rules", "--json")
    listed = {rule["id"]: rule for rule in json.loads(out)}
    assert code == 0 and set(listed) == {rule.id for rule in every_rule()}
    elapsed = listed["usc_8_1253.days_elapsed"]
    assert (elapsed["severity"], elapsed["shown"], elapsed["source"]) == (
        "hold the row",
        "FINAL_ORDER_TOO_RECENT",
        "holder's policy: 8 USC 1253(a)(1)(A)",
    )
    assert {rule["shown"] for rule in listed.values() if rule["phase"] == "register"} == {"NOT_CONFIRMED"}
    assert all(all(rule.values()) for rule in listed.values())
    code, out, _ = command("rules")
    assert code == 0 and out.startswith("Rules")


def test_doctor_says_how_to_begin_where_there_is_no_home(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "nowhere"))
    code, out, _ = command("doctor")
    assert code == 1
    assert "fail " in out and "sluicegate init" in out
    findings = json.loads(command("doctor", "--json")[1])
    assert all(f["remedy"] for f in findings if f["level"] != "ok")


def test_doctor_finds_nothing_that_would_fail_in_a_good_sandbox(command: Run, installation: Installation) -> None:
    code, out, _ = command("doctor")
    assert code == 0
    assert not [line for line in out.splitlines() if line.startswith("fail")], out
    assert "key hash" in out and "6 instruments" in out


def test_doctor_fails_a_key_that_others_can_read(command: Run, installation: Installation) -> None:
    key = installation.home.keys / "hash"
    key.chmod(0o644)
    try:
        code, out, _ = command("doctor")
    finally:
        key.chmod(0o600)
    assert code == 1
    assert "chmod 600" in out.split("key hash:")[1]


def test_doctor_names_a_folder_that_is_gone_and_one_that_is_open(command: Run, installation: Installation) -> None:
    (installation.home.root / "evidence").rmdir()
    installation.home.outbox.chmod(0o755)
    code, out, _ = command("doctor")
    assert code == 1 and "evidence is missing" in out and "outbox is open to others" in out
    assert command("init", "--sandbox")[0] == 0  # the remedy
    assert command("doctor")[0] == 0


@pytest.mark.parametrize(
    ("day", "in_force"),
    [("2025-11-20", set()), ("2025-11-21", {"stay-2025-11-21-ddc"}), ("2026-02-05", ORDERS)],
)
def test_court_orders_are_in_force_from_their_day(
    command: Run, installation: Installation, day: str, in_force: set[str]
) -> None:
    code, out, _ = command("instruments", "list", "--on", day, "--json")
    assert code == 0
    shown = {i["id"]: i["in force"] for i in json.loads(out)}
    assert set(shown) >= ORDERS
    assert {name for name in ORDERS if shown[name] is True} == in_force
    assert "stay-2025-11-21-ddc" in command("instruments", "list", "--on", day)[1]


def test_init_again_changes_nothing(command: Run, installation: Installation) -> None:
    keys = [path for path in installation.home.keys.rglob("*") if path.is_file()]
    kept = {path: path.read_bytes() for path in [*keys, installation.home.root / "sluicegate.toml"]}
    before = command("instruments", "list", "--json")[1]
    assert command("init", "--sandbox")[0] == 0
    assert {p: p.read_bytes() for p in kept} == kept
    assert command("instruments", "list", "--json")[1] == before
    assert command("ledger", "verify")[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        "no-such-command",
        "run",
        "run x --runner",
        "run x --runner spark",
        "watch --at-once 0",
        "instruments list --on tomorrow",
        "review decide b-1 shrug --key k",
        "run no-such-batch",
        "simulate batch --register r --rows 0 --out o",
    ],
)
def test_a_wrong_command_line_is_usage(command: Run, installation: Installation, line: str) -> None:
    code, out, err = command(*line.split())
    assert (code, out) == (2, "")
    assert err.strip() and "Traceback" not in err


def test_a_command_that_is_interrupted_says_how_to_go_on(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.operations.doctor.examine", interrupted)
    code, out, err = command("doctor")
    assert (code, out) == (1, "") and "run the same command again" in err


def every_command(whole: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that name each command, and each group of them."""
    yield path
    for name, one in getattr(whole, "commands", {}).items():
        yield from every_command(one, (*path, name))


@pytest.mark.parametrize("words", list(every_command(typer.main.get_command(main.app))), ids=" ".join)
def test_every_command_explains_itself_in_80_columns(
    command: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = command(*words, "--help")
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if line.strip()]
    assert lines[0].startswith(" ".join((" Usage: sluicegate", *words)))
    assert lines[1][1:2].isupper(), "a sentence says what it does"
    assert max(map(len, lines)) <= 80


def test_help_groups_the_commands(command: Run) -> None:
    out = command("--help")[1]
    assert [heading for heading in main.COMMANDS if heading not in out] == []
    assert "selftest" not in out and "nightly" in out


def test_the_version_is_the_package_s(command: Run) -> None:
    assert command("--version") == (0, f"sluicegate {metadata.version('sluicegate')}\n", "")


@pytest.fixture
def any_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Typer's options of shell completion take the name of a shell, and do not look which one runs the tests."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    main.command.cache_clear()
    yield
    main.command.cache_clear()


@pytest.mark.usefixtures("any_shell")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_a_shell_is_shown_and_knows_the_commands(
    command: Run, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    code, script, _ = command("--show-completion", shell)
    assert code == 0 and f"_SLUICEGATE_COMPLETE=complete_{shell}" in script
    for typed, offered in (("rev", ["review"]), ("review decide b-1 dr", ["drop"])):
        words = f"sluicegate {typed}"
        monkeypatch.setenv("_SLUICEGATE_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("COMP_WORDS", words)  # bash
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", words)  # the others
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        code, out, _ = command()
        assert code == 0 and all(name in out for name in offered) and "status" not in out


@pytest.mark.usefixtures("any_shell")
def test_completion_is_installed_for_the_shell_of_the_person(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    code, out, _ = command("--install-completion", "bash")
    assert code == 0 and "bash completion installed" in out
    assert "bash_completions/sluicegate.sh" in (tmp_path / ".bashrc").read_text()


def test_each_kind_of_made_up_batch_has_its_proportions() -> None:
    assert list(PROFILES) == list(Kind)


def test_each_format_of_a_report_has_its_templates() -> None:
    for form in set(Format) - {Format.JSON}:
        for report in ("annual", "declaration"):
            assert Path(render.__file__).with_name(f"{report}.{form}").is_file()


def test_each_runner_has_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_FLINK_JOB_ENDPOINT", "localhost:8081")
    for which in Runner:
        assert options(which).get_all_options()["runner"]
    with pytest.raises(Usage, match=r"UNKNOWN_RUNNER.*embedded, flink"):
        options("spark")


def test_an_unexpected_exception_shows_type_and_place_but_not_its_text(
    command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def broken() -> None:
        raise ValueError("secret")

    monkeypatch.setattr(main, "command", lambda: typer.main.get_command(app))
    code, out, err = command()
    assert (code, out) == (1, "")
    assert "ValueError at test_cli.py:" in err
    assert "secret" not in err


def test_the_selftest_prints_one_line_a_rule(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = selftest(SUITES[1:2])  # all four: tests/expectations/suites/test_selftest.py
    assert len(proofs) > 3
    monkeypatch.setattr("expectations.suites.selftest.selftest", lambda: proofs)
    code, out, _ = command("gates", "selftest")
    assert code == 0
    assert out.splitlines() == [f"{p.suite} {p.rule} ok" for p in proofs]


@pytest.mark.parametrize("proofs", [[], [Proof("intake", "good", True), Proof("intake", "blind", False)]])
def test_the_selftest_fails_if_a_gate_does_not_or_if_there_is_none(
    command: Run, monkeypatch: pytest.MonkeyPatch, proofs: list[Proof]
) -> None:
    monkeypatch.setattr("expectations.suites.selftest.selftest", lambda: proofs)
    code, out, _ = command("gates", "selftest")
    assert code == 1
    assert ("intake blind NOT CAUGHT" in out) == bool(proofs)
    assert command("gates", "selftest", "--json")[0] == 1
