"""Who counts, and for what: operators, their keys and roles; and what was refused to them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from expectations.base import signatures
from flows.ledger.database.models import Batch, Decided, Halt, Operator, OperatorKey, RecallCase, Signature
from flows.ledger.decisions import Decision
from flows.ledger.events.base import Event, Kind, SignedEvent, Signing, is_content, operators, wrong_home
from flows.ledger.lifecycles.cases import CaseState
from flows.ledger.lifecycles.states import State
from flows.ledger.roles import ALL, DECIDES, Act, Role, may
from flows.ledger.signing import KEYS_NEEDED, SignedBy, key_message, operator_message, roles_message
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class OperatorChanged(SignedEvent, kinds=[Kind.OPERATOR]):
    """An operator is enrolled with a first key, or revoked. The first two come with the home, unsigned.

    `roles`: of who is enrolled; who was enrolled by an older version has all. `voids`: from now on what a revoked
    operator had signed and still waits for another counts no more.
    """

    operator: str
    key: str
    enrolled: bool
    signed: tuple[SignedBy, ...] | None = None
    home: str | None = None
    roles: tuple[Role, ...] | None = None
    voids: bool | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = self.signed or ()
        known = tables.session.scalar(select(func.count()).select_from(Operator)) or 0
        needed = 0 if self.enrolled and known < KEYS_NEEDED else KEYS_NEEDED
        text = operator_message(self.operator, self.key, self.enrolled, self.home, self.roles)
        able = operators(tables, signed, Act.OPERATORS, but=self.operator)
        return Signing(signatures.OPERATOR, needed, signed, able, text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        yield from _wrong_roles(self.roles if self.enrolled else None)

    def apply(self, tables: Tables) -> None:
        super().apply(tables)  # first: who signs is counted before there is one more
        if not self.enrolled:
            tables.row(Operator, self.operator).revoked_at = tables.place.at
            if self.voids:
                _void_without(tables, self.operator, ())
            return
        roles, at = json.dumps(ALL if self.roles is None else self.roles), tables.place.at
        row = Operator(name=self.operator, roles=roles, changed=tables.place.seq, enrolled_at=at)
        tables.add(row, self.operator)
        _add_key(tables, self.operator, self.key)


@dataclass(frozen=True, kw_only=True)
class OperatorKeyChanged(SignedEvent, kinds=[Kind.OPERATOR_KEY]):
    """An operator has one key more, or one less: a passkey beside the SSH key, a lost one gone. Still one person. What
    was signed with a key that goes, and still waits for another, counts no more."""

    operator: str
    key: str
    added: bool
    signed: tuple[SignedBy, ...]
    home: str

    def signing(self, tables: Tables) -> Signing:
        text = key_message(self.operator, self.key, self.added, self.home)
        return Signing(signatures.OPERATOR, KEYS_NEEDED, self.signed, self._able(tables), text)

    def _able(self, tables: Tables) -> dict[str, tuple[str, ...]]:
        able = operators(tables, self.signed, Act.OPERATORS)
        return {name: tuple(k for k in keys if k != self.key) for name, keys in able.items()}

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        who, key = tables.find(Operator, self.operator), tables.find(OperatorKey, self.key)
        theirs = key is not None and key.operator == self.operator and key.removed_at is None
        if who is None or who.revoked_at is not None or (key is not None if self.added else not theirs):
            yield "there is no such operator, or no such key of the operator"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        if self.added:
            _add_key(tables, self.operator, self.key)
        else:
            tables.row(OperatorKey, self.key).removed_at = tables.place.at
            _void_by(tables, self.operator, self.key)


@dataclass(frozen=True, kw_only=True)
class RolesGiven(SignedEvent, kinds=[Kind.OPERATOR_ROLES]):
    """An operator has these roles from now on, given by two others. What the operator had signed, may sign no more, and
    still waits for another counts no more. `after`: the event that gave the roles before."""

    operator: str
    roles: tuple[Role, ...]
    after: int
    signed: tuple[SignedBy, ...]
    home: str

    def signing(self, tables: Tables) -> Signing:
        text = roles_message(self.operator, self.roles, self.after, self.home)
        able = operators(tables, self.signed, Act.OPERATORS, but=self.operator)
        return Signing(signatures.OPERATOR, KEYS_NEEDED, self.signed, able, text)

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        yield from wrong_home(tables, self.home)
        yield from _wrong_roles(self.roles)
        who = tables.find(Operator, self.operator)
        if who is None or who.revoked_at is not None or who.changed != self.after:
            yield "there is no such operator, or its roles have changed since"

    def apply(self, tables: Tables) -> None:
        super().apply(tables)
        row = tables.row(Operator, self.operator)
        row.roles, row.changed = json.dumps(self.roles), tables.place.seq
        _void_without(tables, self.operator, self.roles)


@dataclass(frozen=True, kw_only=True)
class Denied(Event, kinds=[Kind.DENIED]):
    """An operator tried what the roles do not allow. Nothing was done. `count`: so often, where that was gathered."""

    by: str
    act: Act
    count: int | None = None


def _wrong_roles(roles: tuple[Role, ...] | None) -> Iterator[str]:
    if roles is not None and (not roles or list(roles) != sorted(set(roles))):
        yield "it does not say each role once, in order"


def _add_key(tables: Tables, operator: str, key: str) -> None:
    line = tables.content(OperatorKey.key_line, key, key)
    row = OperatorKey(fingerprint=key, operator=operator, key_line=line, added_at=tables.place.at)
    tables.add(row, key)


def _void_without(tables: Tables, operator: str, roles: tuple[Role, ...]) -> None:
    """Takes away what this operator has signed, may sign no more, and still waits: on holds, halts and recalls."""
    gone = [act for act in Act if not may(roles, act)]
    _void(
        tables,
        lambda one: one.operator == operator and DECIDES[Decision(one.decision)] in gone,
        lambda one: one.signer == operator and Act.RECALL in gone,
    )


def _void_by(tables: Tables, operator: str, key: str) -> None:
    """Takes away what was signed with this key, and still waits: whoever stole it may have signed it."""

    def with_key(one: Signature | None) -> bool:
        return one is not None and one.signer == operator and is_content(one.key_line, key, key=True)

    _void(tables, lambda one: with_key(tables.find(Signature, (one.seq, operator))), with_key)


def _void(tables: Tables, decided: Callable[[Decided], bool], signed: Callable[[Signature], bool]) -> None:
    """Takes away all that waits where one of these has signed. Who else had signed there signs again: `voided`, or the
    case's `seq`, goes into what is to be signed."""
    session = tables.session
    held = select(Batch).where(Batch.state == State.HELD.value)
    for row in (*session.scalars(held), *session.scalars(select(Halt).where(Halt.resumed_at.is_(None)))):
        hold = row.hold if isinstance(row, Batch) else row.seq
        if any(map(decided, list(session.scalars(select(Decided).where(Decided.hold == hold))))):
            void(tables, row)
    for case in session.scalars(select(RecallCase).where(RecallCase.state != CaseState.CLOSED.value)):
        since = select(Signature).where(Signature.purpose == "recall", Signature.seq > case.seq)
        if any(json.loads(one.text)["case"] == case.id and signed(one) for one in session.scalars(since)):
            case.seq = tables.place.seq


def void(tables: Tables, row: Batch | Halt) -> None:
    """Nothing that was signed on this hold, or halt, counts any more."""
    hold = row.hold if isinstance(row, Batch) else row.seq
    for one in tables.session.scalars(select(Decided).where(Decided.hold == hold)):
        tables.session.delete(one)
    row.voided = tables.place.seq
