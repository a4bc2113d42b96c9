"""A past batch decided again: as it was recorded nothing differs; under other instruments exactly what they touch
does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from flows.batch.advance import advance
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import enrol
from tests.factories import installations
from tests.factories.installations import Installation
from tests.factories.past import TODAY, order, waved_through
from tests.flows.batch.test_last_moment import rows, until_sealed, work
from tests.flows.batch.test_persons import listed
from tests.flows.conftest import Run


@pytest.fixture(scope="module")
def batches(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One batch for each end that a batch can have, by that end."""
    folder, made = tmp_path_factory.mktemp("submissions"), {}

    def run(name: str, content: list[dict[str, Any]], state: State, **changes: Any) -> None:
        with work(installation, installation.submit(folder / name, content, **changes)) as one:
            assert advance(one) is state, one.record.codes
            made[name] = one.name

    twice = [
        installations.request(70, request_id="twice", reason=f"To serve the indictment, matter {n}.") for n in (1, 2)
    ]
    run("refused", rows(54, 56), State.REFUSED, agreement=installations.agreement(installation, "irs-ice-2025"))
    with waved_through(), listed(installation, (58, "protected")):
        run("mixed", [*installations.mixed(), *twice], State.PUBLISHED)
        with work(
            installation, installation.submit(folder / "again", [installations.request(1), *rows(57, 60)])
        ) as one:
            until_sealed(one)
            with listed(installation, (58, "protected"), (59, "informant")):
                assert advance(one) is State.PUBLISHED
            made["again"] = one.name
    with waved_through(), work(installation, installation.submit(folder / "late", rows(61, 64))) as one:
        until_sealed(one)
        enrol(installation.home, one.ledger, order("late-order").encode(), "late-order.toml")
        assert advance(one) is State.REFUSED
        made["late"] = one.name
        lifted = order("lifts", 'effect = "lift"\nlifts = ["late-order"]').encode()
        enrol(installation.home, one.ledger, lifted, "lifts.toml")
    yield made


def replayed(command: Run, batch: str, *options: str) -> tuple[int, dict[str, Any]]:
    code, out, err = command("replay", batch, *options, "--json")
    assert code in (0, 3), err
    return code, json.loads(out)


@pytest.mark.parametrize("end", ["mixed", "again", "refused", "late"])
def test_as_it_was_recorded_nothing_differs(
    batches: dict[str, str], command: Run, installation: Installation, end: str
) -> None:
    before = {
        p: p.stat().st_mtime_ns for p in installation.home.root.rglob("*") if p.is_file() and "ledger.db" not in p.name
    }
    code, found = replayed(command, batches[end])
    assert (code, found["differs"], found["moved"]) == (0, False, [])
    assert {**found["then"], "decided_on": 0} == {**found["now"], "decided_on": 0}  # cites and every count included
    assert before == {
        p: p.stat().st_mtime_ns for p in installation.home.root.rglob("*") if p.is_file() and "ledger.db" not in p.name
    }


def test_each_look_is_an_audit_event(batches: dict[str, str], command: Run, installation: Installation) -> None:
    replayed(command, batches["again"], "--who", "operator-1")
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        last = ledger.events(batches["again"])[-1]
        assert ledger.verify() == []
    assert (last["kind"], last["facts"]) == ("view", {"ordinal": None, "what": "evidence", "who": "operator-1"})


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    folder = tmp_path / "planned"
    folder.mkdir()
    return folder


# a planned order or agreement → how the batch would end, its codes, how many rows change, and to what
PLANNED: dict[str, tuple[str, dict[str, str], str, list[str], dict[str, int]]] = {
    "an order that forbids": ("forbids", {}, "refused", ["COURT_ORDER"], {"refused": 50}),
    "one from the day after": ("tomorrow", {}, "published", [], {}),
    "one against a place": ("colorado", {}, "published", [], {"held": 10}),
    "one that holds": ("holds", {"effect": "hold"}, "held", ["COURT_ORDER_HOLDS"], {"held": 40}),
    "one for persons on a list": (
        "plaintiffs",
        {"effect": "restrict", "only": '{ persons = "plaintiffs" }'},
        "published",
        [],
        {"held": 41},
    ),  # one was held before, and has one more code
    "one for a field": ("no-street", {}, "published", [], {}),
}


@pytest.mark.parametrize(
    "what", [w if n < 3 else pytest.param(w, marks=pytest.mark.slow) for n, w in enumerate(PLANNED)]
)
def test_a_planned_order(batches: dict[str, str], command: Run, planned: Path, what: str) -> None:
    id, said, state, codes, ends = PLANNED[what]
    text = said or {"effect": "forbid"}
    lines = "\n".join(f"{k} = {v if v.startswith('{') else json.dumps(v)}" for k, v in text.items())
    day = TODAY + timedelta(days=1) if id == "tomorrow" else TODAY
    (planned / "order.toml").write_text(order(id, lines, day))
    code, found = replayed(command, batches["mixed"], "--instruments", str(planned))
    assert (found["now"]["state"], found["now"]["codes"]) == (state, codes)
    changed: dict[str, int] = {}
    for move in found["moved"]:
        changed[move["now"]] = changed.get(move["now"], 0) + move["rows"]
    assert changed == ends and sum(changed.values()) == found["changed"]
    assert code == (0 if what == "one from the day after" else 3)
    if codes:
        assert id in [c["id"] for c in found["now"]["cites"] if c["version"] is None]
    if id == "no-street":
        assert "street" in found["then"]["fields"] and "street" not in found["now"]["fields"]


