"""Instruments and operators on the command line: checked, signed, enrolled, shown, and what they leave possible on a
day."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base import signatures
from tests.factories import installations
from tests.factories.installations import Installation
from tests.flows.conftest import Run

ORDER = """
kind = "court_order"
id = "fields-2026"
court = "Court of Examples (fictional)"
docket = "1"
title = "Order (fictional)"
source = "fictional"
effective_on = 2026-03-01
effect = "restrict"
only = { fields = ["city", "zip"] }
scope = { agreements = ["sandbox-2026"] }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installations.make(tmp_path_factory.mktemp("home"))


@pytest.fixture
def here(made: Installation, tmp_path: Path) -> Iterator[Installation]:
    """A copy of a sandbox, so that what one test enrols is not there for another."""
    home = type(made.home)(tmp_path / "home", made.home.config)
    shutil.copytree(made.home.root, home.root)
    with installations.at_home(home):
        yield Installation(home, made.agreement)


def written(folder: Path, text: str = ORDER, name: str = "order.toml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def signed(command: Run, installation: Installation, file: str) -> list[str]:
    """Has both operators sign; the options that hand their signatures in."""
    for name in ("operator-1", "operator-2"):
        code, out, err = command("instruments", "sign", file, "--key", str(installation.home.keys / name))
        assert code == 0 and f"{file}.{name}.sig" in out.replace("\n", ""), err
    return [f"--signature={file}.{name}.sig" for name in ("operator-1", "operator-2")]


def test_two_operators_sign_a_file_and_it_counts(command: Run, here: Installation, tmp_path: Path) -> None:
    file = written(tmp_path)
    both = signed(command, here, file)
    assert command("instruments", "enrol", file, both[0])[0] == 2
    assert command("instruments", "enrol", file, both[0], both[0])[0] == 2
    assert command("instruments", "enrol", file, *both)[0] == 0
    assert command("ledger", "verify")[0] == 0
    shown = json.loads(command("instruments", "show", "fields-2026", "--json")[1])
    assert [(v["version"], v["by"]) for v in shown["versions"]] == [(1, ["operator-1", "operator-2"])]
    assert shown["fields"]["only.fields"] == ["city", "zip"]
    out = command("instruments", "show", "fields-2026", "--version", shown["digest"][:8])[1]
    assert "scope.agreements" in out and "not given" in out and "operator-1, operator-2" in out
    assert command("instruments", "show", "fields-2026", "--version", "2")[0] == 2

    written(tmp_path, ORDER.replace('"zip"', '"state"'))
    code, _, err = command("instruments", "enrol", file, *both)  # the signatures of the first version
    assert code == 5 and "BAD_SIGNATURE" in err and "message" in err
    assert command("instruments", "enrol", file, *signed(command, here, file))[0] == 0
    written(tmp_path)
    code, _, err = command("instruments", "enrol", file, *both)  # back to the first, by its old signatures
    assert code == 5 and "BAD_SIGNATURE" in err
    listed = {i["id"]: i for i in json.loads(command("instruments", "list", "--json")[1])}
    assert listed["fields-2026"]["version"] == 2 and listed["stay-2025-11-21-ddc"]["version"] == 1


def test_what_is_printed_to_sign_can_be_signed_elsewhere(command: Run, here: Installation, tmp_path: Path) -> None:
    file = written(tmp_path)
    said = command("instruments", "message", file)[1]
    options = []
    for name in ("operator-1", "operator-2"):
        key = here.home.keys / name
        by_command = command("instruments", "sign", file, "--print", "--key", str(key))[1]
        elsewhere = signatures.sign(said.encode(), signatures.load(key), "sluicegate-instrument")
        assert by_command == elsewhere
        (tmp_path / name).write_text(elsewhere)
        options += ["--signature", str(tmp_path / name)]
    assert not list(tmp_path.glob("*.sig"))
    assert command("instruments", "enrol", file, *options)[0] == 0
    code, _, err = command("instruments", "sign", file, "--key", str(here.home.keys / "sandbox-requester-signing"))
    assert code == 5 and "KEY_NOT_ENROLLED" in err


@pytest.mark.parametrize(
    ("text", "key", "write"),
    [
        (ORDER.replace("2026-03-01", '"soon"'), "effective_on", "effective_on = 2"),
        (ORDER.replace('"restrict"', '"permit"'), "effect", "effect = "),
        (ORDER.replace('"zip"', '"tin"'), "only.fields.1", "fields = ["),
        (ORDER.replace('docket = "1"\n', ""), "docket", "docket = "),
        (ORDER + "lifted = 2026-04-01\n", "lifted", "lifted_on"),
        (ORDER.replace("only = ", "# "), "the whole file", "[only]"),
        (ORDER.replace("court_order", "order"), "kind", "court_order"),
        (ORDER + "lifted = \n", "line 12", "syntax"),
    ],
)
def test_check_says_what_is_wrong_where_and_what_to_write(
    command: Run, here: Installation, tmp_path: Path, text: str, key: str, write: str
) -> None:
    file = written(tmp_path, text)
    code, out, err = command("instruments", "check", file)
    assert (code, err) == (5, "") and file in out and key in out and write in out
    assert "tin" not in out.replace("city", "") and "soon" not in out and "permit" not in out.replace("permitted", "")


def test_check_names_every_problem_of_every_file(command: Run, here: Installation, tmp_path: Path) -> None:
    bad = written(tmp_path, ORDER.replace('docket = "1"', "docket = 1").replace('"restrict"', '"x"'))
    good = written(tmp_path, name="good.toml")
    code, out, _ = command("instruments", "check", good, bad)
    assert code == 5 and "docket:" in out and "effect:" in out and "is well formed" in out
    assert command("instruments", "check", str(tmp_path / "none.toml"))[0] == 5


DOUBTFUL = {
    'supersedes = ["nobody"]\n': "supersedes: no court_order nobody is enrolled",
    'supersedes = ["sandbox-2026"]\n': "supersedes: no court_order sandbox-2026 is enrolled",
    "lifted_on = 2026-03-02\n": "its last day, 2026-03-01, has passed",
    "": "",
}


@pytest.mark.parametrize("more", DOUBTFUL)
def test_check_warns_of_what_is_probably_not_meant(command: Run, here: Installation, tmp_path: Path, more: str) -> None:
    file = written(tmp_path, ORDER + more)
    code, out, _ = command("instruments", "check", file)
    assert code == 0 and ("warning" in out) is bool(more) and DOUBTFUL[more] in out


def test_check_warns_of_unknown_lifts_agreements_kinds_and_of_what_is_enrolled(
    command: Run, here: Installation, tmp_path: Path
) -> None:
    lift = ORDER.replace('"restrict"', '"lift"').replace("only = ", 'lifts = ["nobody"] # ')
    other = ORDER.replace("fields-2026", "irs-ice-2025").replace("sandbox-2026", "nowhere")
    enrolled = here.home.instruments / "sandbox-2026.toml"
    files = [written(tmp_path, lift, "lift.toml"), written(tmp_path, other, "other.toml"), str(enrolled)]
    code, out, _ = command("instruments", "check", *files)
    assert code == 0
    for warning in (
        "lifts: no court_order nobody",
        "scope.agreements: no agreement nowhere",
        "enrolled as another kind",
        "sandbox-2026.toml: warning: this version is enrolled already",
    ):
        assert warning in out


def test_check_shows_field_by_field_what_would_change(command: Run, here: Installation, tmp_path: Path) -> None:
    text = (here.home.instruments / "sandbox-2026.toml").read_text()
    changed = text.replace("rows_per_batch = 1500000", "rows_per_batch = 7").replace(
        "valid_to = 2031", "valid_to = 2032"
    )
    code, out, _ = command("instruments", "check", "--against", written(tmp_path, changed))
    assert code == 0
    assert [line.partition(": ")[2] for line in out.splitlines() if line.startswith("sandbox-2026: ")] == [
        "valid_to: now 2031-12-31, then 2032-12-31",
        "thresholds.rows_per_batch: now 1500000, then 7",
    ]
    assert "all of it would be new" in command("instruments", "check", "--against", written(tmp_path))[1]


def test_check_needs_no_home(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "nowhere"))
    code, out, _ = command("instruments", "check", written(tmp_path))
    assert code == 0 and "only the form" in out


