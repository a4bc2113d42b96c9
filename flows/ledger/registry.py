"""Who and what counts: enrolled instruments and operators."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.errors import Usage
from expectations.instruments import instrument_digest, parse_instrument
from flows.ledger import chain, facts
from flows.ledger.core import Core, find
from flows.ledger.facts import View
from flows.ledger.keys import fingerprint, plain_key
from flows.ledger.models import Enrolled, Operator


@dataclass(frozen=True)
class OperatorRecord:
    """An operator: name, public key, since when, until when."""

    name: str
    key_line: str
    enrolled_at: datetime
    revoked_at: datetime | None


class Registry(Core):
    """Instruments and operators."""

    def enrol_instrument(self, body: bytes, by: Sequence[str], where: str = "instrument") -> str:
        """Enrols this version of an instrument, in the name of operators; gives its digest. Again the same: no change.

        Waits for a publication under way, so that a court order is either heeded by it or enrolled after it.
        Raises BadInput if it is no instrument, Usage if `by` is empty or names someone who is no operator.
        """
        instrument, digest = parse_instrument(body, where), instrument_digest(body)
        with self.transaction() as session:
            for name in by or [""]:
                active_operator(session, name)
            if any(d == digest for _, d, _ in latest_instruments(session)):
                return digest
            at, seq = self.now(), chain.head(session).seq + 1
            session.add(Enrolled(
                seq=seq, id=instrument.id, digest=digest, kind=instrument.kind, enrolled_at=at,
                enrolled_by=json.dumps(sorted(by)), body=body,
            ))  # fmt: skip
            session.flush()
            self.append(session, None, "enrolled", {
                "instrument": instrument.id, "kind": instrument.kind, "digest": digest, "by": sorted(by),
            })  # fmt: skip
        return digest

    def instruments(self) -> list[tuple[str, str, bytes]]:
        """(id, digest, body) of the newest enrolled version of each instrument, by id."""
        with self.reading() as session:
            return latest_instruments(session)

    def instrument(self, digest: str) -> bytes | None:
        """The body of an enrolled version, also of one that is no longer the newest: for replay."""
        with self.reading() as session:
            return session.scalar(select(Enrolled.body).where(Enrolled.digest == digest).limit(1))

    def enrol_operator(self, name: str, key_line: str) -> None:
        """Enrols an operator with an Ed25519 public key (a line of authorized_keys). Again the same: no change.

        Raises Usage if the name, or the key, is another operator's, or was revoked.
        """
        key = plain_key(key_line)
        with self.transaction() as session:
            same = session.get(Operator, facts.name(name, "operator"))
            if same and same.key_line == key and same.revoked_at is None:
                return
            if same or session.scalar(select(Operator.name).where(Operator.key_line == key)):
                raise Usage("OPERATOR_KNOWN", "this name or this key is enrolled already, or was revoked",
                            remedy="Choose another name and make a new key.")  # fmt: skip
            session.add(Operator(name=name, key_line=key, enrolled_at=self.now()))
            session.flush()
            self.append(session, None, "operator", {"operator": name, "key": fingerprint(key), "enrolled": True})

    def revoke_operator(self, name: str) -> None:
        """From now on this operator's signatures count no more. What was decided stays."""
        with self.transaction() as session:
            operator = active_operator(session, name)
            operator.revoked_at = self.now()
            self.append(
                session, None, "operator",
                {"operator": name, "key": fingerprint(operator.key_line), "enrolled": False},
            )  # fmt: skip

    def operators(self) -> list[OperatorRecord]:
        """All operators by name, revoked ones too."""
        with self.reading() as session:
            return [
                OperatorRecord(o.name, o.key_line, datetime.fromisoformat(o.enrolled_at),
                               datetime.fromisoformat(o.revoked_at) if o.revoked_at else None)
                for o in session.scalars(select(Operator).order_by(Operator.name))
            ]  # fmt: skip

    def audit(self, batch: str, ordinal: int, what: View, who: str) -> None:
        """Records that `who` (an operator or a login name) is about to see values of a row: call it before showing them."""
        facts.name(who, "who")
        with self.transaction() as session:
            said = {"ordinal": ordinal, "what": View(what).value, "who": who}
            self.append(session, find(session, batch), "view", said, also={who})


def latest_instruments(session: Session) -> list[tuple[str, str, bytes]]:
    """(id, digest, body) of the newest version of each instrument."""
    newest = select(func.max(Enrolled.seq)).group_by(Enrolled.id)
    rows = session.execute(
        select(Enrolled.id, Enrolled.digest, Enrolled.body).where(Enrolled.seq.in_(newest)).order_by(Enrolled.id)
    )
    return [(r.id, r.digest, r.body) for r in rows]


def active_operator(session: Session, name: str) -> Operator:
    """The operator called `name`; raises Usage if there is none, or if it was revoked."""
    operator = session.get(Operator, name)
    if operator is None or operator.revoked_at is not None:
        raise Usage(
            "UNKNOWN_OPERATOR", "no operator of this name is enrolled", remedy="Enrol the operator's key first."
        )
    return operator
