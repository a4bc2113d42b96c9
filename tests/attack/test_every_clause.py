"""Nothing of the law is left out of the publication decision: a walk over every field of an agreement, and every clause
taken out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.duck import session as duck
from expectations.base.forms import form_in
from expectations.contracts.lists import Tier
from expectations.facts.earlier import Period
from expectations.facts.letter import LETTER_FACTS
from expectations.instruments import Agreement, parse_enrolled
from expectations.rules import authority
from expectations.rules.rule import batch_rule
from expectations.suites import matching
from flows.batch import clauses
from flows.batch.clauses import CLAUSES, Clause
from flows.batch.ruling import Kept, Reading, Rows, Ruling
from flows.batch.steps import BatchSteps
from flows.home.registers import update_register
from flows.ledger import Ledger, registry
from flows.ledger.core import find
from flows.ledger.decisions import Reason
from flows.ledger.lifecycles.states import State
from flows.ledger.restorations import Outside
from flows.sandbox.home import OPERATORS
from pipelines import release
from pipelines.release.evidence import bundle
from tests.attack.test_law_between import FINDING, ROTATED, SIGNER, delta
from tests.factories import ready
from tests.factories.ready import CROWD, EARLIER, GOOD, NO_STATE, TODAY, TRIED, WEAK, Ready

# Fields that say nothing about whether, or what of, a batch may be released, and why.
SAYS_NOTHING = {
    "kind": "says which form it is",
    "id": "another id is another agreement; what ends this one is supersedes of the other",
    "title": "for people",
    "source": "for people",
    "received_on": "when the holder had the text: recorded, decides nothing",
    "zone": "says which day it is there: every date is judged on that day, and no zone is narrower than another",
    "bars_receivers": "who of the operators may decide: tests/flows/ledger/test_barring.py",
    "bars_enrollers": "who of the operators may decide: tests/flows/ledger/test_barring.py",
    "holder.id": "named in package and accounting",
    "holder.name": "named in package and accounting",
    "holder.address": "named in the accounting",
    "holder.premises": "the requester's premises are what no person can live at; the holder's are not asked",
    "requester.name": "named in the accounting",
    "requester.address": "named in the accounting",
    "retention_years": "how long accounting and evidence are kept afterwards",
    "recall.copies_days": "about recalls, after a release",
    "recall.disposal_days": "about recalls, after a release",
    "recall.attestation_days": "about recalls, after a release",
    "recall.closing_days": "about recalls, after a release",
    "recall.persons_days": "about recalls, after a release",
    "keys.signing": "signs attestations of recalls, after a release",
    "kept_from_person": "what the accounting shows to the person",
    "thresholds.held_days": "how long a batch waits for people before it expires: flows.batch.expiry asks it",
}
# Fields that one batch alone does not show, and the tests that do.
ELSEWHERE = {
    "requester.justice": "tests/attack/test_widening.py: officers of Justice sign for Justice alone",
    "thresholds.tries_per_person": "tests/flows/ledger/test_tries.py: the narrowest limit counts",
    "thresholds.period_days": "tests/attack/test_splitting.py: a longer period is counted before anything leaves",
    "thresholds.tries_days": "tests/flows/ledger/test_tries.py: the longest period counts",
}
ROW = {n: place for place, n in enumerate((*GOOD, WEAK, NO_STATE, EARLIER, TRIED, *CROWD))}
FIELDS, RECIPIENT = "fields", "recipient"
# Each other field → a narrower value, and what follows: a code of the batch; a row and its code; another package.
NARROWER: dict[str, tuple[Any, str | tuple[int, str]]] = {
    "requester.id": ("another-agency", "REQUESTER_NOT_PARTY"),
    "requester.premises": (["102 Larkspur St, Austin TX 78701"], (ROW[1], "REQUESTER_ADDRESS")),
    "valid_from": (TODAY + timedelta(days=2), "AGREEMENT_NOT_IN_FORCE"),
    "valid_to": (TODAY - timedelta(days=2), "AGREEMENT_NOT_IN_FORCE"),
    "supersedes": (["irs-ice-2025"], "COURT_ORDER"),  # the orders against that one stand against this one, too
    "statutes": ((), "STATUTE_NOT_DESIGNATED"),  # one statute has rules as yet: none is left
    "offices": (["Inspector General"], "OFFICE_MAY_NOT_SIGN"),
    "signatories": ([SIGNER], "LETTER_KEY_UNKNOWN"),
    "purposes": (["Grand jury proceeding"], "PURPOSE_NOT_ALLOWED"),
    "fields": (("city", "zip"), FIELDS),
    "tiers": (["A"], (ROW[WEAK], "WEAK_EVIDENCE")),
    "addresses_that_corroborate": ("current", (ROW[EARLIER], "NOT_CORROBORATED")),
    "earlier_addresses_years": (1, (ROW[EARLIER], "NOT_CORROBORATED")),
    "may_be_left_out": ([], (ROW[NO_STATE], "STATE_LEFT_OUT")),
    "safeguards.reviewed_on": (TODAY + timedelta(days=2), "SAFEGUARDS_OPEN"),
    "safeguards.review_due_on": (TODAY - timedelta(days=2), "SAFEGUARDS_OPEN"),
    "safeguards.findings": ([FINDING], "SAFEGUARDS_OPEN"),
    "thresholds.determination_days": (-9, "NO_CLEARANCE"),
    "keys.recipient": (ROTATED.recipient, RECIPIENT),
    "thresholds.incomplete_share": (0.01, "TOO_MANY_INCOMPLETE"),
    "thresholds.incomplete_share_per_file": (0.01, "TOO_MANY_INCOMPLETE"),
    "thresholds.incomplete_share_30_days": (0.01, "TOO_MANY_INCOMPLETE"),
    "thresholds.incomplete_share_by_code": ({"PLACEHOLDER": 0.01}, "TOO_MANY_INCOMPLETE"),
    "thresholds.match_rate_floor": (0.95, "MATCH_RATE"),
    "thresholds.match_rate_ceiling": (0.1, "MATCH_RATE"),
    "thresholds.weak_tiers_ceiling": (0.0, "TIER_MIX"),
    "thresholds.letter_age_days": (1, "LETTER_TOO_OLD"),
    "thresholds.attestation_days": (1, "ATTESTATION_EXPIRED"),
    "thresholds.rows_per_batch": (3, "TOO_MANY_ROWS"),
    "thresholds.rows_30_days": (3, "TOO_MANY_ROWS_30_DAYS"),
    "thresholds.matters_per_officer": (3, "OFFICER_OVERLOADED"),
    "thresholds.matters_per_officer_period": (3, "OFFICER_OVERLOADED"),
    "thresholds.identical_reason_share_period": (0.0, "BOILERPLATE_REASONS"),
    "thresholds.identical_reason_share": (0.0, "BOILERPLATE_REASONS"),
    "thresholds.persons_per_address": (1, (ROW[CROWD[0]], "CROWDED")),
    "thresholds.days_after_final_order": (3650, (ROW[1], "FINAL_ORDER_TOO_RECENT")),
}
# One of those that rules on rows are needed for: the rest takes a second each.
_QUICK = {"tiers"}
# Their codes are those of limits over the period, too, for which no row is needed.
_COUNTED = {"thresholds.matters_per_officer", "thresholds.identical_reason_share"}


def fields(form: Any = Agreement, place: str = "") -> Iterator[str]:
    """Every field of an agreement; those of its tables by `table.field`."""
    for name, field in form.model_fields.items():
        inner = form_in(field.annotation)
        if inner is not None and "tuple" not in str(field.annotation):
            yield from fields(inner, f"{place}{name}.")
        else:
            yield f"{place}{name}"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready.kept(tmp_path_factory.getbasetemp(), State.SEALED)


@contextmanager
def reading(batch: Ready, folder: Path, under: Agreement | None = None) -> Iterator[Reading]:
    """What the clauses look at now; `under`: as if this version of the agreement were enrolled."""
    with batch.work() as one, one.ledger.reading() as view:
        law = one.release.law
        found, ends = law.reading(view, find(view, one.name)), release.ends(one.ctx, dropped=None, lost=None)
        changed = law._changed(found, ends, folder) if found.changed.digest else Kept(None)
        rows = Rows(f"({bundle(one.folder)})", ends, folder)
        now = replace(found.now, agreement=under) if under else found.now
        yield replace(found, now=now, listed=law._lists(ends, folder), changed=changed, rows=rows)


def decided(
    batch: Ready, folder: Path, under: Agreement | None = None, *, rows: bool = True, tried: Kept | None = None
) -> tuple[Ruling, dict[int, list[str]]]:
    """The ruling, and the codes of the rows that it withholds. Without `rows`: as under the lock."""
    with reading(batch, folder, under) as read, duck(read.now.duck) as connection:
        found = replace(read, tried=tried) if tried else read
        ruling = clauses.decided(found if rows else replace(found, rows=None))
        query = ruling.withheld()
        held = connection.execute(f"SELECT ordinal, codes FROM ({query})").fetchall() if query else []
    return ruling, dict(held)


def narrower(agreement: Agreement, field: str) -> Agreement:
    """The agreement with one field narrowed; not checked, since no form keeps the last statute from being removed."""
    table, _, name = field.rpartition(".")
    value = NARROWER[field][0]
    if field == "safeguards.findings":
        value = tuple(type(agreement.safeguards).model_fields["findings"].annotation.__args__[0](**f) for f in value)
    if field == "signatories":
        value = tuple(Agreement.model_fields["signatories"].annotation.__args__[0](**s) for s in value)
    value = tuple(map(Tier, value)) if field == "tiers" else tuple(value) if isinstance(value, list) else value
    if not table:
        return agreement.model_copy(update={name: value})
    inner = getattr(agreement, table).model_copy(update={name: value})
    return agreement.model_copy(update={table: inner})


def test_every_field_narrows_something_or_says_nothing_about_a_release() -> None:
    assert sorted([*NARROWER, *SAYS_NOTHING, *ELSEWHERE]) == sorted(fields())


def test_the_same_law_changes_nothing(sealed: Ready, tmp_path: Path) -> None:
    ruling, held = decided(sealed, tmp_path)
    assert (ruling.codes, held) == ((), {})
    with sealed.work() as one:
        assert not one.release.law.now().stale


def _of_rows(field: str) -> bool:
    follows = NARROWER[field][1]
    whole = {rule.code for rule in clauses.authority.rules()} | {"TOO_MANY_ROWS_30_DAYS", FIELDS, RECIPIENT}
    return (follows not in whole or field in _COUNTED) and field not in _QUICK


@pytest.mark.parametrize("field", [pytest.param(f, marks=pytest.mark.slow) if _of_rows(f) else f for f in NARROWER])
def test_a_narrower_field_has_its_effect(
    sealed: Ready, tmp_path: Path, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "ENOUGH_MATCHES", 1)  # a batch of the thousands would take longer to make
    before = sealed.agreement
    follows = NARROWER[field][1]
    ruling, held = decided(sealed, tmp_path, narrower(before, field), rows=_of_rows(field) or field in _QUICK)
    if follows == FIELDS:
        assert ruling.fields == ("city", "zip")
    elif follows == RECIPIENT:
        assert ruling.recipient == ROTATED.recipient != before.keys.recipient
    elif isinstance(follows, tuple):
        assert follows[1] in held[follows[0]]
    else:
        assert set(ruling.codes) - {"SIGNATORY_NOT_AUTHORISED"} == {follows}  # whose key counts no more has not signed


def test_a_rule_that_is_added_is_asked_again(sealed: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing names the rules one by one: tomorrow's is judged under the lock as soon as it stands in the book."""
    words = ("The agreement has another number of tiers.", "None.")
    added = batch_rule(("tiers_named", "NO_TIERS", "agreement"), "len(tiers) = 4", {"tiers": []}, words)
    assert set(added.inputs) <= LETTER_FACTS.keys()
    monkeypatch.setitem(authority.RULES, added.id, added)
    assert decided(sealed, tmp_path, narrower(sealed.agreement, "tiers"))[0].codes == ("NO_TIERS",)