def test_a_later_day_is_another_decision(
    batches: dict[str, str], command: Run, installation: Installation, tmp_path: Path
) -> None:
    """On the day after its last the agreement is not in force; what the enrolled orders did in between is lifted by
    now."""
    after = installation.agreement.valid_to + timedelta(days=1)
    code, found = replayed(command, batches["mixed"], "--as-of", str(after), "--out", str(tmp_path / "all.csv"))
    # nor does any determination that is enrolled now count for so long
    stops = ["AGREEMENT_NOT_IN_FORCE", "NO_CLEARANCE"]
    assert (code, found["now"]["codes"]) == (3, stops) and found["changed"] == 50
    assert len(found["rows"]) == 20 and found["rows"][0] == f"{batches['mixed']}#0"
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 51
    # the order that stopped it late is lifted now
    code, found = replayed(command, batches["late"], "--as-of", str(TODAY))
    assert (code, found["now"]["state"], found["now"]["outcomes"]) == (3, "published", {"released": 4, "unmatched": 2})


# threshold of the agreement → another number, how the batch would then end, the outcome and number of rows that change
THRESHOLDS = {
    "days_after_final_order": (3650, "published", "held", 49),  # a return file only; one row had this code before
    "incomplete_share": (0.0, "held", "held", 40),
    "rows_per_batch": (7, "refused", "refused", 50),
}


@pytest.mark.parametrize(
    "name", [w if n < 2 else pytest.param(w, marks=pytest.mark.slow) for n, w in enumerate(THRESHOLDS)]
)
def test_another_version_of_the_agreement(
    batches: dict[str, str], command: Run, installation: Installation, planned: Path, name: str
) -> None:
    number, state, ends, rows = THRESHOLDS[name]
    lines = (installation.home.instruments / "sandbox-2026.toml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(f"{name} = ")]
    kept.insert(kept.index("[thresholds]") + 1, f"{name} = {number}")
    (planned / "sandbox-2026.toml").write_text("\n".join(kept))
    _, found = replayed(command, batches["mixed"], "--instruments", str(planned))
    assert found["now"]["state"] == state
    assert (ends in {m["now"] for m in found["moved"]}) == bool(ends) and found["changed"] == rows, found["moved"]


def test_what_was_never_looked_up_is_open_not_released(
    batches: dict[str, str], command: Run, installation: Installation, planned: Path
) -> None:
    agreed = (installation.home.instruments / "irs-ice-2025.toml").read_text()
    finding = agreed[agreed.index("[[safeguards.findings]]") : agreed.index("[keys]")]
    (planned / "agreement.toml").write_text(agreed.replace(finding, ""))
    for n, id in enumerate(("stay-2025-11-21-ddc", "injunction-2026-02-05-dmass")):
        text = order(f"lift-{n}", f'effect = "lift"\nlifts = ["{id}"]').replace("sandbox-2026", "irs-ice-2025")
        (planned / f"{n}.toml").write_text(text)
    _, found = replayed(command, batches["refused"], "--instruments", str(planned))
    assert (found["now"]["state"], found["now"]["outcomes"]) == ("ingested", {"open": 5}), found


def test_an_unknown_batch_and_an_empty_folder_are_errors(batches: dict[str, str], command: Run, planned: Path) -> None:
    assert command("replay", "b-nothing")[0] == 2
    code, _, err = command("replay", batches["mixed"], "--instruments", str(planned))
    assert code == 2 and "NO_INSTRUMENTS" in err
    (planned / "a.toml").write_text("kind = 1")
    assert command("replay", batches["mixed"], "--instruments", str(planned))[0] == 5


def test_explain_cites_what_each_verdict_rests_on(batches: dict[str, str], command: Run) -> None:
    def explained(batch: str, row: int) -> dict[str, Any]:
        code, out, err = command("explain", batches[batch], str(row), "--json")
        assert code == 0, err
        return dict(json.loads(out))

    by_rule = {r["rule"]: [(c["id"], c["version"]) for c in r["cites"]] for r in explained("mixed", 0)["rules"]}
    agreement, letter = ("sandbox-2026", 1), ("letter", None)
    assert by_rule["usc_8_1253.days_elapsed"] == [letter, agreement]
    assert by_rule["authority.officer"] == [letter]
    assert by_rule["address.crowded"] == by_rule["disclosure.few_tries"] == [agreement]
    assert by_rule["disclosure.corroborated"] == [agreement] and by_rule["address.no_number"] == []
    refused = explained("refused", 0)
    assert (refused["outcome"], refused["batch"]["state"]) == ("refused", "refused")
    assert [(c["id"], c["kind"], c["version"]) for c in refused["batch"]["cites"]] == [
        ("injunction-2026-02-05-dmass", "court_order", 1),
        ("irs-ice-2025", "agreement", 1),
        ("stay-2025-11-21-ddc", "court_order", 1),
    ]
    assert [c["id"] for c in explained("late", 0)["batch"]["cites"]] == ["late-order"]
    code, out, _ = command("explain", batches["late"], "0")
    assert code == 0 and "late-order v1 (" in out
