"""What may be proposed, each by the ledger's own method for it: what is signed, and how it is carried out."""

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from expectations.base.errors import BadInput, Usage
from expectations.base.total import total
from expectations.instruments import parse_instrument
from flows.ledger import signing
from flows.ledger.operators import Operators, Signed, key_text, operator_text, roles_text
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.registry import Registry, instrument_text


class Changes(Registry, Operators):
    """Changes of operators and of instruments."""

    def waits(self, session: Session, kind: Proposed, subject: str, body: bytes, signed: Signed) -> bool:
        """Whether a change waits for one more signature than these; if not, it is carried out. Raises as its method."""
        try:
            _CARRY_OUT[kind](self, session, subject, body, signed)
        except Usage as error:
            if error.code != signing.FEWER:
                raise
            return True
        return False


def text(session: Session, kind: Proposed, subject: str, body: bytes) -> bytes:
    """What two operators sign (namespace `proposed.USE`), by what stands in this session. Raises as its method."""
    return _TEXTS[kind](session, subject, body)


def _instrument(subject: str, body: bytes) -> bytes:
    """The instrument; raises BadInput if it is another one than was named."""
    if parse_instrument(body, subject).id != subject:
        raise BadInput("OTHER_INSTRUMENT", "the instrument has another id", where=subject, remedy="Name it by its id.")
    return body


def _key(body: bytes) -> str:
    """The public key that a change is about."""
    key = Asked.of(body).key
    if key is None:
        raise BadInput("NO_KEY", "this change is about a public key", remedy="Give the line of the key.")
    return key


_TEXTS: Mapping[Proposed, Callable[[Session, str, bytes], bytes]] = total(
    Proposed,
    {
        Proposed.INSTRUMENT: lambda session, id, body: instrument_text(session, _instrument(id, body)),
        Proposed.ENROL_OPERATOR: lambda session, id, body: operator_text(session, id, _key(body), Asked.of(body).roles),
        Proposed.REVOKE_OPERATOR: lambda session, id, _: operator_text(session, id),
        Proposed.ADD_KEY: lambda session, id, body: key_text(session, id, _key(body), True),
        Proposed.REMOVE_KEY: lambda session, id, body: key_text(session, id, _key(body), False),
        Proposed.ROLES: lambda session, id, body: roles_text(session, id, Asked.of(body).roles),
    },
)
_CARRY_OUT: Mapping[Proposed, Callable[[Changes, Session, str, bytes, Signed], object]] = total(
    Proposed,
    {
        Proposed.INSTRUMENT: lambda desk, session, id, body, signed: desk.enrol_instrument(
            _instrument(id, body), signed, within=session
        ),
        Proposed.ENROL_OPERATOR: lambda desk, session, id, body, signed: desk.enrol_operator(
            id, _key(body), signed, Asked.of(body).roles, within=session
        ),
        Proposed.REVOKE_OPERATOR: lambda desk, session, id, _, signed: desk.revoke_operator(id, signed, within=session),
        Proposed.ADD_KEY: lambda desk, session, id, body, signed: desk.add_key(id, _key(body), signed, within=session),
        Proposed.REMOVE_KEY: lambda desk, session, id, body, signed: desk.remove_key(
            id, _key(body), signed, within=session
        ),
        Proposed.ROLES: lambda desk, session, id, body, signed: desk.give_roles(
            id, Asked.of(body).roles, signed, within=session
        ),
    },
)