def _halted(batch: Ready, folder: Path) -> bool:
    with batch.work() as one:
        one.ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
    return decided(batch, folder, rows=False)[0].waits


def _lost(batch: Ready, folder: Path) -> bool:
    """The ledger came out of a backup, and nobody knew what had happened since."""
    with batch.work() as one:
        with one.ledger.transaction() as session:
            one.ledger.record_restored(session, "a" * 64)
        waits = decided(batch, folder, rows=False)[0].waits
        message = one.ledger.opening_message(Outside())
        keys = [signatures.load(batch.home.keys / name) for name in OPERATORS]
        signed = {str(n): signatures.sign(message, key, signatures.OPENING) for n, key in enumerate(keys)}
        assert not one.ledger.open_restored(Outside(), signed)
    return waits and "MAY_HAVE_LEFT" in decided(batch, folder, rows=False)[0].refuses


def _listed(batch: Ready, folder: Path) -> bool:
    (batch.home.root / "persons.csv").write_text("record_id,list\n5,protected\n")
    return decided(batch, folder)[1] == {ROW[5]: ["NO_CANDIDATE"]}


def _corrected(batch: Ready, folder: Path) -> bool:
    update_register(batch.home, delta(folder / "d", "correction", 1, 2), TODAY)
    update_register(batch.home, delta(folder / "e", "update", 3, 4), TODAY)
    return decided(batch, folder)[1] == {ROW[n]: ["RECORD_CORRECTED"] for n in (1, 2, 4)}


