"""What every kind of event has: fields, which are the facts that the chain keeps, and what it does to the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict
from sqlalchemy import select

from expectations.base.digests import bytes_match
from flows.ledger.chain import REHASHED
from flows.ledger.database.models import Operator, OperatorKey, Signature, reader
from flows.ledger.roles import Act, may
from flows.ledger.signing import Given, SignedBy, fingerprint, is_good, roles_of
from flows.ledger.tables import Tables


class Kind(StrEnum):
    """What is told of beside the moves of a batch, whose kinds are its states."""

    ASKED = "asked"
    PERIOD = "period"
    ACCOUNTED = "accounted"
    SHREDDING = "shredding"
    SHREDDED = "shredded"
    VIEW = "view"
    VIEW_REFUSED = "view_refused"
    TRIES = "tries"
    TRIES_AGED = "tries_aged"
    ENROLLED = "enrolled"
    OPERATOR = "operator"
    BASELINE = "baseline"
    COMPLIED = "complied"
    DECISION = "decision"
    HALT = "halt"
    RESUMED = "resumed"
    CORRECTED = "corrected"
    RECALL = "recall"
    RECALL_SIGNED = "recall_signed"
    RECALL_ISSUED = "recall_issued"
    KEYS = "keys"
    CARRIED = "carried"
    CLOCK = "clock"
    TICK = "tick"
    REHASHED = REHASHED
    RESEALED = "resealed"
    RESTORED = "restored"
    OPENED = "opened"
    OPERATOR_KEY = "operator_key"
    OPERATOR_ROLES = "operator_roles"
    TAKEN_BACK = "taken_back"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED = "locked"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    INVITED = "invited"
    PASSWORD_SET = "password_set"
    IDENTITY_BOUND = "identity_bound"
    IDENTITY_UNBOUND = "identity_unbound"
    PAGES = "pages"
    DENIED = "denied"
    PROPOSED = "proposed"
    PROPOSAL_SIGNED = "proposal_signed"
    PROPOSAL_UNDONE = "proposal_undone"
    SNOOZED = "snoozed"
    UNSNOOZED = "unsnoozed"
    CALLED = "called"


# What happens on the desk of proposals, what people set aside for a while, and for what they ask others: the first page
# shows it.
ON_THE_DESK = frozenset(
    kind.value
    for kind in (
        *(Kind.PROPOSED, Kind.PROPOSAL_SIGNED, Kind.PROPOSAL_UNDONE),
        *(Kind.SNOOZED, Kind.UNSNOOZED, Kind.CALLED),
    )
)
# That, and what happens at the console's door and before its pages: it changes nothing of a batch, of the law or of the
# home.
AT_THE_DOOR = ON_THE_DESK | frozenset(
    kind.value
    for kind in (
        *(Kind.SIGNED_IN, Kind.SIGN_IN_FAILED, Kind.LOCKED, Kind.SIGNED_OUT, Kind.SESSION_ENDED),
        *(Kind.INVITED, Kind.PASSWORD_SET, Kind.PAGES, Kind.DENIED),
        *(Kind.IDENTITY_BOUND, Kind.IDENTITY_UNBOUND),
    )
)
UNKNOWN = "unknown:"  # begins what stands for a content that is not there, or does not fit its digest
_CLASSES: dict[str, type[Event]] = {}


class UnknownKind(ValueError):
    """An event of a kind that this version does not know."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One kind of event, or several that do the same. A field whose default is None was not in every version."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True)
    kinds: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, kinds: Iterable[StrEnum] = ()) -> None:
        cls.kinds = tuple(k.value for k in kinds)
        _CLASSES.update(dict.fromkeys(cls.kinds, cls))

    @property
    def event_kind(self) -> str:
        """How the chain calls it."""
        return self.kinds[0]

    def facts(self) -> dict[str, Any]:
        """What the chain keeps of it."""
        said = asdict(self)
        return {f.name: said[f.name] for f in fields(self) if not (f.default is None and said[f.name] is None)}

    @classmethod
    def read(cls, kind: str, facts: str) -> Event:
        """The event that the chain has; raises ValueError if its facts are not those of its kind."""
        found: Event = reader(cls).validate_json(facts)
        return found

    def wrong(self, tables: Tables) -> Iterator[str]:
        """Why this event cannot stand here; nothing if it can."""
        yield from ()

    def apply(self, tables: Tables) -> None:
        """Changes the tables as the event says; nothing else ever does."""


@dataclass(frozen=True, kw_only=True)
class Counted(Event):
    """An event that may say more than changes the tables: counts, codes, digests."""

    more: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        said = super().facts()
        return {**said.pop("more"), **said}

    @classmethod
    def read(cls, kind: str, facts: str) -> Event:
        names, found = {f.name for f in fields(cls)}, super().read(kind, facts)
        assert isinstance(found, cls)
        return replace(found, more={k: v for k, v in json.loads(facts).items() if k not in names})


