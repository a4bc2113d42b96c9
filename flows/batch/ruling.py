"""What a batch is decided on when the law is read again, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy.orm import Session

from expectations.base.digests import of_json
from expectations.facts import persons
from expectations.facts.letter import LetterFacts
from flows.ledger.database.models import Batch
from flows.ledger.events.read import Read
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.replay.decide import Decided, decide

Ids = tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """Something that the holder keeps beside the ledger, as it was read: its digest (None: there was nothing), and
    Parquet of what it says (None: nothing, or only its digest was read)."""

    digest: str | None
    path: Path | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of a batch, for the clauses that look at them. Relations: `evidence` (`release.evidence.bundle`) and
    `ends` (ordinal, request_key, person_key, record_id, outcome, codes): how each would end by what was recorded.

    folder     where results may be written; the caller deletes it
    explained  codes of the match that two people have explained
    """

    evidence: str
    ends: str
    folder: Path
    explained: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reading:
    """What a clause looks at.

    session, entry   one view of the ledger, and the batch in it; under the publication lock, or not
    then, now        the batch as it was recorded at receipt, and by what is enrolled now, today
    under            id and digest of the instruments of `now`
    listed           the holder's lists of persons (Parquet: record_id, list)
    changed          records that were corrected or removed since receipt (Parquet: record_id)
    tried            tries that count by now (Parquet: ordinal, earlier_tries, allowed)
    rows             None where only clauses without rows are asked
    """

    session: Session
    entry: Batch
    then: BatchContext
    now: BatchContext
    under: Mapping[str, str]
    listed: Kept = Kept(None)
    changed: Kept = Kept(None)
    tried: Kept = Kept(None)
    rows: Rows | None = None

    @cached_property
    def letter(self) -> LetterFacts:
        """What the letter and the instruments say now."""
        return letter_facts(self.now)

    @cached_property
    def law(self) -> str:
        """Names all that the rule book reads of letter, agreement, orders and day, as they are now."""
        return _named(self.letter, self.now)

    @cached_property
    def law_changed(self) -> bool:
        """Whether that is anything else than what was recorded at receipt: else every verdict would be the same."""
        return self.law != _named(letter_facts(self.then), self.then)

    @cached_property
    def again(self) -> Decided:
        """The rows that would be released, and the batch as a whole, judged by the whole rule book as it is now."""
        assert self.rows is not None
        listed = f"({persons.lists_sql(self.listed.path)})"
        return decide(self.now, self.rows.evidence, self.rows.ends, self.rows.folder, released=True, listed=listed)


def _named(letter: LetterFacts, ctx: BatchContext) -> str:
    return of_json([vars(letter), ctx.agreement.model_dump()])


@dataclass(frozen=True)
class Ruling:
    """What one clause, or all of them, decide of a batch. An empty one changes nothing.

    refuses, holds   code → ids of the instruments that it rests on
    waits            releases are halted: the batch stays where it is
    fields           what may leave, in the order of the package; None: whatever could before
    recipient        whom the package is sealed to; None: whoever it was before
    withholds        SQL, each a SELECT of (ordinal, outcome, codes) of rows that may not leave, and how they end
    """

    refuses: Mapping[str, Ids] = field(default_factory=dict)
    holds: Mapping[str, Ids] = field(default_factory=dict)
    waits: bool = False
    fields: Ids | None = None
    recipient: str | None = None
    withholds: tuple[str, ...] = ()

    def __and__(self, other: Ruling) -> Ruling:
        """The stricter of both."""
        given = [f for f in (self.fields, other.fields) if f is not None]
        return Ruling(
            _joined(self.refuses, other.refuses),
            _joined(self.holds, other.holds),
            self.waits or other.waits,
            tuple(f for f in given[0] if all(f in some for some in given)) if given else None,
            other.recipient or self.recipient,
            (*self.withholds, *other.withholds),
        )

    @property
    def codes(self) -> Ids:
        """All codes for which the batch is refused, or else held."""
        return tuple(sorted(self.refuses or self.holds))

    @property
    def cites(self) -> Ids:
        """The instruments behind `codes`."""
        return tuple(sorted({one for ids in (self.refuses or self.holds).values() for one in ids}))

    def withheld(self) -> str | None:
        """A SELECT of (ordinal, outcome, codes), each row once, as the first clause says that holds it back."""
        if not self.withholds:
            return None
        each = " UNION ALL ".join(f"SELECT *, {n} AS n FROM ({sql})" for n, sql in enumerate(self.withholds))
        first = "ordinal, arg_min(outcome, n) AS outcome, arg_min(codes, n) AS codes"
        return f"SELECT {first} FROM ({each}) GROUP BY ordinal ORDER BY ordinal"


def _joined(one: Mapping[str, Ids], other: Mapping[str, Ids]) -> dict[str, Ids]:
    return {code: tuple(sorted({*one.get(code, ()), *other.get(code, ())})) for code in {*one, *other}}


def strictest(rulings: Iterable[Ruling]) -> Ruling:
    """All of them together."""
    found = Ruling()
    for one in rulings:
        found &= one
    return found


def released(ends: str) -> str:
    """The rows of a relation `Rows.ends` that would be released."""
    return f"(SELECT * FROM {ends} WHERE outcome = 'released')"


@dataclass(frozen=True)
class Judged:
    """A batch decided again: the ruling, what was read for it, and the name of all that its package rests on. `stale`:
    the package that is sealed rests on something else, and must be sealed again."""

    ruling: Ruling
    read: Read
    basis: str
    stale: bool = False
