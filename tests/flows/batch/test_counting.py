"""What is kept of a checkpoint's rows: spreads that agree with the checks, and nothing that says who or what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.suites import intake, matching
from flows.batch import checkpoints, counting, letter
from flows.batch.spreads import JUDGED, Counted, Limit, Spread
from flows.batch.steps import BatchSteps
from flows.console import kept, spreads
from flows.evidence.requests import requests_path
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.sandbox.home import REQUESTER_SIGNING
from tests.factories import installations, runs, submissions
from tests.factories.installations import Installation

OFFICERS = [
    {"id": "quagmire-1", "name": "Quentin Quagmire"},
    {"id": "quagmire-2", "name": "QUAGMIRE, Quentin"},  # the same person
    {"id": "other-1", "name": "Olga Other"},
]
SAME = "The address is needed by Quentin Quagmire, in plain words."


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = installations.make(tmp_path_factory.mktemp("counting") / "home")
    with installations.at_home(made.home):
        yield made


def content() -> list[dict[str, Any]]:
    """Five incomplete rows in forty; 25 of one person under two ids; two with one reason."""
    named = ["quagmire-1"] * 20 + ["quagmire-2"] * 5 + ["other-1"] * 15
    rows = [installations.request(n, request_id=f"C-{n}", officer=named[n - 1]) for n in range(1, 41)]
    for row in rows[:3]:
        row["street"] = "NA NA"
    for row in rows[3:5]:
        row["street"] = "Juniper St"
    for row in rows[-2:]:
        row |= {"reason": SAME, "case_number": None}
    return rows


@pytest.fixture(scope="module")
def held(installation: Installation) -> str:
    rows, key = content(), signatures.load(installation.home.keys / REQUESTER_SIGNING)
    files = [
        submissions.DataFile(f"Quagmire-{n}.csv", submissions.encode(some), len(some))
        for n, some in enumerate((rows[:10], rows[10:]))
    ]
    folder = submissions.write_files(
        installation.home.inbox / "counted",
        files,
        key,
        installation.agreement,
        date=Clock().today(installation.agreement.zone),
        officers=OFFICERS,
    )
    name, state = runs.run(installation.home, folder)
    assert state is State.HELD
    return name


@pytest.fixture
def found(installation: Installation, held: str) -> dict[Spread, Counted]:
    one = kept.one(installation.home, held, Checkpoint.INTAKE)
    assert one is not None and one.spreads is not None
    return {counted.spread: counted for counted in one.spreads}


def lines(one: Counted) -> dict[str, int]:
    return {line.label: line.count for line in one.lines if line.count}


def test_addresses_are_counted_by_code_by_file_and_by_both(found: dict[Spread, Counted]) -> None:
    assert lines(found[Spread.CODES]) == {"NO_NUMBER": 2, "PLACEHOLDER": 3}
    assert [(one.label, one.count, one.share, one.limit) for one in found[Spread.FILES].lines] == [
        ("file 1", 5, 0.5, 0.15)
    ]
    assert lines(found[Spread.CODES_OF_FILES]) == {"NO_NUMBER, file 1": 2, "PLACEHOLDER, file 1": 3}


def test_each_measure_is_what_its_check_judged(
    installation: Installation, held: str, found: dict[Spread, Counted]
) -> None:
    with runs.ledger_of(installation.home) as ledger:
        facts = checkpoints.intake_facts(BatchSteps(installation.home, ledger, held).ctx, None)
    measured = {bound.limit: bound for one in found.values() for bound in one.bounds}
    assert measured[Limit.OFFICER].measured == facts["busiest_officer_rows"] == 25
    assert measured[Limit.OFFICER].high == facts["matters_per_officer"]
    assert measured[Limit.OFFICER_PERIOD].measured == facts["period_officer"] == 25
    assert facts["identical_reason_rows"] == 2
    assert measured[Limit.REASON].measured == pytest.approx(2 / 40)
    assert measured[Limit.INCOMPLETE].measured == pytest.approx(facts["incomplete_rows"] / facts["rows_submitted"])
    assert measured[Limit.FILE].measured == pytest.approx(facts["worst_file_incomplete_share"])
    # every check that a limit names is one, so that its result can stand beside it
    checks = {check.id for suite in (intake.suite(), matching.suite()) for check in suite.checks}
    assert {one.check for one in JUDGED.values()} <= checks


def test_officers_and_reasons_are_counted_and_never_named(
    installation: Installation, held: str, found: dict[Spread, Counted]
) -> None:
    assert lines(found[Spread.OFFICERS]) == {"1 to 500": 2}
    assert lines(found[Spread.REASONS]) == {"1, of its own": 38, "2": 2}
    stored = (installation.home.verdicts / held / "intake.json").read_text()
    for value in ("quagmire", "other-1", "olga", "plain words", ".csv"):
        assert value not in stored.casefold(), value


def test_the_page_says_beside_each_limit_how_its_check_came_out(installation: Installation, held: str) -> None:
    one = kept.one(installation.home, held, Checkpoint.INTAKE)
    assert one is not None
    shown = {b["words"]: b for spread in spreads.shown(one) or () for b in spread["bounds"]}
    officer = shown["most matters of one officer"]
    assert (officer["measured"], officer["limit"], officer["came_out"]) == ("25", "5,000", "within")
    assert shown["incomplete addresses, of all rows"]["came_out"] == "not within"
    reason = shown["rows that give one reason, at most"]
    assert (reason["measured"], reason["limit"], reason["came_out"]) == ("5.0%", "5.0%", "within")


def test_the_letter_is_kept_as_typed_facts(installation: Installation, held: str) -> None:
    one = kept.one(installation.home, held, Checkpoint.INTAKE)
    assert one is not None and one.letter is not None
    said = one.letter
    assert (said.statute, said.purpose, said.office) == ("8 USC 1253(a)(1)", "Criminal proceeding", "Head of agency")
    assert said.statute_designated and said.purpose_allowed and said.office_may_sign and said.signatory_may_sign
    assert (said.officers, said.officers_again, said.rows) == (3, 1, 40)
    assert said.files == (letter.Files(2, "csv", "none"),)
    assert letter.of(json.loads(json.dumps(said.to_dict()))) == said


def test_a_limit_that_refuses_a_batch_is_shown_when_its_rows_are_gone(installation: Installation) -> None:
    rows = [installations.request(n, request_id=f"B-{n}", reason=SAME, case_number=None) for n in range(1, 7)]
    name, state = runs.run(installation.home, installation.submit(installation.home.inbox / "refused", rows))
    assert state is State.REFUSED and not (installation.home.lake / name).exists()
    one = kept.one(installation.home, name, Checkpoint.INTAKE)
    assert one is not None
    shown = {b["words"]: b for spread in spreads.shown(one) or () for b in spread["bounds"]}
    reason = shown["rows that give one reason, at most"]
    assert (reason["measured"], reason["limit"], reason["came_out"]) == ("100.0%", "5.0%", "not within")


def test_words_that_stand_in_no_list_are_not_kept(installation: Installation) -> None:
    folder = installation.submit(
        installation.home.inbox / "statute", [installations.request(1)], statute="42 Quagmire 1"
    )
    name, state = runs.run(installation.home, folder)
    assert state is State.REFUSED
    one = kept.one(installation.home, name, Checkpoint.INTAKE)
    for path in (installation.home.verdicts / name).iterdir():
        assert "Quagmire" not in path.read_text()
    assert one is None or one.letter is None or one.letter.statute is None


def test_what_was_answered_and_held_is_counted(installation: Installation) -> None:
    name, state = runs.run(installation.home, installation.submit(installation.home.inbox / "m", _mixed()))
    assert state is State.PUBLISHED
    read = {one.checkpoint: {c.spread: c for c in one.spreads or ()} for one in kept.read(installation.home, name)}
    assert lines(read[Checkpoint.MATCHING][Spread.ANSWERS]) == {"matched": 41, "unmatched": 2}
    assert lines(read[Checkpoint.MATCHING][Spread.TIERS]) == {"A": 41}
    (rate,) = read[Checkpoint.MATCHING][Spread.ANSWERS].bounds
    assert (rate.low, rate.high) == (0.005, 0.98) and rate.measured == pytest.approx(41 / 43)
    assert lines(read[Checkpoint.ELIGIBILITY][Spread.ENDS]) == {"eligible": 40, "held": 1}
    assert lines(read[Checkpoint.ELIGIBILITY][Spread.HELD]) == {"NOT_CORROBORATED": 1}
    assert read[Checkpoint.DISCLOSURE] == {}


def _mixed() -> list[dict[str, Any]]:
    """As `installations.mixed`, with request ids of this test's own."""
    return [{**row, "request_id": f"M-{n}"} for n, row in enumerate(installations.mixed())]


