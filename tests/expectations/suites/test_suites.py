"""Each checkpoint finds what a faulty or forged stage output would let through: the committed files are changed, and
the suite, which derives everything again, must say which check fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.facts import band
from expectations.facts.letter import LetterFacts
from expectations.gx.verdict import Status
from expectations.rules.address import CROWD
from expectations.suites import disclosure, eligibility, intake, made, made_letter, matching

Rows = list[dict[str, Any]]
LETTER = made_letter.letter_facts()
MODULES = {m.NAME: m for m in (intake, matching, eligibility, disclosure)}


def _agreed(**limits: float) -> LetterFacts:
    """The letter under an agreement with other thresholds."""
    return replace(LETTER, thresholds=LETTER.thresholds.model_copy(update=limits))


def _inputs(name: str, folder: Path) -> Any:
    return getattr(made.Batch(folder, LETTER, {}), name)()


def _edit(folder: Path, file: str, change: Callable[[Rows], Rows]) -> None:
    path = folder / f"{file}.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), path)


def _set(which: int, **values: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**r, **values} if r.get("ordinal", 0) == which else r for r in rows]


def _without(ordinal: int) -> Callable[[Rows], Rows]:
    return lambda rows: [r for r in rows if r["ordinal"] != ordinal]


def _twice(rows: Rows) -> Rows:
    return [*rows, rows[0]]


def _add(*more: dict[str, Any]) -> Callable[[Rows], Rows]:
    return lambda rows: [*rows, *more]


ELSEWHERE = [{**made.ELSEWHERE, "valid_from": date(2020, 1, 1)}]


def _home(record: int, **changes: Any) -> Callable[[Rows], Rows]:
    """An address of the register itself, changed."""
    return lambda rows: [{**r, **changes} if r["record_id"] == record else r for r in rows]


def _all(*changes: Callable[[Rows], Rows]) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        for one in changes:
            rows = one(rows)
        return rows

    return change


HELD = {"outcome": "held", "codes": ["NOT_CORROBORATED"]}
PASSED: dict[str, Any] = {"outcome": None, "codes": []}
EXTRA: dict[int, dict[str, Any]] = {
    n: {} for n in range(10, 18)
}  # rows beside the first, so that each has a fault of its own

# checkpoint, what was done to the files of the stage, the checks that must fail
FORGED: list[tuple[str, dict[str, Callable[[Rows], Rows]], set[str]]] = [
    ("intake", {"rows": _without(0)}, {"intake.rows_of_the_letter", "intake.rows_as_sent"}),
    ("intake", {"rows": _twice, "rejects": lambda rows: []}, {"intake.one_row", "intake.ordinals"}),
    ("intake", {"disclosed": lambda rows: [{"request_key": "key0"}]}, {"intake.outcome_again"}),
    (
        "intake",
        {
            "rows": _all(
                _set(0, last_name="OTHER"),
                _set(10, codes=["NO_ZIP"]),
                _set(-3, **PASSED),
                _set(11, street="UNKNOWN ADDRESS"),
                _set(12, officer="another"),
                _set(13, final_order_date="2026-03-03"),
            ),
            "control_rows": _without(-2),
            "dropped": lambda rows: [{"ordinal": 0}],
        },
        {
            "intake.rows_as_sent",
            "intake.codes_again",
            "intake.outcome_again",
            "address.no_zip",
            "address.placeholder",
            "authority.incomplete_share",
            "authority.officer",
            "usc_8_1253.days_elapsed",
            "intake.decoys_added",
            "intake.dropped_were_incomplete",
            "intake.incomplete_were_dropped",
        },
    ),
    (
        "matching",
        {
            "candidates": _all(
                _twice,
                _without(10),
                _set(11, ordinal=9),
                _set(12, plausible=2),
                _set(13, record_id=-1),
                _set(-1, outcome="unmatched", record_id=None, tier=None),
                _twice,
                _twice,
            ),
            "rows": lambda rows: [*rows, {**rows[-1], "ordinal": -99}],
        },
        {
            "matching.none_lost",
            "matching.all_answered",
            "matching.one_answer",
            "matching.none_made_up",
            "matching.one_record",
            "matching.own_register",
            "matching.decoys",
            "matching.decoys_known",
        },
    ),
    ("matching", {"candidates": _set(0, vetoes=["birth_date"])}, {"matching.one_record"}),
    ("matching", {"candidates": _set(0, record_id=4242)}, {"matching.own_register"}),  # on file for nobody
    ("matching", {"on_file_decoy": _add({"record_id": 1000})}, {"matching.own_register"}),
    ("matching", {"candidates": _set(-1, record_id=1000)}, {"matching.own_register", "matching.decoys"}),
    ("matching", {"candidates": _set(-2, outcome=None, record_id=-2, tier="A", plausible=1)}, {"matching.decoys"}),
    ("matching", {"expected": lambda rows: rows[1:]}, {"matching.decoys_that_match", "matching.decoys_known"}),
    (
        "eligibility",
        {"verdicts": _all(_without(10), _set(11, record_id=4), _twice, _twice)},
        {"eligibility.none_lost", "eligibility.none_made_up", "eligibility.one_verdict", "eligibility.adds_up"},
    ),
    (
        "eligibility",
        {
            "verdicts": _all(
                _set(0, addresses_on_file=ELSEWHERE),
                _set(11, units_on_file=12),
                _set(-4, **PASSED),
                _set(-1, **HELD),
            ),
            "rows": _all(
                _set(13, street="FAILED TO PROVIDE"),
                _set(14, street="MAIN ST"),
                _set(15, reason=None),
                _set(16, outcome="held"),
                _without(17),
            ),
            "on_file_request": _home(1010, **made.ELSEWHERE, a_number="200", a_street="OAK AVE"),
        },
        {
            "disclosure.corroborated",
            "eligibility.verdicts_again",
            "eligibility.facts_of_the_register",
            "eligibility.second_comparison",
            "eligibility.decoys",
            "address.placeholder",
            "address.no_number",
            "eligibility.second_opinion",
            "authority.reason",
            "eligibility.none_ended_before",
            "identity.name",
        },
    ),
    (  # three tries of earlier batches; a key that stands for the same values as another; a match that is no try
        "eligibility",
        {
            "tried_before": _add(*({"batch": "b", "person_key": "person12", "values_key": f"v{n}"} for n in range(3))),
            "tries": _add({"ordinal": 13, "record_id": 1011}),
            "tried": _all(
                _add({"ordinal": 13, "record_id": 1011, "person_key": "person11", "values_key": "other"}), _without(17)
            ),
        },
        {
            "disclosure.few_tries",
            "disclosure.tried_alone",
            "eligibility.verdicts_again",
            "eligibility.tries_again",
            "eligibility.all_tried",
        },
    ),
    (
        "eligibility",
        {
            "on_file_request": lambda rows: [r for r in rows if r["record_id"] != 1000],
            "buildings_request": lambda rows: [
                {"a_zip": "62701", "a_number": "100", "a_street": "MAIN ST", "units": units} for units in (2, 3)
            ],
        },
        {
            "disclosure.address_on_file",
            "disclosure.corroborated",
            "disclosure.unit_given",
            "eligibility.facts_of_the_register",
            "eligibility.second_comparison",
        },
    ),
    ("eligibility", {"on_file_request": _home(1000, a_zip="62702")}, {"disclosure.corroborated"}),
    ("eligibility", {"on_file_request": _home(1000, state="WI")}, {"disclosure.corroborated"}),
    ("eligibility", {"on_file_request": _home(1000, street="101 MAIN ST")}, {"eligibility.second_comparison"}),
    ("eligibility", {"on_file_request": _home(1000, valid_to=date(2021, 1, 1))}, {"disclosure.address_on_file"}),
    ("intake", {"rows": _set(0, a_street="OAK AVE")}, {"intake.columns_again"}),
    ("intake", {"rows": _set(0, codes=["CROWDED"])}, {"intake.crowds_again", "intake.outcome_again"}),
    (
        "disclosure",
        {"parquet": _all(_set(0, urbanization="URB X"), _twice), "csv": _set(0, zip="62702")},
        {
            "disclosure.parquet_once",
            "disclosure.parquet_fields",
            "disclosure.parquet_is_what_was_checked",
            "disclosure.csv_is_what_was_checked",
            "disclosure.counts_in_manifest",
        },
    ),
    ("disclosure", {"csv": lambda rows: []}, {"disclosure.csv_once", "disclosure.counts_in_manifest"}),
    ("disclosure", {"parquet": lambda rows: [{**rows[0], "request_id": "made-1"}]}, {"disclosure.no_decoy"}),
    ("disclosure", {"eligible": _set(0, street="200 OAK AVE")}, {"disclosure.last_known_address"}),
    ("disclosure", {"eligible": _set(0, record_id=-1)}, {"disclosure.row_is_eligible"}),
    (
        "disclosure",
        {"eligible": _all(_set(0, request_id="another"), _twice)},
        {"disclosure.own_request", "disclosure.released_are_eligible"},
    ),
    ("disclosure", {"verdicts": _set(0, **HELD)}, {"disclosure.row_is_eligible", "disclosure.outcome_again"}),
    ("disclosure", {"outcomes": _without(1)}, {"disclosure.all_accounted"}),
    ("disclosure", {"outcomes": _twice}, {"disclosure.one_outcome"}),
    (
        "disclosure",
        {"outcomes": _set(1, outcome="held", told=[])},
        {"disclosure.outcome_again", "disclosure.told_again"},
    ),
    ("disclosure", {"outcomes": _set(1, codes=[], told=[])}, {"disclosure.reasons"}),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_made_batch_passes(name: str, tmp_path: Path) -> None:
    verdict = MODULES[name].check(_inputs(name, tmp_path))
    assert verdict.status == Status.PASS, [(r.check, r.error) for r in verdict.failed]


@pytest.mark.parametrize(
    ("name", "changes", "checks"), FORGED, ids=[f"{f[0]}-{min(f[2])}-{n}" for n, f in enumerate(FORGED)]
)
def test_a_forged_stage_is_found(
    name: str, changes: dict[str, Callable[[Rows], Rows]], checks: set[str], tmp_path: Path
) -> None:
    inputs = getattr(made.Batch(tmp_path, LETTER, EXTRA if len(checks) > 3 else {}), name)()
    for file, change in changes.items():
        _edit(tmp_path, file, change)
    verdict = MODULES[name].check(inputs)
    assert verdict.status != Status.PASS
    # an emptied table is not evaluated; everything else is, and fails
    failed = {r.check for r in verdict.failed if r.ok is False or r.error == "NO_ROWS"}
    assert checks <= failed


def test_rows_that_differ_in_what_they_try_on_one_person_are_found(tmp_path: Path) -> None:
    """By their raw fields: the stage says that neither stands beside another."""
    inputs = made.Batch(tmp_path, LETTER, EXTRA).eligibility()
    _edit(tmp_path, "rows", _set(13, birth_date="1981-02-03"))
    _edit(tmp_path, "tries", _add({"ordinal": 13, "record_id": 1011}))
    _edit(tmp_path, "tried", _add({"ordinal": 13, "record_id": 1011, "person_key": "person11", "values_key": "other"}))
    failed = {r.check: r.failed for r in eligibility.check(inputs).failed}
    assert failed == {"disclosure.tried_alone": 1, "eligibility.verdicts_again": 1}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "check"), [("intake", "address.crowded"), ("eligibility", "address.crowded")])
def test_a_crowd_that_a_stage_let_pass_is_found(name: str, check: str, tmp_path: Path) -> None:
    inputs = getattr(made.Batch(tmp_path, LETTER, {10: dict(CROWD)}), name)()
    verdict = MODULES[name].check(inputs)
    assert verdict.status != Status.PASS and check in {r.check for r in verdict.failed}
    if name == "intake":  # every place that counts blocking codes agrees
        assert {"intake.incomplete_were_dropped", "authority.incomplete_share"} <= {r.check for r in verdict.failed}
    crowd = 1 + len(made.NEIGHBOURS)
    wider = replace(inputs, letter=_agreed(persons_per_address=crowd))
    assert check not in {r.check for r in MODULES[name].check(wider).failed}


def test_what_the_agreement_lets_be_left_out_is_eligible(tmp_path: Path) -> None:
    inputs = made.Batch(tmp_path, LETTER, {10: {"state": None}, 11: {"city": None}}).eligibility()
    left = {"address.state_left_out", "address.no_city", "eligibility.second_opinion"}
    assert left <= {r.check for r in eligibility.check(inputs).failed}
    allowed = eligibility.check(replace(inputs, left_out=("state", "city")))
    assert allowed.status == Status.PASS, [r.check for r in allowed.failed]


def test_a_court_order_refuses(tmp_path: Path) -> None:
    forbidden = replace(_inputs("intake", tmp_path), letter=replace(LETTER, orders_against=("an-order",)))
    verdict = intake.check(forbidden)
    assert verdict.status == Status.REFUSE
    assert "COURT_ORDER" in verdict.codes


def test_the_match_rate_holds_and_does_not_refuse(tmp_path: Path) -> None:
    verdict = matching.check(replace(_many(tmp_path, 100), letter=_agreed(match_rate_ceiling=0.98)))
    assert verdict.status == Status.HOLD
    assert verdict.codes == ("MATCH_RATE",)


def _known(rate: float) -> LetterFacts:
    """The letter after ten batches that all had this rate."""
    return replace(LETTER, learnt=band.learnt([(1000, round(1000 * rate))] * band.ENOUGH))


def _many(folder: Path, matches: int) -> matching.Inputs:
    """A made batch of `matches` matched requests."""
    return made.Batch(folder, LETTER, {n: {} for n in range(10, 9 + matches)}).matching()


@pytest.mark.parametrize(("rate", "codes"), [(1.0, ()), (0.9, ()), (0.5, ("MATCH_RATE",))])
def test_what_earlier_batches_had_narrows_the_band(rate: float, codes: tuple[str, ...], tmp_path: Path) -> None:
    """All of this batch matched, which the agreement allows."""
    verdict = matching.check(replace(_many(tmp_path, 100), letter=_known(rate)))
    assert (verdict.status, verdict.codes) == (Status.HOLD if codes else Status.PASS, codes)


def test_a_rate_below_what_earlier_batches_had_holds(tmp_path: Path) -> None:
    inputs = replace(_many(tmp_path, 100), letter=_known(0.9))
    missing = {"outcome": "unmatched", "record_id": None, "tier": None, "plausible": 0}
    for unmatched, status in ((18, Status.PASS), (30, Status.HOLD)):
        _edit(tmp_path, "candidates", _all(*(_set(n, **missing) for n in range(10, 10 + unmatched))))
        assert matching.check(inputs).status == status
    assert matching.check(replace(inputs, letter=LETTER)).status == Status.PASS


@pytest.mark.parametrize(
    ("matches", "weak", "ceiling", "held"),
    [(100, 25, 0.25, False), (100, 26, 0.25, True), (100, 26, 0.26, False), (99, 99, 0.25, False), (100, 1, 0.0, True)],
)
def test_weak_tiers_hold_from_a_hundred_matches_on(
    matches: int, weak: int, ceiling: float, held: bool, tmp_path: Path
) -> None:
    inputs = _many(tmp_path, matches)
    _edit(tmp_path, "candidates", _all(*(_set(10 + n, tier="CD"[n % 2]) for n in range(weak))))
    verdict = matching.check(replace(inputs, letter=_agreed(weak_tiers_ceiling=ceiling)))
    assert (verdict.status, verdict.codes) == ((Status.HOLD, ("TIER_MIX",)) if held else (Status.PASS, ()))


def test_two_persons_may_not_claim_one_record(tmp_path: Path) -> None:
    batch = made.Batch(tmp_path, LETTER, {10: {"birth_date": "1981-04-05"}})
    inputs = batch.matching()
    _edit(tmp_path, "candidates", _set(10, record_id=1000))
    verdict = matching.check(inputs)
    assert "CLAIMED_TWICE" in verdict.codes


def test_without_a_package_nothing_may_count_as_released(tmp_path: Path) -> None:
    nothing = replace(_inputs("disclosure", tmp_path), parquet=None, csv=None, manifest=None)
    assert disclosure.check(nothing).codes == ("PACKAGE_DIFFERS",)
    _edit(tmp_path, "eligible", lambda rows: [])
    _edit(tmp_path, "verdicts", _set(0, outcome="held", codes=["NOT_CORROBORATED"]))
    held = {"outcome": "held", "codes": ["NOT_CORROBORATED"], "told": ["NOT_CONFIRMED"], "person_key": None}
    _edit(tmp_path, "outcomes", _set(0, **held))
    assert disclosure.check(nothing).status == Status.PASS


def test_a_manifest_that_says_other_than_it_holds_is_found(tmp_path: Path) -> None:
    inputs = _inputs("disclosure", tmp_path)
    for change, check in [
        ({"content_digest": "0" * 64}, "disclosure.manifest_is_what_was_checked"),
        ({"counts": {"submitted": 2, "released": 2}}, "disclosure.counts_in_manifest"),
        ({"fields": ["request_id", "tin"]}, "disclosure.fields_in_manifest"),
    ]:
        verdict = disclosure.check(replace(inputs, manifest={**inputs.manifest, **change}))
        assert [r.check for r in verdict.failed] == [check]