@dataclass(frozen=True)
class Signing:
    """The signatures that an event rests on, over `text`. `keys`: fingerprints that may sign, by signer, if known."""

    namespace: str
    needed: int
    signed: tuple[SignedBy, ...]
    keys: Mapping[str, Iterable[str]] | None
    text: bytes


class SignedEvent(Event):
    """An event that rests on signatures of people: they must be enough, good, and of somebody who might sign then."""

    def signing(self, tables: Tables) -> Signing:
        raise NotImplementedError

    def wrong(self, tables: Tables) -> Iterator[str]:
        signing = self.signing(tables)
        if len({s.by for s in signing.signed}) < signing.needed:
            yield f"it lacks the signatures of {signing.needed} people"
        yield from filter(None, (_fault(tables, signing, one) for one in signing.signed))

    def apply(self, tables: Tables) -> None:
        signing, seq = self.signing(tables), tables.place.seq
        purpose = signing.namespace.removeprefix("sluicegate-")
        for one in signing.signed:
            row = Signature(seq=seq, purpose=purpose, text=signing.text, **vars(_given(tables, one)))
            tables.add(row, (seq, one.by))


def _given(tables: Tables, one: SignedBy) -> Given:
    key = (tables.place.seq, one.by)
    line = tables.content(Signature.key_line, key, one.key)
    return Given(one.by, line, tables.content(Signature.signature, key, one.signature))


def _fault(tables: Tables, signing: Signing, one: SignedBy) -> str | None:
    """Why a signature does not count. One whose content is not there is found where the tables are compared."""
    if signing.keys is not None and one.key not in signing.keys.get(one.by, ()):
        return f"{one.by} could not sign it then with that key"
    given = _given(tables, one)
    known = not any(is_unknown(v) for v in (given.key_line, given.signature, signing.text))
    fits = not known or is_good(signing.text, given, signing.namespace)
    return None if fits else f"the signature of {one.by} does not fit it"


def is_unknown(content: str | bytes) -> bool:
    """Whether this only stands for a content that is not there, or does not fit its digest."""
    return content[: len(UNKNOWN)] in (UNKNOWN, UNKNOWN.encode())


def is_content(content: str | bytes, digest: str, *, key: bool = False) -> bool:
    """Whether the chain has this content by this digest (a `key`: by its fingerprint), or it stands for that one."""
    if is_unknown(content):
        return (content if isinstance(content, str) else content.decode()).rpartition(":")[2] == digest
    if key:
        return fingerprint(str(content)) == digest
    return bytes_match(content.encode() if isinstance(content, str) else content, digest)


def operators(tables: Tables, signed: Iterable[SignedBy], act: Act, but: str = "") -> dict[str, tuple[str, ...]]:
    """The keys of those among the signers who are active operators and may do this, by name; without `but`, who may
    not sign here."""
    rows = {s.by: tables.find(Operator, s.by) for s in signed if s.by != but}
    able = [name for name, row in rows.items() if row and row.revoked_at is None and may(roles_of(row), act)]
    return {name: tuple(_keys(tables, name)) for name in able}


def _keys(tables: Tables, name: str) -> Iterable[str]:
    theirs = (OperatorKey.operator == name) & OperatorKey.removed_at.is_(None)
    return tables.session.scalars(select(OperatorKey.fingerprint).where(theirs))


def wrong_place(tables: Tables, after: int, head: str) -> Iterator[str]:
    """What is wrong with the event that people signed over as the newest. Looks at pages may have come in between:
    whoever signs must not have to close the console first."""
    if (after, head) != tables.newest_but(AT_THE_DOOR):
        yield "it was signed after another event"


def wrong_home(tables: Tables, home: str | None, named: bool | None = None) -> Iterator[str]:
    """What is wrong with the home that signatures are for; those of an older version named none. `named`: whether those
    of this kind had to name it by then; if left out, as soon as any did."""
    if home is None and (tables.homes_are_named if named is None else named):
        yield "its signatures do not say for which home they are"
    if home not in (None, tables.home):
        yield "its signatures are for another home"


def check_total(*enums: type[StrEnum]) -> None:
    """Raises TypeError at import if a kind of these lists has no class, or a class has a kind that stands in none."""
    listed = {kind.value for enum in enums for kind in enum}
    if listed != _CLASSES.keys():
        alone = sorted(listed ^ _CLASSES.keys())
        raise TypeError(f"kinds of events without a class, or classes without a kind: {alone}")


def read(kind: str, facts: str) -> Event:
    """An event of the chain; raises UnknownKind, or ValueError if it cannot be read."""
    if kind not in _CLASSES:
        raise UnknownKind(kind)
    try:
        json.loads(facts, parse_int=_stored)
    except RecursionError:
        raise ValueError("facts are not so deep") from None
    return _CLASSES[kind].read(kind, facts)


def _stored(digits: str) -> int:
    """A whole number as a database can hold it; raises ValueError for another."""
    if abs(number := int(digits)) >= 1 << 63:
        raise ValueError("no count is so large")
    return number