STOPPED = {"COURT_ORDER": ["injunction-2026-02-05-dmass", "stay-2025-11-21-ddc"]}


@pytest.mark.parametrize(
    ("day", "agreement", "fields", "stopped"),
    [
        ("2025-04-06", "irs-ice-2025", 0, {"AGREEMENT_NOT_IN_FORCE": ["irs-ice-2025"]}),
        ("2025-11-20", "irs-ice-2025", 0, {}),
        ("2025-11-21", "irs-ice-2025", 0, {"COURT_ORDER": ["stay-2025-11-21-ddc"]}),
        ("2026-03-01", "irs-ice-2025", 0, STOPPED),
        ("2026-02-28", "sandbox-2026", 6, {}),
        ("2026-03-01", "sandbox-2026", 2, {}),
        ("2032-01-01", "sandbox-2026", 0, {"AGREEMENT_NOT_IN_FORCE": ["sandbox-2026"]}),
    ],
)
def test_in_force_says_what_may_leave_and_what_takes_the_rest(
    command: Run,
    here: Installation,
    tmp_path: Path,
    day: str,
    agreement: str,
    fields: int,
    stopped: dict[str, list[str]],
) -> None:
    file = written(tmp_path)
    command("instruments", "enrol", file, *signed(command, here, file))
    asked = ["--on", day, "--agreement", agreement, "--purpose", "Criminal proceeding"]
    (found,) = json.loads(command("instruments", "in-force", *asked, "--json")[1])
    safeguards = found["stopped_by"].pop("SAFEGUARDS_OPEN", None)
    # the holder's determination is of today, and does not count for ever
    assert ("NO_CLEARANCE" in found["stopped_by"]) == (day > "2027")
    found["stopped_by"].pop("NO_CLEARANCE", None)
    assert (safeguards is not None) == (agreement == "irs-ice-2025")
    assert (len(found["may_leave"]), found["stopped_by"]) == (fields, stopped)
    code, out, _ = command("instruments", "in-force", *asked)
    assert code == 0 and all(name in out for ids in stopped.values() for name in ids)
    if fields == 2:
        assert found["fields_taken_by"] == ["fields-2026"] and "fields-2026: without street" in found["why"][0]