def _outdated(batch: Ready, folder: Path) -> bool:
    """An agreement as older versions enrolled it, without signatories."""
    text = ready.text_of(batch.agreement).decode()
    kept = [line for line in text.splitlines() if not line.startswith("signatories")]
    with patch.object(registry, "parse_instrument", parse_enrolled):
        batch.enrol("\n".join(kept).encode())
    return "AGREEMENT_TO_RENEW" in decided(batch, folder, rows=False)[0].refuses


def _asked(batch: Ready, folder: Path) -> bool:
    """A longer period, in which more was asked, was counted since the batch was read."""
    with batch.work() as one:
        one.ledger.count_period(one.name, 400, Period(10**6, 10**6, 0))
    return "OFFICER_OVERLOADED" in decided(batch, folder, rows=False)[0].refuses


def _tried(batch: Ready, folder: Path) -> bool:
    """Other values were tried on this person, and answered, since the batch was judged."""
    path = folder / "tries.parquet"
    pq.write_table(pa.table({"ordinal": [ROW[TRIED], ROW[1]], "earlier_tries": [3, 2], "allowed": [3, 3]}), path)
    return decided(batch, folder, tried=Kept("later", path))[1] == {ROW[TRIED]: ["TOO_MANY_TRIES"]}


def _narrowed(field: str, *, rows: bool = True) -> Callable[[Ready, Path], bool]:
    def attack(batch: Ready, folder: Path) -> bool:
        ruling, held = decided(batch, folder, narrower(batch.agreement, field), rows=rows)
        follows = NARROWER[field][1]
        said = (*ruling.codes, ruling.recipient == ROTATED.recipient and RECIPIENT)
        seen = (*said, ruling.fields == ("city", "zip") and FIELDS, *held.items())
        return follows in seen or any(follows == (row, c) for row, codes in held.items() for c in codes)

    return attack


