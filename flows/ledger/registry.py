"""What counts: enrolled instruments."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base import algorithms, signatures
from expectations.base.digests import bytes_match, of_bytes
from expectations.base.errors import Usage
from expectations.instruments import Agreement, Determination, instrument_digest, parse_instrument
from flows.ledger import barring, chain, facts, signing
from flows.ledger.core import Core, home_id
from flows.ledger.database.models import Enrolled, Event, Signature, Time, as_record
from flows.ledger.events.base import Kind
from flows.ledger.events.registry import Complied, InstrumentEnrolled
from flows.ledger.roles import Act

_FIRST_ZONE = "Pacific/Kiritimati"  # the first place where a day begins: what lies ahead there lies ahead everywhere


@dataclass(frozen=True)
class VersionRecord:
    """An enrolled version of an instrument. `signed`: (operator, fingerprint of the key, digest of the signature)."""

    version: int
    digest: str
    kind: str
    enrolled_at: Time
    signed: tuple[tuple[str, str, str], ...]
    body: bytes


class Registry(Core):
    """Instruments."""

    def instrument_message(self, body: bytes, where: str = "instrument") -> bytes:
        """What two operators sign (namespace signatures.INSTRUMENT) to enrol this, after the version enrolled now.

        Raises BadInput if it is no instrument.
        """
        with self.reading() as session:
            return instrument_text(session, body, where)

    def enrol_instrument(
        self, body: bytes, signed: Mapping[str, str], where: str = "instrument", within: Session | None = None
    ) -> str:
        """Enrols this version of an instrument; gives its digest. The version that is enrolled now again: no change.

        `signed`: armored signatures over `instrument_message`, by where each was read, of two different operators.
        Waits for a publication under way, so that a court order is either heeded by it or enrolled after it.
        Raises BadInput if it is no instrument, or its id is that of one of another kind, or a signature does not count;
        Usage if there are not two operators, if it determines something for a day to come, or if it is an agreement
        that bars people from deciding and leaves fewer than two approvers who may.
        """
        instrument, digest = parse_instrument(body, where), instrument_digest(body)
        if isinstance(instrument, Determination) and instrument.determined_on > self.clock.today(_FIRST_ZONE):
            ahead, remedy = "a determination is dated ahead, and would count for too long", "Date it as it was made."
            raise Usage("DETERMINED_AHEAD", ahead, where=f"{where}, determined_on", remedy=remedy)
        with self.within(within) as session:
            newest = _newest(session, instrument.id)
            if newest is not None and bytes_match(body, newest.digest):
                return newest.digest
            if newest is not None and newest.kind != instrument.kind:
                place, remedy = f"{where}, id", "Give it an id of its own."
                raise Usage("KIND_CHANGED", "another kind of instrument has this id", where=place, remedy=remedy)
            id, kind, version = instrument.id, instrument.kind, newest.version + 1 if newest else 1
            text = instrument_text(session, body, where)
            by, contents = signing.signed_by_two(session, text, signed, signatures.INSTRUMENT, Act.ENROL_INSTRUMENT)
            if isinstance(instrument, Agreement):
                barring.require_two(session, instrument, {one.by for one in by}, self.clock.today(instrument.zone))
            event = InstrumentEnrolled(
                instrument=id, kind=kind, digest=digest, version=version, signed=by, home=home_id(session)
            )
            self.append(session, None, event, {digest: body, **contents}, also={id})
        return digest

    def compliance_message(self, id: str, proof: str) -> bytes:
        """What an operator signs (namespace signatures.COMPLIANCE) to confirm compliance with the version of an order
        that is enrolled now; `proof`: see `proof_of`. Raises Usage if no order of this id is enrolled, or if
        exactly this was confirmed already."""
        with self.reading() as session:
            return _compliance(session, id, _order(session, id).digest, proof)

    def proof_of(self, id: str, filed: bytes) -> str:
        """The digest by which what was filed for this order is confirmed: the one that it was confirmed by before."""
        with self.reading() as session:
            said = session.scalars(select(Event.facts).where(Event.kind == Kind.COMPLIED.value))
            known = [one["proof"] for one in map(json.loads, said) if one["order"] == id]
        return next((proof for proof in known if bytes_match(filed, proof)), of_bytes(filed))

    def confirm_compliance(self, id: str, proof: str, key_line: str, signature: str) -> int:
        """Records a signed confirmation of compliance; gives the event's number. Raises BadInput if the signature is
        not an enrolled operator's over `compliance_message`, Usage as that does."""
        with self.transaction() as session:
            digest, home = _order(session, id).digest, home_id(session)
            text = _compliance(session, id, digest, proof)
            given = signing.signing_operator(session, text, key_line, signature, signatures.COMPLIANCE, Act.COMPLIANCE)
            event = Complied(order=id, digest=digest, proof=proof, home=home, **vars(given.named))
            return self.append(session, None, event, given.contents)

    def confirmed(self) -> dict[str, str]:
        """Who signed the newest confirmation for each version of an order, by the version's digest."""
        with self.reading() as session:
            said = session.scalars(select(Event.facts).where(Event.kind == Kind.COMPLIED.value).order_by(Event.seq))
            return {one["digest"]: one["by"] for one in map(json.loads, said)}

    def instruments(self) -> list[tuple[str, str, bytes]]:
        """(id, digest, body) of the newest enrolled version of each instrument, by id."""
        with self.reading() as session:
            return latest_instruments(session)

    def instrument(self, digest: str) -> bytes | None:
        """The body of an enrolled version, also of one that is no longer the newest: for replay."""
        with self.reading() as session:
            return session.scalar(select(Enrolled.body).where(Enrolled.digest == digest).limit(1))

    def versions(self, id: str) -> list[VersionRecord]:
        """All versions of an instrument, oldest first; none if it was never enrolled."""
        with self.reading() as session:
            rows = session.scalars(select(Enrolled).where(Enrolled.id == id).order_by(Enrolled.version))
            return [as_record(VersionRecord, row, signed=_signed(session, row.seq)) for row in rows]