def test_in_force_of_what_nobody_agreed_is_usage(command: Run, here: Installation) -> None:
    assert command("instruments", "in-force", "--statute", "8 USC 1326")[0] == 2
    assert len(json.loads(command("instruments", "in-force", "--json")[1])) == 6


def test_list_heeds_what_ends_an_instrument(command: Run, here: Installation, tmp_path: Path) -> None:
    lift = ORDER.replace('"restrict"', '"lift"').replace("only = ", 'lifts = ["stay-2025-11-21-ddc"] # ')
    file = written(tmp_path, lift)
    command("instruments", "enrol", file, *signed(command, here, file))
    for day, stands in (("2026-02-28", True), ("2026-03-01", False)):
        listed = {i["id"]: i for i in json.loads(command("instruments", "list", "--on", day, "--json")[1])}
        assert listed["stay-2025-11-21-ddc"]["in force"] is stands
        assert listed["sandbox-2026"]["to"] == "2031-12-31"


def test_operators_are_enrolled_and_revoked_by_two_signatures(
    command: Run, here: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name: here.home.keys / name for name in ("operator-1", "operator-2")}
    keys["third"] = tmp_path / "third"
    signatures.generate(keys["third"], "third")
    public = f"{keys['third']}.pub"
    assert command("operator", "enrol", "third", public)[0] == 2
    assert command("operator", "enrol", "third", str(tmp_path / "nowhere.pub"))[0] == 5
    assert command("operator", "enrol", "third", str(keys["third"]))[0] == 5  # the private key

    def sign(signers: list[str], *what: str) -> list[str]:
        for name in signers:
            assert command("operator", "sign", *what, "--key", str(keys[name]))[0] == 0
        return [f"--signature={what[0]}.{name}.sig" for name in signers]

    monkeypatch.chdir(tmp_path)
    both = sign(["operator-1", "operator-2"], "third", public, "--role", "viewer")
    said = json.loads(command("operator", "message", "third", public, "--role", "viewer")[1])
    assert (said["enrolled"], said["roles"]) == (True, ["viewer"])
    assert command("operator", "enrol", "third", public, *both)[0] == 2  # signed for a role, and none is asked for
    assert command("operator", "enrol", "third", public, *both, "--role", "viewer")[0] == 0
    assert command("operator", "revoke", "operator-1", *both)[0] == 5
    code, _, err = command("operator", "revoke", "operator-1", *sign(["operator-2", "third"], "operator-1"))
    assert code == 2 and "NOT_YOUR_ROLE" in err and "(third)" in err and "approver" in err
    first, give = ["operator-1", "operator-2"], ("third", "--change", "roles")
    assert command("operator", "roles", "third", *sign(first, *give, "--role", "operator"))[0] == 2
    roles = ("--role", "approver", "--role", "operator")
    assert command("operator", "roles", "third", *sign(first, *give, *roles), *roles)[0] == 0
    signatures.generate(tmp_path / "second", "second")
    second = f"{tmp_path / 'second'}.pub"
    for change in ("add-key", "remove-key"):
        signed = sign(first, "third", second, "--change", change)
        assert command("operator", change, "third", second, *signed)[0] == 0
    assert command("operator", "sign", "third", "--change", "add-key", "--key", str(keys["operator-1"]))[0] == 2
    assert command("operator", "revoke", "operator-1", *sign(["operator-2", "third"], "operator-1"))[0] == 0
    listed = {o["operator"]: o for o in json.loads(command("operator", "list", "--json")[1])}
    assert {name: bool(o["revoked"]) for name, o in listed.items()} == {
        "operator-1": True,
        "operator-2": False,
        "third": False,
    }
    assert listed["third"]["roles"] == ["approver", "operator"] and len(listed["third"]["keys"]) == 2
    assert listed["third"]["keys"][1]["removed"] and not listed["third"]["keys"][0]["removed"]
    assert "operator-1" in command("operator", "list")[1] and command("ledger", "verify")[0] == 0


def test_one_operator_halts_and_two_resume(command: Run, here: Installation) -> None:
    code, out, _ = command("halt", "operator-1")
    assert code == 0
    number = out.split("resume ")[1].split()[0]
    for name, lifted in (("operator-1", False), ("operator-2", True)):
        code, out, _ = command("resume", number, "--key", str(here.home.keys / name))
        assert code == 0 and ("lifted" in out) is lifted
        assert ("halted" in command("status")[1]) is not lifted
    assert command("halt", "nobody")[0] == 2 and command("ledger", "verify")[0] == 0
