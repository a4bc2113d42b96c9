"""Where a change waits until two have signed it, each in their own time: a desk, and no part of what is true.

A proposal and its signatures lie in tables of their own. Each signature is checked when it is given, and all of them
once more when there are two: then the change is carried out in the same transaction, by the method that takes both at
once, which alone says whether they count. What is signed is worked out from what stands now: where that has changed,
where a key was taken away or a role is gone, an earlier signature counts no more.

That two weeks have passed is no event: nobody did anything, and nothing changed. The event of the proposal says since
when it lay here, and one that was neither carried out nor withdrawn within that time is over.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, true
from sqlalchemy.orm import Session

from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput, Usage
from flows.ledger import changes, facts, signing
from flows.ledger.changes import Changes
from flows.ledger.database.models import Time, as_record, stamp
from flows.ledger.entrance.models import Proposal, ProposalSignature
from flows.ledger.events.proposals import ChangeProposed, ProposalSigned, ProposalUndone
from flows.ledger.operators import active_operator
from flows.ledger.proposed import ACT, USE, Proposed, may_propose
from flows.ledger.roles import NotYourRole
from flows.ledger.signing import roles_of, signed_by

VALID = timedelta(days=14)
LONGEST = 64 * 1024  # bytes of a body
MOST, OWN = 200, 10  # open proposals: of all, and of one operator
_OPEN = "See sluicegate proposals list."


@dataclass(frozen=True)
class ProposalRecord:
    """A proposal that is open.

    operator  who proposed it
    proposed  digest of the text that would have been signed when it was proposed
    digest    of the text that is signed now; None if it cannot be carried out any more
    obstacle  why it cannot, in words; empty if it can
    signed    who has signed that, by a signature that counts now
    void      how many have not: they signed what stood before, or with a key or a role that is gone
    """

    number: int
    kind: Proposed
    subject: str
    body: bytes
    operator: str
    proposed_at: Time
    expires_at: Time
    proposed: str
    digest: str | None
    obstacle: str
    signed: tuple[str, ...]
    void: int

    @property
    def spoken(self) -> int:
        """How many have signed."""
        return len(self.signed)


class Proposals(Changes):
    """Changes of operators and of instruments that wait for a second signature."""

    def propose(self, kind: Proposed, subject: str, body: bytes, by: str) -> int:
        """Lays a change on the desk for two weeks; gives its number. The same again, while it is open: the same number.

        `subject`: the id of the instrument or operator; `body`: the instrument's TOML, or `Asked.body`. Raises Usage or
        BadInput if it could not be carried out, changes nothing, is too long, or if too many are open; NotYourRole if
        the roles of `by` do not allow it.
        """
        if not facts.NAME.match(subject):
            what = "an id has letters, digits, dot, hyphen and underscore only, 64 at most"
            raise BadInput("UNSAFE_NAME", what, remedy="Write it so.")
        if len(body) > LONGEST:
            raise BadInput("PROPOSAL_TOO_LONG", f"a proposal holds {LONGEST:,} bytes at most", where=subject)
        with self.transaction() as session:
            roles, at = roles_of(active_operator(session, by)), self._stamp(session)
            if not may_propose(roles, kind, subject, by):
                raise NotYourRole(by, ACT[kind])
            session.execute(delete(Proposal).where(Proposal.expires_at <= at))
            same = (Proposal.kind == kind.value, Proposal.subject == subject, Proposal.body == body)
            if (number := session.scalar(select(Proposal.number).where(*same))) is not None:
                return number
            if not self.waits(session, kind, subject, body, {}):
                raise Usage("NOTHING_TO_DO", "nothing would change by this", where=subject, remedy=_OPEN)
            _require_room(session, by)
            digest = of_bytes(changes.text(session, kind, subject, body))
            event = ChangeProposed(by=by, change=kind, subject=subject, digest=digest)
            number = self.append(session, None, event, also={subject}, at=at)
            times = {"proposed_at": at, "expires_at": stamp(datetime.fromisoformat(at) + VALID)}
            row = Proposal(
                number=number, kind=kind.value, subject=subject, body=body, digest=digest, operator=by, **times
            )
            session.add(row)
            return number

    def proposals(self) -> list[ProposalRecord]:
        """All that are open, the oldest first."""
        with self.reading() as session:
            still = Proposal.expires_at > self.stamp_or_newest(session)
            rows = session.scalars(select(Proposal).where(still).order_by(Proposal.number))
            return [self._record(session, row) for row in rows]

    def proposal(self, number: int) -> ProposalRecord:
        """One that is open; raises Usage if there is none of this number."""
        with self.reading() as session:
            return self._record(session, self._found(session, number))

    def proposal_message(self, number: int) -> bytes:
        """What two operators sign (namespace `USE`) as of what stands now. Raises Usage if it is open no more, or
        as the method that would carry it out."""
        with self.reading() as session:
            return _text(session, self._found(session, number))

    def sign_proposal(self, number: int, key_line: str, signature: str) -> bool:
        """Keeps an operator's signature over `proposal_message`; with a second operator's the change is carried out.
        True if it was. Signatures that count no more are deleted.

        Raises Usage if it is open no more, if this operator has signed it, or may not sign this change; BadInput if
        the signature does not count, NotYourRole if the roles do not allow it.
        """
        with self.transaction() as session:
            row = self._found(session, number)
            kind, text = Proposed(row.kind), _text(session, row)
            given = signed_by(session, text, signature, USE[kind], "signature", ACT[kind])
            if given.key_line != signing.plain_key(key_line):
                raise BadInput("BAD_SIGNATURE", "the signature is not this key's", remedy="Sign with the key named.")
            kept = _counting(session, row, text)
            if given.signer in kept:
                remedy = "Another operator signs; until then you can take yours back."
                raise Usage("SIGNED_ALREADY", "you have signed this proposal", where=given.signer, remedy=remedy)
            for one in _signatures(session, number):
                if one.operator not in kept:
                    session.delete(one)
            key, digest = given.named.key, of_bytes(text)
            event = ProposalSigned(
                by=given.signer, change=kind, subject=row.subject, digest=digest, number=number, key=key
            )
            self.append(session, None, event, also={row.subject})
            if self.waits(session, kind, row.subject, row.body, {**kept, given.signer: given.signature}):
                signed = ProposalSignature(number=number, operator=given.signer, digest=digest)
                signed.signature = given.signature
                session.add(signed)
                return False
            session.delete(row)
            return True

    def withdraw_proposal(self, number: int, by: str) -> None:
        """Who proposed it withdraws it; who signed it takes the signature back. Raises Usage if `by` did neither, or it
        is open no more."""
        with self.transaction() as session:
            row, name = self._found(session, number), active_operator(session, by).name
            mine = session.get(ProposalSignature, (number, name))
            if row.operator != name and mine is None:
                what = "you have neither proposed nor signed this"
                raise Usage("NOTHING_TO_WITHDRAW", what, where=str(number), remedy="Whoever did can take it back.")
            whole, kind, digest = row.operator == name, Proposed(row.kind), mine.digest if mine else row.digest
            event = ProposalUndone(by=name, change=kind, subject=row.subject, digest=digest, number=number, whole=whole)
            self.append(session, None, event, also={row.subject})
            session.delete(row if whole else mine)

    def _found(self, session: Session, number: int) -> Proposal:
        row = session.get(Proposal, number)
        if row is None or row.expires_at <= self.stamp_or_newest(session):
            what = "there is no such proposal any more: it was carried out, withdrawn, or is older than two weeks"
            raise Usage("NO_PROPOSAL", what, where=str(number), remedy=_OPEN)
        return row

    def _record(self, session: Session, row: Proposal) -> ProposalRecord:
        kind, digest, kept = Proposed(row.kind), None, dict[str, str]()
        try:
            waits = self.waits(session, kind, row.subject, row.body, {})  # stops before it writes, for want of any
            obstacle = "" if waits else "it stands already"
            text = _text(session, row)
            digest, kept = of_bytes(text), _counting(session, row, text)
        except (BadInput, Usage) as error:
            obstacle = error.message
        void = len(_signatures(session, row.number)) - len(kept)
        more = {"digest": digest, "obstacle": obstacle, "signed": tuple(sorted(kept)), "void": void}
        return as_record(ProposalRecord, row, proposed=row.digest, **more)


def _require_room(session: Session, by: str) -> None:
    for most, whose in ((OWN, Proposal.operator == by), (MOST, true())):
        if (session.scalar(select(func.count()).select_from(Proposal).where(whose)) or 0) >= most:
            what = f"{most} proposals are open" + (f" of {by}" if most == OWN else "")
            raise Usage("TOO_MANY_PROPOSALS", what, remedy="Sign those that are right, and withdraw the others.")


def _text(session: Session, row: Proposal) -> bytes:
    return changes.text(session, Proposed(row.kind), row.subject, row.body)


def _signatures(session: Session, number: int) -> list[ProposalSignature]:
    return list(session.scalars(select(ProposalSignature).where(ProposalSignature.number == number)))


def _counting(session: Session, row: Proposal, text: bytes) -> dict[str, str]:
    """The kept signatures that count now, by who gave them."""
    kind, found = Proposed(row.kind), dict[str, str]()
    for one in _signatures(session, row.number):
        with suppress(BadInput, Usage):
            given = signed_by(session, text, one.signature, USE[kind], one.operator, ACT[kind])
            if given.signer == one.operator:
                found[given.signer] = one.signature
    return found