def latest_instruments(session: Session) -> list[tuple[str, str, bytes]]:
    """(id, digest, body) of the newest version of each instrument."""
    newest = select(func.max(Enrolled.seq)).group_by(Enrolled.id)
    query = select(Enrolled.id, Enrolled.digest, Enrolled.body).where(Enrolled.seq.in_(newest)).order_by(Enrolled.id)
    return [(id, digest, body) for id, digest, body in session.execute(query)]


def _newest(session: Session, id: str) -> Enrolled | None:
    return session.scalar(select(Enrolled).where(Enrolled.id == id).order_by(Enrolled.seq.desc()).limit(1))


def _order(session: Session, id: str) -> Enrolled:
    found = _newest(session, id)
    if found is None or found.kind != "court_order":
        remedy = "See sluicegate instruments list."
        raise Usage("UNKNOWN_ORDER", "no court order of this id is enrolled", where=id, remedy=remedy)
    return found


def _compliance(session: Session, id: str, digest: str, proof: str) -> bytes:
    """As `Registry.compliance_message`. Another filing may be confirmed beside the first; the same says nothing new."""
    said = session.scalars(select(Event.facts).where(Event.kind == Kind.COMPLIED.value))
    if any((one["digest"], one["proof"]) == (digest, proof) for one in map(json.loads, said)):
        what = "that exactly this was filed for this version of the order is confirmed already"
        raise Usage("CONFIRMED_ALREADY", what, where=id, remedy="Nothing is left to do: the audit log says who signed.")
    return signing.compliance_message(id, digest, facts.digest(proof, "proof"), home_id(session))


def instrument_text(session: Session, body: bytes, where: str = "instrument") -> bytes:
    """As `Registry.instrument_message`, by what stands in this session."""
    instrument = parse_instrument(body, where)
    newest = _newest(session, instrument.id)
    after, digest = newest.version if newest else 0, instrument_digest(body)
    return signing.instrument_message(instrument.kind, instrument.id, digest, after, home_id(session))


def _signed(session: Session, seq: int) -> tuple[tuple[str, str, str], ...]:
    found = session.scalars(select(Signature).where(Signature.seq == seq).order_by(Signature.signer))
    with algorithms.using(chain.scheme_at(session, seq)):
        return tuple((s.signer, signing.fingerprint(s.key_line), of_bytes(s.signature.encode())) for s in found)