# For each clause an attack that only this clause stops: True if it is stopped.
ATTACKS: dict[Clause, Callable[[Ready, Path], bool]] = {
    Clause.HALT: _halted,
    Clause.RESTORED: _lost,
    Clause.AUTHORITY: _narrowed("purposes", rows=False),
    Clause.FIELDS: _narrowed("fields", rows=False),
    Clause.RECIPIENT: _narrowed("keys.recipient", rows=False),
    Clause.RENEWAL: _outdated,
    Clause.PERIOD: _asked,
    Clause.TRIES: _tried,
    Clause.VOLUME: _narrowed("thresholds.rows_30_days", rows=False),
    Clause.PERSONS: _listed,
    Clause.CORRECTIONS: _corrected,
    Clause.ROWS: _narrowed("tiers"),
    Clause.LIMITS: _narrowed("thresholds.rows_per_batch"),
}


def test_every_clause_has_its_attack() -> None:
    assert set(ATTACKS) == set(Clause) == set(CLAUSES)
    assert all(entry.meaning for entry in CLAUSES.values())


@pytest.mark.parametrize(
    "clause", [c if not CLAUSES[c].of_rows else pytest.param(c, marks=pytest.mark.slow) for c in Clause]
)
def test_a_clause_taken_out_is_found(
    sealed: Ready, tmp_path: Path, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ready.copy(sealed, tmp_path)
    for name in ("whole", "without"):
        (tmp_path / name).mkdir()
    assert ATTACKS[clause](batch, tmp_path / "whole")
    monkeypatch.setattr(clauses, "CLAUSES", {c: entry for c, entry in CLAUSES.items() if c is not clause})
    again = ready.copy(sealed, tmp_path / "without")
    assert not ATTACKS[clause](again, tmp_path / "without")


@pytest.mark.parametrize("clause", [c for c in Clause if CLAUSES[c].of_package])
def test_what_a_clause_reads_is_compared_under_the_lock(
    sealed: Ready, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thing read by any one of them: the package that is sealed is stale."""
    changed = replace(CLAUSES[clause], reads=lambda _: "something else")
    monkeypatch.setattr(clauses, "CLAUSES", {**CLAUSES, clause: changed})
    with sealed.work() as one:
        assert one.release.law.now().stale


def test_a_successor_and_the_end_of_the_term_are_seen(sealed: Ready, tmp_path: Path) -> None:
    batch = ready.copy(sealed, tmp_path)
    successor = ready.changed(batch.agreement, id="sandbox-2027", supersedes=(ready.ID,))
    batch.enrol(successor)
    with batch.work() as one:
        assert dict(one.release.law.now().ruling.refuses) == {"AGREEMENT_SUPERSEDED": ("sandbox-2027",)}
    after = Clock(datetime.combine(batch.agreement.valid_to, time(12), UTC) + timedelta(days=1), leap=timedelta.max)
    with Ledger.open(sealed.home.ledger_url, after) as ledger:
        ruling = BatchSteps(sealed.home, ledger, sealed.batch).release.law.now().ruling
        assert dict(ruling.refuses) == {"AGREEMENT_NOT_IN_FORCE": (ready.ID,)}
