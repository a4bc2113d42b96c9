"""Operators: who they are, with which keys they sign, and for what. Enrolling one takes two who are there already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.errors import Usage
from flows.ledger import facts, signing
from flows.ledger.core import Core, home_id
from flows.ledger.database.models import Operator, OperatorKey, Time, as_record
from flows.ledger.events.operators import OperatorChanged, OperatorKeyChanged, RolesGiven
from flows.ledger.roles import ALL, Act, Role, require
from flows.ledger.signing import roles_of

Signed = Mapping[str, str]  # armored SSH signatures, or those of passkeys, by where each was read


@dataclass(frozen=True)
class KeyRecord:
    """A public key of an operator, until it was removed."""

    fingerprint: str
    key_line: str
    added_at: Time
    removed_at: Time | None


@dataclass(frozen=True)
class OperatorRecord:
    """An operator: name, roles, since when, until when; `keys`: all, oldest first, removed ones too."""

    name: str
    roles: Json[tuple[Role, ...]]
    enrolled_at: Time
    revoked_at: Time | None
    keys: tuple[KeyRecord, ...]


class Operators(Core):
    """Operators, their keys and their roles."""

    def operator_message(self, name: str, key_line: str | None = None, roles: Iterable[Role] | None = None) -> bytes:
        """What two operators sign (namespace signatures.OPERATOR) to enrol `name` with this public key for these
        roles; or without a key to revoke it. Raises Usage if nobody of this name is there to be revoked, or if a later
        operator has no role."""
        with self.reading() as session:
            return operator_text(session, name, key_line, roles)

    def enrol_operator(
        self,
        name: str,
        key_line: str,
        signed: Signed | None = None,
        roles: Iterable[Role] | None = None,
        within: Session | None = None,
    ) -> None:
        """Enrols an operator with a public key: Ed25519 as in authorized_keys, or a passkey. Again the same: no change.

        The first two come with the home, and have all roles; each later one needs the signatures of two operators over
        `operator_message`, since whoever could enrol keys of his own would have two. Raises Usage if the name, or the
        key, is another operator's, or was revoked; BadInput or Usage if signatures are missing or do not count.
        """
        key = signing.plain_key(key_line)
        with self.within(within) as session:
            same = session.get(Operator, facts.name(name, "operator"))
            if same and same.revoked_at is None and _first_key(session, name).key_line == key:
                return
            _require_new(session, name, key)
            first, given, home = _comes_first(session), _given(session, roles), home_id(session)
            text = operator_text(session, name, key, given)
            by, contents = ((), {}) if first else _by_two(session, text, signed or {})
            event = OperatorChanged(
                operator=name, key=signing.fingerprint(key), enrolled=True, signed=by, home=home, roles=given
            )
            self.append(session, None, event, {event.key: key, **contents}, also={name})

    def revoke_operator(self, name: str, signed: Signed, within: Session | None = None) -> None:
        """From now on this operator's signatures count no more, nor what waits for another's. What was decided stays.

        Needs the signatures of two other operators over `operator_message`: one stolen key must not be able to put out
        those who would answer it. Until they have signed, `halt` stops all releases, at once and unsigned.
        """
        with self.within(within) as session:
            key, home = _first_key(session, name).fingerprint, home_id(session)
            by, contents = _by_two(session, operator_text(session, name), signed, but=name)
            event = OperatorChanged(operator=name, key=key, enrolled=False, signed=by, home=home, voids=True)
            self.append(session, None, event, contents, also={name})

    def key_message(self, name: str, key_line: str, added: bool) -> bytes:
        """What two operators sign (namespace signatures.OPERATOR) to give `name` one more key, or to take it away."""
        with self.reading() as session:
            return key_text(session, name, key_line, added)

    def add_key(self, name: str, key_line: str, signed: Signed, within: Session | None = None) -> None:
        """Gives an operator one more key, a passkey beside an SSH key: still one person, who counts once.

        Needs the signatures of two operators over `key_message`; raises as `enrol_operator`.
        """
        key = signing.plain_key(key_line)
        with self.within(within) as session:
            active_operator(session, name)
            _require_new(session, "", key)
            self._change_key(session, name, key, True, signed)

    def remove_key(self, name: str, key_line: str, signed: Signed, within: Session | None = None) -> None:
        """Takes a key away from an operator, who keeps others. Needs the signatures of two operators over
        `key_message`, by other keys; raises Usage if it is not the operator's, or the only one."""
        key = signing.plain_key(key_line)
        with self.within(within) as session:
            active_operator(session, name)
            theirs = [row.key_line for row in _keys(session, name) if row.removed_at is None]
            if key not in theirs:
                remedy = "See sluicegate operator list."
                raise Usage("NO_SUCH_KEY", "the operator has no such key", where=name, remedy=remedy)
            if len(theirs) == 1:
                what = "it is the operator's only key"
                raise Usage("LAST_KEY", what, where=name, remedy="Add another first, or revoke the operator.")
            self._change_key(session, name, key, False, signed)

    def _change_key(self, session: Session, name: str, key: str, added: bool, signed: Signed) -> None:
        fingerprint, home = signing.fingerprint(key), home_id(session)
        by, contents = _by_two(session, key_text(session, name, key, added), signed, without=fingerprint)
        event = OperatorKeyChanged(operator=name, key=fingerprint, added=added, signed=by, home=home)
        self.append(session, None, event, {fingerprint: key, **contents}, also={name})

    def roles_message(self, name: str, roles: Iterable[Role]) -> bytes:
        """What two other operators sign (namespace signatures.OPERATOR) to give `name` these roles, and no others."""
        with self.reading() as session:
            return roles_text(session, name, roles)

    def give_roles(self, name: str, roles: Iterable[Role], signed: Signed, within: Session | None = None) -> None:
        """From now on this operator has these roles, and no others. What it had signed, may sign no more, and waits for
        another counts no more. Needs the signatures of two others over `roles_message`; raises as `revoke_operator`."""
        given = _sorted(roles)
        with self.within(within) as session:
            row, home = active_operator(session, name), home_id(session)
            by, contents = _by_two(session, roles_text(session, name, given), signed, but=name)
            event = RolesGiven(operator=name, roles=given, after=row.changed, signed=by, home=home)
            self.append(session, None, event, contents, also={name})

    def operators(self) -> list[OperatorRecord]:
        """All operators by name, revoked ones too."""
        with self.reading() as session:
            rows = session.scalars(select(Operator).order_by(Operator.name))
            return [as_record(OperatorRecord, row, keys=_records(session, row.name)) for row in rows]

    def require_act(self, name: str, act: Act) -> None:
        """Raises Usage if no operator of this name is enrolled, NotYourRole if its roles do not allow this."""
        with self.transaction() as session:
            require(roles_of(active_operator(session, name)), act, name)

    def operator_of(self, key_line: str) -> str:
        """The name of the operator whose key this is; raises BadInput if it is no active operator's."""
        with self.reading() as session:
            return signing.key_owner(session, signing.plain_key(key_line), "key").name