@pytest.mark.parametrize(
    ("found", "first", "limit", "wanted"),
    [
        ([(1, 4), (9, 1)], 1, 10, {"1": 4, "8 to 10": 1}),
        ([(11, 2)], 1, 10, {"11 or more: above the limit": 2}),
        ([(10, 2)], 1, 10, {"8 to 10": 2}),
        ([(1, 7)], 1, 1, {"1": 7}),
        ([(2, 6)], 2, 0, {"2 or more: above the limit": 6}),
        ([], 1, 5000, {}),
    ],
)
def test_ranges_leave_no_number_out_and_end_at_the_limit(
    found: list[tuple[int, int]], first: int, limit: int, wanted: dict[str, int]
) -> None:
    made = list(counting._ranges(found, first, limit))
    assert {line.label: line.count for line in made if line.count} == wanted
    assert sum(line.count for line in made) == sum(many for _, many in found)
    starts = [int(re.sub(r"[^\d].*", "", line.label.replace(",", ""))) for line in made]
    assert starts == sorted(set(starts)) and starts[0] == first


def test_what_cannot_be_counted_stops_nothing(installation: Installation, held: str, tmp_path: Path) -> None:
    with runs.ledger_of(installation.home) as ledger:
        ctx = BatchSteps(installation.home, ledger, held).ctx
    assert counting.counted(Checkpoint.INTAKE, ctx, None, tmp_path / "none.parquet") == ()
    assert counting.counted(Checkpoint.MATCHING, ctx, None, requests_path(installation.home, held)) == ()
