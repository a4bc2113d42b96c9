"""The publication decision: one table of its clauses. Each reads what is enrolled, recorded or listed now, and says
what it withholds, narrows or refuses. The batch was decided before by what was recorded at receipt; what both allow may
leave.

A new clause is a member of `Clause` and an entry of `CLAUSES`: what it reads (the event that decides keeps that, and
what the package rests on is compared under the lock), and a function from a `Reading` to a `Ruling`. Nothing else
knows the clauses one by one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from expectations.base.digests import of_json
from expectations.base.duck import parquet, quote
from expectations.base.total import total
from expectations.contracts.lists import Outcome
from expectations.facts import authority, persons
from expectations.rules.book import batch_rules
from expectations.rules.rule import REFUSES
from flows.batch.ruling import Reading, Ruling, released, strictest
from flows.ledger.batches import over_cap
from flows.ledger.registry import latest_instruments
from flows.ledger.requests import over_period
from flows.ledger.restorations import closed, may_have_left
from flows.ledger.review import standing_halts
from flows.registry.enrolled import to_renew


class Clause(StrEnum):
    """What is asked again of a batch. Where several hold a row back, the first says how it ends."""

    HALT = "halt"
    RESTORED = "restored"
    RENEWAL = "renewal"
    AUTHORITY = "authority"
    FIELDS = "fields"
    RECIPIENT = "recipient"
    VOLUME = "volume"
    PERIOD = "period"
    PERSONS = "persons"
    CORRECTIONS = "corrections"
    TRIES = "tries"
    ROWS = "rows"
    LIMITS = "limits"


@dataclass(frozen=True)
class Entry:
    """One clause.

    meaning      for people
    reads        what it rests on, as an event may keep it: digests, numbers, ids
    says         its ruling
    of_rows      it looks at rows: asked before the package is sealed, and not under the lock
    of_package   the package that is sealed rests on what it reads: if that is no longer the same, it is sealed again
    """

    meaning: str
    reads: Callable[[Reading], Any]
    says: Callable[[Reading], Ruling]
    of_rows: bool = False
    of_package: bool = False


def _halt(reading: Reading) -> Ruling:
    return Ruling(waits=bool(standing_halts(reading.session)))


def _restored(reading: Reading) -> Ruling:
    """A ledger that came out of a backup cannot know what left under its agreements afterwards."""
    id = reading.now.agreement.id
    left = may_have_left(reading.session, id)
    return Ruling(refuses={"MAY_HAVE_LEFT": (id,)} if left else {}, waits=closed(reading.session))


def _authority(reading: Reading) -> Ruling:
    """Every rule of the book that reads the letter and the instruments only: term, statute, purpose, office, signatory,
    signature, attestations, safeguards, orders, dates; and any that is added."""
    letter = reading.letter
    failing = authority.failing(letter, reading.now.duck)
    cites = {r.code: tuple(letter.ids_behind([r.code])) or (reading.now.agreement.id,) for r in failing}
    refused = {r.code: cites[r.code] for r in failing if REFUSES[r.disposition]}
    return Ruling(refuses=refused, holds={code: ids for code, ids in cites.items() if code not in refused})


def _renewal(reading: Reading) -> Ruling:
    """An agreement that an older version enrolled may say more than the law allows, or not who signs: nothing leaves
    under it."""
    id = reading.now.agreement.id
    bodies = (body for name, _, body in latest_instruments(reading.session) if name == id)
    return Ruling(refuses={"AGREEMENT_TO_RENEW": (id,)} if any(map(to_renew, bodies)) else {})


def _fields(reading: Reading) -> Ruling:
    """What the agreement and the orders let out, then and now."""
    then, now = reading.then.standing, reading.now.standing
    left = tuple(f for f in then.fields if f in now.fields)
    cites = tuple(sorted({*now.fewer, reading.now.agreement.id}))
    return Ruling(refuses={} if left else {"NOTHING_MAY_LEAVE": cites}, fields=left)


def _recipient(reading: Reading) -> Ruling:
    return Ruling(recipient=reading.now.agreement.keys.recipient)


def _volume(reading: Reading) -> Ruling:
    """The caps of 30 days on rows and incomplete rows, over batches that are in flight at the same time."""
    found = over_cap(reading.session, reading.entry, [reading.then.agreement, reading.now.agreement])
    return Ruling(refuses={code: tuple(ids) for code, ids in found.items()})


def _period(reading: Reading) -> Ruling:
    """The limits of the period on matters per officer and identical reasons, over all that was asked before."""
    found = over_period(reading.session, reading.entry, [reading.then.agreement, reading.now.agreement])
    return Ruling(refuses={code: tuple(ids) for code, ids in found.items()})


def _persons(reading: Reading) -> Ruling:
    """The holder's lists of persons, as they are now, and the lists that orders ask for. Who is protected reads like
    one who is not on file."""
    assert reading.rows is not None
    then, now = reading.then.standing, reading.now.standing
    required = sorted({which for _, which in (*then.persons, *now.persons)})
    barred = sorted({which for _, which in (*then.barred, *now.barred)})
    held = persons.held_back(reading.listed.path, required, barred, released(reading.rows.ends))
    return Ruling(
        withholds=(
            f"""SELECT ordinal, CASE WHEN secret THEN '{Outcome.UNMATCHED}' ELSE '{Outcome.HELD}' END AS outcome,
          CASE WHEN secret THEN ['NO_CANDIDATE'] ELSE ['COURT_ORDER_PERSON'] END AS codes FROM ({held})""",
        )
    )


def _corrections(reading: Reading) -> Ruling:
    """Records that were wrong when they were matched, and records that are gone. Who has moved since is none."""
    assert reading.rows is not None
    if reading.changed.path is None:
        return Ruling()
    gone = f"{released(reading.rows.ends)} SEMI JOIN {parquet([reading.changed.path])} USING (record_id)"
    return Ruling(
        withholds=(f"SELECT ordinal, '{Outcome.HELD}' AS outcome, ['RECORD_CORRECTED'] AS codes FROM {gone}",)
    )


def _tries(reading: Reading) -> Ruling:
    """The limit on tries, over all that was answered since receipt: no row is released of a person on whom too many
    other values were tried."""
    if reading.tried.path is None:
        return Ruling()
    over = f"(SELECT ordinal FROM {parquet([reading.tried.path])} WHERE earlier_tries >= allowed)"
    return Ruling(withholds=(f"SELECT ordinal, '{Outcome.HELD}' AS outcome, ['TOO_MANY_TRIES'] AS codes FROM {over}",))


def _rows(reading: Reading) -> Ruling:
    """Every rule on rows, of both phases, and the tiers: by the agreement, the orders and the day as they are now."""
    if not reading.law_changed:
        return Ruling()
    judged = parquet([reading.again.rows])
    return Ruling(
        withholds=(f"SELECT ordinal, outcome, codes FROM {judged} WHERE outcome <> {quote(Outcome.RELEASED)}",)
    )


def _limits(reading: Reading) -> Ruling:
    """Every rule on the batch as a whole that counts its rows, and the bounds of the match."""
    if not reading.law_changed:
        return Ruling()
    assert reading.rows is not None
    found, cites = reading.again, (reading.now.agreement.id,)
    # a code that a rule on counts has too (limits of a batch, and of the period) is asked here all the same
    asked = {r.code for r in authority.rules()} - {r.code for r in batch_rules() if r not in authority.rules()}
    refuses, holds = {*found.refuse} - asked, {*found.hold, *found.rate} - asked - reading.rows.explained
    return Ruling(refuses=dict.fromkeys(refuses, cites), holds=dict.fromkeys(holds, cites))


def _law(reading: Reading) -> str:
    return reading.law


CLAUSES: Mapping[Clause, Entry] = total(
    Clause,
    {
        Clause.HALT: Entry("releases are not halted", lambda r: len(standing_halts(r.session)), _halt),
        Clause.RESTORED: Entry(
            "no request may have been answered in a time that a restored ledger has lost",
            lambda r: [closed(r.session), may_have_left(r.session, r.now.agreement.id)],
            _restored,
        ),
        Clause.RENEWAL: Entry("the agreement says no more than the law", lambda r: of_json(dict(r.under)), _renewal),
        Clause.AUTHORITY: Entry("the letter has authority", _law, _authority),
        Clause.FIELDS: Entry(
            "only what may be released is in the package",
            lambda r: of_json(_fields(r).fields),
            _fields,
            of_package=True,
        ),
        Clause.RECIPIENT: Entry(
            "the package is sealed to the requester's key",
            lambda r: of_json(r.now.agreement.keys.recipient),
            _recipient,
            of_package=True,
        ),
        Clause.VOLUME: Entry(
            "the requester's rows within 30 days are under the cap",
            lambda r: [under.thresholds.rows_30_days for under in (r.then.agreement, r.now.agreement)],
            _volume,
        ),
        Clause.PERIOD: Entry(
            "the requester's matters and reasons of the period are within the limits",
            lambda r: [
                [under.thresholds.matters_per_officer_period, under.thresholds.identical_reason_share_period]
                for under in (r.then.agreement, r.now.agreement)
            ],
            _period,
        ),
        Clause.PERSONS: Entry(
            "nobody is in it whom a list of the holder's or of an order keeps out",
            lambda r: r.listed.digest,
            _persons,
            of_rows=True,
            of_package=True,
        ),
        Clause.CORRECTIONS: Entry(
            "no record was corrected or removed since it was matched",
            lambda r: r.changed.digest,
            _corrections,
            of_rows=True,
            of_package=True,
        ),
        Clause.TRIES: Entry(
            "what the requester tried on each person is within the limit",
            lambda r: r.tried.digest,
            _tries,
            of_rows=True,
            of_package=True,
        ),
        Clause.ROWS: Entry("every row meets every rule", _law, _rows, of_rows=True, of_package=True),
        Clause.LIMITS: Entry("the batch is within every limit", _law, _limits, of_rows=True, of_package=True),
    },
)


def basis(reading: Reading) -> str:
    """Names all that a package rests on."""
    return of_json({clause: entry.reads(reading) for clause, entry in CLAUSES.items() if entry.of_package})


def inputs(reading: Reading) -> dict[str, Any]:
    """What each clause reads, as an event keeps it."""
    return {str(clause): entry.reads(reading) for clause, entry in CLAUSES.items()}


def decided(reading: Reading) -> Ruling:
    """All clauses together: those on rows, too, if rows were read and nothing refuses the batch as a whole."""
    asked = [entry for clause in Clause if (entry := CLAUSES.get(clause))]
    whole = strictest(entry.says(reading) for entry in asked if not entry.of_rows)
    if whole.refuses or reading.rows is None:
        return whole
    return whole & strictest(entry.says(reading) for entry in asked if entry.of_rows)
