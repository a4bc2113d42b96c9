"""On what a batch is decided: the versions of its agreement and of the court orders, and how a verdict cites them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias, assert_never

from pydantic import TypeAdapter

from expectations.base.clock import legal_date
from expectations.base.digests import of_file
from expectations.base.errors import Usage
from expectations.facts.letter import LETTER_FACTS, LetterFacts, Source
from expectations.instruments import (
    Agreement,
    CourtOrder,
    Determination,
    instrument_digest,
    parse_enrolled,
    parse_instrument,
)
from expectations.rules.rule import Rule
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.events.read import Read
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.registry import VersionRecord
from flows.registry.enrolled import Enrolled
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.ingest.submission import LETTER

# The events that say how a batch was decided; where that was after receipt, with what was read.
_DECIDES = frozenset({State.PREPARED, State.REFUSED, State.WITHDRAWN, State.HELD})

_Version: TypeAlias = tuple[int | None, str, bytes]  # number, digest and body


@dataclass(frozen=True)
class Cited:
    """An instrument as a verdict cites it. `version` is None of a letter, or of a file that is not enrolled."""

    id: str
    kind: str
    version: int | None
    digest: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Grounds:
    """The agreement, every court order, in force or not, the agreements that supersede it, how each is cited, and the
    holder's determinations."""

    agreement: Agreement
    orders: tuple[CourtOrder, ...]
    successors: tuple[Agreement, ...]
    cited: Mapping[str, Cited]
    determinations: tuple[Determination, ...] = ()

    def cites(self, ids: Collection[str]) -> list[dict[str, Any]]:
        """These instruments, as JSON can hold them."""
        return [self.cited[i].to_dict() for i in ids if i in self.cited]


def recorded(ledger: Ledger, record: BatchRecord) -> Grounds:
    """The versions that were enrolled when the batch was received."""
    return of_digests(ledger, record, record.instruments)


def of_digests(ledger: Ledger, record: BatchRecord, under: Mapping[str, str]) -> Grounds:
    """The enrolled versions of instruments with these digests (by id)."""
    bodies = {digest: ledger.instrument(digest) or b"" for digest in under.values()}
    numbers = {(i, v.digest): v.version for i in under for v in reversed(ledger.versions(i))}
    return _grounds(record, {i: (numbers.get((i, d)), d, bodies[d]) for i, d in under.items()})


def last_read(ledger: Ledger, record: BatchRecord) -> Read | None:
    """What was read when the batch was last decided again, after its receipt; None if its events do not say."""
    said = [e for e in ledger.events(record.name) if e["kind"] in _DECIDES]
    found = said[-1]["facts"].get("reading") if said else None
    return TypeAdapter(Read).validate_python(found) if found else None


def enrolled(ledger: Ledger, record: BatchRecord, folder: Path | None = None, until: datetime | None = None) -> Grounds:
    """The versions that are enrolled now (or were at `until`).

    The TOML files in `folder` replace those with their ids, or are added to them. The letter was signed with a key
    that was the requester's then: keys of the recorded version count beside those of today. Raises Usage if `folder`
    holds no TOML file, BadInput if one is no instrument.
    """
    found: dict[str, _Version] = {n: (v.version, v.digest, v.body) for n, v in at(ledger, until).items()}
    for path in _files(folder) if folder else []:
        body = path.read_bytes()
        found[parse_instrument(body, path.name).id] = (None, instrument_digest(body), body)
    now, then = _grounds(record, found), recorded(ledger, record)
    return Grounds(now.agreement.with_keys_of(then.agreement), now.orders, now.successors, now.cited)


def determinations(ledger: Ledger, record: BatchRecord) -> tuple[Determination, ...]:
    """The holder's determinations, which count until the batch ends: one that is made while it waits lets it go on.

    A batch that ended under an older version was decided on its letter's attestation, and is read so.
    """
    if record.state not in FINAL:
        return newest_determinations(ledger)
    events = ledger.events(record.name)
    end = next(e["at"] for e in reversed(events) if e["kind"] == record.state.value)
    then = at(ledger, datetime.fromisoformat(end))
    found = tuple(Enrolled.of(parse_enrolled(v.body, n) for n, v in then.items()).determinations.values())
    if "letter_key" in events[0]["facts"] or "NO_CLEARANCE" in record.codes:
        return found
    attested = Determination(
        kind="determination",
        id="attestation",
        title="What the letter attested",
        source="letter",
        agreements=(record.agreement,),
        determined_by=record.requester,
        determined_on=record.decided_on,
    )
    return (*found, attested)