def operator_text(
    session: Session, name: str, key_line: str | None = None, roles: Iterable[Role] | None = None
) -> bytes:
    """As `Operators.operator_message`, by what stands in this session."""
    home = home_id(session)
    if key_line is None:
        return signing.operator_message(name, _first_key(session, name).fingerprint, False, home)
    key = signing.fingerprint(signing.plain_key(key_line))
    return signing.operator_message(facts.name(name, "operator"), key, True, home, _given(session, roles))


def key_text(session: Session, name: str, key_line: str, added: bool) -> bytes:
    """As `Operators.key_message`, by what stands in this session."""
    key = signing.fingerprint(signing.plain_key(key_line))
    return signing.key_message(active_operator(session, name).name, key, added, home_id(session))


def roles_text(session: Session, name: str, roles: Iterable[Role]) -> bytes:
    """As `Operators.roles_message`, by what stands in this session."""
    row = active_operator(session, name)
    return signing.roles_message(name, _sorted(roles), row.changed, home_id(session))


def active_operator(session: Session, name: str) -> Operator:
    """The operator called `name`; raises Usage if there is none, or if it was revoked."""
    operator = session.get(Operator, name)
    if operator is None or operator.revoked_at is not None:
        remedy = "Enrol the operator's key first."
        raise Usage("UNKNOWN_OPERATOR", "no operator of this name is enrolled", remedy=remedy)
    return operator


def _keys(session: Session, name: str) -> list[OperatorKey]:
    theirs = select(OperatorKey).where(OperatorKey.operator == name)
    return list(session.scalars(theirs.order_by(OperatorKey.added_at, OperatorKey.fingerprint)))


def _records(session: Session, name: str) -> tuple[KeyRecord, ...]:
    return tuple(as_record(KeyRecord, row) for row in _keys(session, name))


def _first_key(session: Session, name: str) -> OperatorKey:
    """The key that the operator was enrolled with, by which it is revoked; raises Usage if it is not active."""
    return _keys(session, active_operator(session, name).name)[0]


def _require_new(session: Session, name: str, key: str) -> None:
    """Raises Usage if there was ever an operator of this name, or with this key."""
    if session.get(Operator, name) or session.get(OperatorKey, signing.fingerprint(key)):
        what = "this name or this key is enrolled already, or was revoked"
        raise Usage("OPERATOR_KNOWN", what, remedy="Choose another name and make a new key.")


def _comes_first(session: Session) -> bool:
    return (session.scalar(select(func.count()).select_from(Operator)) or 0) < signing.KEYS_NEEDED


def _given(session: Session, roles: Iterable[Role] | None) -> tuple[Role, ...]:
    """The roles of who is enrolled: all of them for the first two, for others those that were asked for."""
    return ALL if _comes_first(session) else _sorted(roles or ())


def _sorted(roles: Iterable[Role]) -> tuple[Role, ...]:
    found = tuple(sorted(set(roles)))
    if not found:
        what = "an operator has at least one role"
        raise Usage("NO_ROLE", what, remedy=f"Say which, with --role: {', '.join(Role)}.")
    return found


def _by_two(
    session: Session, text: bytes, signed: Signed, but: str = "", without: str = ""
) -> tuple[tuple[signing.SignedBy, ...], dict[str, str]]:
    """As `signing.signed_by_two`. `but`: the operator who may not sign; `without`: the key that may not."""

    def refuse(one: signing.Given) -> None:
        if one.signer == but:
            raise Usage("OWN_REVOCATION", "two other operators decide about an operator", where=but)
        if one.named.key == without:
            raise Usage("OWN_REMOVAL", "a key cannot sign that it is taken away", where=one.signer)

    return signing.signed_by_two(session, text, signed, signatures.OPERATOR, Act.OPERATORS, refuse)
