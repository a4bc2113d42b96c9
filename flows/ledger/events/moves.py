"""A batch is received, and goes from state to state: each state that it comes to is a kind of event."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from flows.ledger.bulk import CLAIMS
from flows.ledger.database.models import Batch, Operator, from_us, stamp
from flows.ledger.decisions import KEYS_NEEDED, Decision
from flows.ledger.events.base import Counted, Event
from flows.ledger.events.read import Read
from flows.ledger.events.review import decided
from flows.ledger.lifecycles.states import RUNS_IN, TRANSITIONS, Cause, Checkpoint, State
from flows.ledger.roles import Act, may
from flows.ledger.signing import roles_of
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Received(Event, kinds=[State.RECEIVED]):
    """A submission was taken in. `under`: id and digest of all that the decision rests on; `decided_on`: YYYYMMDD.

    `signatory`, `letter_key`: who signed the letter, as a number in the agreement's list, and with which key. `by`: the
    operator who took it in by hand.
    """

    submission: str
    requester: str
    agreement: str
    register: str
    rows: int
    decided_on: int
    instruments: tuple[str, ...]
    under: tuple[tuple[str, str], ...] | None = None
    received_us: int | None = None
    signatory: int | None = None
    letter_key: str | None = None
    by: str | None = None

    @classmethod
    def read(cls, kind: str, facts: str) -> Event:
        """With a `start` it is a batch that goes on from where it was."""
        return Moved.read(kind, facts) if "start" in json.loads(facts) else super().read(kind, facts)

    def wrong(self, tables: Tables) -> Iterator[str]:
        who = tables.find(Operator, self.by) if self.by else None
        if self.by and (who is None or who.revoked_at is not None or not may(roles_of(who), Act.RECEIVE)):
            yield f"{self.by} might not take a submission in then"

    def apply(self, tables: Tables) -> None:
        name, us = tables.place.batch, self.received_us
        row = Batch(
            **{k: getattr(self, k) for k in ("submission", "requester", "agreement", "register", "rows")},
            name=name,
            received_at=tables.unsaid(Batch.received_at, name) if us is None else stamp(from_us(us)),
            decided_on=datetime.strptime(str(self.decided_on), "%Y%m%d").date(),
            instruments=self._instruments(tables),
            received_by=self.by,
            state=State.RECEIVED.value,
            codes="[]",
            cites="[]",
        )
        tables.add(row, name)

    def _instruments(self, tables: Tables) -> Any:
        if self.under is not None:
            return json.dumps(dict(self.under))
        digests, name = list(self.instruments), tables.place.batch
        return tables.unsaid(Batch.instruments, name, lambda text: sorted(json.loads(text).values()) == digests)


@dataclass(frozen=True, kw_only=True)
class Move(Counted):
    """A batch goes from `start` to the state that its kind names."""

    start: State

    @property
    def end(self) -> State:
        return State(self.event_kind)

    @property
    def cause(self) -> Cause | None:
        return TRANSITIONS.get((self.start, self.end))

    def wrong(self, tables: Tables) -> Iterator[str]:
        batch = tables.batch
        if batch.state != self.start or self.cause is None:
            yield f"batch {batch.name} could not become {self.end} there"

    def apply(self, tables: Tables) -> None:
        tables.batch.state = self.end.value


_MOVED = (State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED, State.FAILED, State.REJECTED, State.UNREADABLE)


@dataclass(frozen=True, kw_only=True)
class Moved(Move, kinds=_MOVED):
    """A checkpoint passed; a fault, or its end; what people decided; to be sealed again; a submission is unreadable."""

    to: State
    decision: Decision | None = None

    @property
    def event_kind(self) -> str:
        return self.to.value

    def facts(self) -> dict[str, Any]:
        return {k: v for k, v in super().facts().items() if k != "to"}

    @classmethod
    def read(cls, kind: str, facts: str) -> Event:
        return super().read(kind, json.dumps({**json.loads(facts), "to": kind}))

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        batch = tables.batch
        ahead = State.REJECTED if self.decision is Decision.REJECT else batch.resumes
        if self.cause in (Cause.RETRIED, Cause.DECIDED) and self.end != ahead:
            yield f"batch {batch.name} does not go on from there"
        if self.cause is Cause.DECIDED and not self._decided(tables):
            yield f"batch {batch.name} lacks the signatures of those who decided"

    def _decided(self, tables: Tables) -> bool:
        """Whether enough people signed this decision on the batch as it is held."""
        batch, decision = tables.batch, self.decision
        if decision is None or not batch.hold:
            return False
        return decided(tables, batch.hold, decision) >= KEYS_NEEDED[decision]

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        batch, cause = tables.batch, self.cause
        match cause:
            case Cause.PASSED | Cause.RETRIED | Cause.UNREADABLE:
                batch.resumes = None
            case Cause.FAILED:
                batch.resumes = self.start.value
            case Cause.DECIDED:
                batch.hold = batch.voided = batch.resumes = None
            case Cause.RESEALED:
                batch.package_digest = batch.resumes = None
                tables.clear(CLAIMS, [batch.name])
            case Cause.HELD | Cause.REFUSED | Cause.PREPARED | Cause.PUBLISHED | Cause.WITHDRAWN | Cause.EXPIRED | None:
                pass  # no step of this kind, which is said already
            case _:
                assert_never(cause)


@dataclass(frozen=True, kw_only=True)
class Held(Move, kinds=[State.HELD]):
    """A checkpoint held the batch, whose committed rows have this content digest."""

    checkpoint: Checkpoint
    content_digest: str
    codes: tuple[str, ...]
    reading: Read | None = None  # where what is enrolled since receipt made it wait

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if RUNS_IN[self.checkpoint] is not self.start:
            yield f"checkpoint {self.checkpoint} does not run on a batch that is {self.start}"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        batch = tables.batch
        batch.hold, batch.voided, batch.resumes = tables.place.seq, None, self.start.value
        batch.checkpoint, batch.content_digest = self.checkpoint.value, self.content_digest
        batch.codes = json.dumps(self.codes)


@dataclass(frozen=True, kw_only=True)
class Refused(Move, kinds=[State.REFUSED]):
    """The batch has no authority, for these codes; `cites`: instruments, or sources of law. `reading`: what was read
    again to find that, if it was found after receipt."""

    codes: tuple[str, ...]
    cites: tuple[str, ...]
    reading: Read | None = None

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        batch = tables.batch
        batch.codes, batch.cites, batch.resumes = json.dumps(self.codes), json.dumps(self.cites), None


@dataclass(frozen=True, kw_only=True)
class Expired(Move, kinds=[State.EXPIRED]):
    """The batch was held, or failed, for longer than its agreement allows."""

    codes: tuple[str, ...]

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        batch = tables.batch
        batch.codes, batch.hold, batch.voided, batch.resumes = json.dumps(self.codes), None, None, None


@dataclass(frozen=True, kw_only=True)
class Prepared(Move, kinds=[State.PREPARED]):
    """The keys of `rows` rows are claimed, with this digest; `package`: digest of what may go out; `reading`: what it
    was decided on."""

    rows: int
    claims: str
    package: str
    merkle_root: str
    content_digest: str
    reading: Read | None = None

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if tables.batch.merkle_root not in (None, self.merkle_root):  # the first ledgers had no events of accounting
            yield f"batch {tables.batch.name} was prepared with another accounting than is recorded"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        batch = tables.batch
        batch.package_digest, batch.content_digest = self.package, self.content_digest
        batch.merkle_root = self.merkle_root
        tables.put(CLAIMS, batch.name, self.rows, self.claims, requester=batch.requester, agreement=batch.agreement)


@dataclass(frozen=True, kw_only=True)
class Published(Move, kinds=[State.PUBLISHED]):
    """The package lies in the outbox."""

    package: str | None

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        if self.package != tables.batch.package_digest:
            yield f"batch {tables.batch.name} was published with another package than was prepared"


@dataclass(frozen=True, kw_only=True)
class Withdrawn(Move, kinds=[State.WITHDRAWN]):
    """A prepared batch was stopped in time: its claims are given back. That of being prepared keeps their digest.
    `reading`: what was read again to find that."""

    codes: tuple[str, ...]
    cites: tuple[str, ...]
    reading: Read | None = None

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        batch = tables.batch
        batch.codes, batch.cites = json.dumps(self.codes), json.dumps(self.cites)
        tables.clear(CLAIMS, [batch.name])