def of_bodies(record: BatchRecord, instruments: Iterable[tuple[str, str, bytes]]) -> tuple[Grounds, dict[str, str]]:
    """The grounds that these versions (id, digest, body) are for a batch, as they stand; and digest by id of those that
    may speak of it."""
    given = list(instruments)
    on = _grounds(record, {id: (None, digest, body) for id, digest, body in given})
    parties = (on.agreement, *on.successors)
    used = {*(a.id for a in parties), *(o.id for o in on.orders), *(d.id for d in on.determinations)}
    return on, {id: digest for id, digest, _ in given if id in used}


def narrowed(ctx: BatchContext, record: BatchRecord, on: Grounds, under: Mapping[str, str], day: date) -> BatchContext:
    """The batch of `ctx` as it would be on these grounds on this day. The keys are those of `on` alone: a letter whose
    key was revoked is signed by nobody."""
    return replace(
        ctx,
        agreement=on.agreement,
        orders=on.orders,
        successors=on.successors,
        determinations=on.determinations,
        instruments=under,
        decided_on=day,
        received_on=legal_date(record.received_at, on.agreement.zone),
    )


def newest_determinations(ledger: Ledger) -> tuple[Determination, ...]:
    """The holder's determinations that are enrolled now."""
    return tuple(Enrolled.of(parse_enrolled(v.body, n) for n, v in at(ledger).items()).determinations.values())


def at(ledger: Ledger, until: datetime | None = None) -> dict[str, VersionRecord]:
    """The newest version of each instrument, by id; `until`: of those enrolled up to that moment."""
    versions = {name: ledger.versions(name) for name, *_ in ledger.instruments()}
    then = {name: [v for v in some if until is None or v.enrolled_at <= until] for name, some in versions.items()}
    return {name: some[-1] for name, some in then.items() if some}


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.toml"))
    if not found:
        remedy = "Name a folder with agreements or orders."
        raise Usage("NO_INSTRUMENTS", "the folder holds no TOML file", where="--instruments", remedy=remedy)
    return found


def _grounds(record: BatchRecord, bodies: Mapping[str, _Version]) -> Grounds:
    parsed = {name: parse_enrolled(body, name) for name, (_, _, body) in bodies.items()}
    known = Enrolled.of(parsed.values())
    agreement = known.agreements.get(record.agreement)
    if agreement is None:
        remedy = "See sluicegate instruments list."
        raise Usage("NO_AGREEMENT", "the batch's agreement is not enrolled", where=record.agreement, remedy=remedy)
    return Grounds(
        agreement,
        tuple(known.orders.values()),
        tuple(i for i in known.agreements.values() if agreement.id in i.supersedes),
        {n: Cited(n, parsed[n].kind, version, digest) for n, (version, digest, _) in bodies.items()},
        tuple(known.determinations.values()),
    )


def against(codes: Collection[str], letter: LetterFacts, agreement: str) -> list[str]:
    """Ids of the instruments behind these codes of a batch: those that stand against it, and its agreement."""
    return [*dict.fromkeys([*letter.ids_behind(codes), agreement])] if codes else []


def cited_for(codes: Collection[str], ctx: BatchContext) -> tuple[str, ...]:
    """Ids of the instruments behind these codes of the batch of `ctx`."""
    return tuple(against(codes, letter_facts(ctx), ctx.agreement.id))


def behind(rule: Rule, ctx: BatchContext, grounds: Grounds) -> list[Cited]:
    """The instruments that a row rule's verdict rests on beside the law: letter, agreement, court orders."""
    facts = [LETTER_FACTS[name] for name in rule.inputs if name in LETTER_FACTS]
    sources = {fact.source for fact in facts} | ({Source.AGREEMENT} if rule.agreed else set())
    orders = {order for fact in facts if fact.orders for order, _ in getattr(ctx.standing, fact.orders)}
    return [one for source in Source if source in sources for one in _cited(source, orders, ctx, grounds)]


def _cited(source: Source, orders: Collection[str], ctx: BatchContext, grounds: Grounds) -> list[Cited]:
    match source:
        case Source.LETTER:
            return [Cited("letter", "letter", None, of_file(ctx.files / LETTER))]
        case Source.AGREEMENT:
            return [grounds.cited[ctx.agreement.id]]
        case Source.ORDERS:
            return [grounds.cited[order] for order in sorted(orders)]
        case Source.HOLDER:
            return []
        case unknown:
            assert_never(unknown)
