"""Recall cases in the ledger: opened on published claims, moved on by proofs that people and the recipient sign."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.digests import bytes_match
from expectations.base.errors import BadInput, Fault, Usage
from expectations.instruments import Agreement, parse_enrolled
from flows.ledger import facts
from flows.ledger.bulk import INCOMING, Pairs, digest, incoming, pairs_of
from flows.ledger.case_records import ATTESTATION, CaseRecord, NewCase, record, records
from flows.ledger.core import Contents, Core, find
from flows.ledger.database.models import Claim, RecallCase, Recalled, Signature, to_us
from flows.ledger.events.base import Event
from flows.ledger.events.recall import CaseOpened, CaseSigned, CaseStep, DocumentsIssued
from flows.ledger.lifecycles.cases import KEYS_NEEDED, CaseState, Proof, after, message
from flows.ledger.lifecycles.states import State
from flows.ledger.operators import active_operator
from flows.ledger.registry import latest_instruments
from flows.ledger.roles import Act, require
from flows.ledger.signing import ANOTHER, Given, roles_of, signed_by

# What is judged under the lock, of the case, the state that it would reach, and the bodies of all enrolled instruments;
# gives what the event says more, or raises.
Judge = Callable[[CaseRecord, CaseState, Sequence[bytes]], Mapping[str, Any]]


class Recalls(Core):
    """Recall cases."""

    def open_case(self, case: NewCase, pairs: Pairs, operator: str) -> frozenset[str]:
        """Opens a case and marks its claims, (request_key, person_key), all or none; safe to repeat.

        Gives the request keys that other cases recall already: then nothing was written. Raises Usage if a batch is not
        published or no role of `operator` allows it, Fault if a pair is no claim of these batches.
        """
        given = pairs_of(pairs)
        with self.transaction() as session, incoming(session, given):
            require(roles_of(active_operator(session, operator)), Act.RECALL, operator)
            if session.get(RecallCase, case.id):
                return frozenset()
            if any(State(find(session, name).state) is not State.PUBLISHED for name in case.batches):
                what = "nothing of this batch was disclosed: there is nothing to recall"
                raise Usage("NOT_PUBLISHED", what, remedy="See sluicegate status.")
            theirs = (Recalled.requester == case.requester) & (Recalled.agreement == case.agreement)
            query = select(Recalled.request_key).where(theirs & Recalled.request_key.in_(select(INCOMING.c.a)))
            if taken := frozenset(session.scalars(query)):
                return taken
            if _claims(session, case) != len(given) or len(given) != sum(case.batches.values()):
                raise Fault("NOT_DISCLOSED", "some of the rows are no disclosures of these batches", where=case.id)
            batches = dict(sorted(case.batches.items()))
            event = CaseOpened(
                case=facts.name(case.id, "case"),
                requester=case.requester,
                agreement=case.agreement,
                reason=case.reason,
                discovered_at=int(case.discovered_at.timestamp()),
                batches=tuple(batches),
                rows=tuple(batches.values()),
                codes=dict(sorted(case.codes.items())),
                affected=facts.digest(case.affected, "affected"),
                claims=digest((key,) for key, _ in given)[1],
                step=CaseState.FOUND,
                proof=None,
                discovered_us=to_us(case.discovered_at),
                by=operator,
            )
            self.append(session, None, event, also={case.id, case.requester, case.agreement, operator, *batches})
        return frozenset()

    def case(self, id: str) -> CaseRecord:
        """The case called `id`; raises Usage if there is none."""
        with self.reading() as session:
            return record(session, _find(session, id))

    def cases(self) -> list[CaseRecord]:
        """All cases, in the order in which they were opened."""
        with self.reading() as session:
            return records(session)

    def recalled(self) -> list[str]:
        """The request keys of all disclosures that are recalled."""
        with self.reading() as session:
            return list(session.scalars(select(Recalled.request_key)))

    def count_recalled(self) -> int:
        """How many they are; there are never fewer than before."""
        with self.reading() as session:
            return session.scalar(select(func.count()).select_from(Recalled)) or 0

    def signers(self) -> dict[str, list[str]]:
        """By case, who has signed its next step, while it waits for another."""
        found: dict[str, set[str]] = {}
        with self.reading() as session:
            at = {row.id: row.seq for row in session.execute(select(RecallCase.id, RecallCase.seq))}
            for one in session.scalars(select(Signature).where(Signature.purpose == "recall")):
                case = json.loads(one.text)["case"]
                if one.seq > at[case]:
                    found.setdefault(case, set()).add(one.signer)
        return {case: sorted(names) for case, names in found.items()}

    def take(self, id: str, proof: Proof, judge: Judge, rests_on: str, signature: str = "") -> CaseRecord:
        """Takes a proof (its digest `rests_on`), signed by an operator over `cases.message` if its kind asks for that.

        While another operator is needed, the case stays where it is. Raises Usage if the case does not wait for this
        proof, BadInput if the signature does not count, and what `judge` raises; then nothing is written.
        """
        with self.transaction() as session:
            row = _find(session, id)
            end = after(CaseState(row.state), proof)
            if KEYS_NEEDED[proof]:
                text = message(id, proof, row.seq, rests_on)
                given = signed_by(session, text, signature, signatures.RECALL, "signature", Act.RECALL)
                before = {s.signer for s in _since(session, row) if s.text == text}
                if given.signer in before:
                    raise BadInput("SIGNED_ALREADY", "this operator has signed this step already", remedy=ANOTHER)
                signed = CaseSigned(case=id, proof=proof, after=row.seq, rests_on=rests_on, **vars(given.named))
                self._append(session, row, signed, given.contents)
                if len(before) + 1 < KEYS_NEEDED[proof]:
                    return record(session, row)
            more = judge(record(session, row), end, [body for _, _, body in latest_instruments(session)])
            self._take_step(session, row, proof, end, rests_on, more)
            return record(session, row)

    def attest(self, id: str, text: bytes, signature: str) -> CaseRecord:
        """Takes the recipient's signature (namespace signatures.ATTESTATION) under the attestation issued to it.

        Raises BadInput if the text is another one, or no key of the agreement signed exactly this.
        """
        with self.transaction() as session:
            row = _find(session, id)
            end = after(CaseState(row.state), Proof.ATTESTATION)
            issued = record(session, row).documents.get(ATTESTATION)
            if issued is None or not bytes_match(text, issued):
                what = "the attestation is not the one that was issued"
                remedy = "Give back its own bytes: sluicegate recall documents."
                raise BadInput("OTHER_TEXT", what, where=ATTESTATION, remedy=remedy)
            instrument, body = next((d, b) for name, d, b in latest_instruments(session) if name == row.agreement)
            agreement = parse_enrolled(body, "enrolled agreement")
            assert isinstance(agreement, Agreement)
            key = signatures.signer(text, signature, list(agreement.attesting_keys), signatures.ATTESTATION)
            if key is None:
                what = "no key of the agreement signed this attestation"
                remedy = f"The recipient signs it: ssh-keygen -Y sign -n {signatures.ATTESTATION}."
                raise BadInput("NOT_ATTESTED", what, where=f"{ATTESTATION}.sig", remedy=remedy)
            given = Given(row.requester, " ".join(key.split()[:2]), signature)
            by, proof = vars(given.named), Proof.ATTESTATION
            signed = CaseSigned(case=id, proof=proof, after=row.seq, rests_on=issued, **by, instrument=instrument)
            self._append(session, row, signed, {**given.contents, issued: text})
            self._take_step(session, row, proof, end, issued, {})
            return record(session, row)

    def issue(self, id: str, judge: Judge) -> CaseRecord:
        """Records documents that `judge` has issued since the last step, if any; the case stays where it is."""
        with self.transaction() as session:
            row = _find(session, id)
            bodies = [body for _, _, body in latest_instruments(session)]
            more = dict(judge(record(session, row), CaseState(row.state), bodies))
            if more.get("documents"):
                self._append(session, row, DocumentsIssued(case=row.id, step=CaseState(row.state), more=more))
            return record(session, row)

    def _take_step(
        self, session: Session, row: RecallCase, proof: Proof, end: CaseState, rests_on: str, more: Mapping[str, Any]
    ) -> None:
        start, more = CaseState(row.state), dict(more)
        event = CaseStep(case=row.id, start=start, step=end, proof=proof, rests_on=rests_on, more=more)
        self._append(session, row, event)

    def _append(self, session: Session, row: RecallCase, event: Event, contents: Contents = None) -> None:
        known = {row.id, row.requester, row.agreement, *json.loads(row.batches)}
        self.append(session, None, event, contents, also=known)


def _since(session: Session, row: RecallCase) -> list[Signature]:
    """What operators have signed of recall cases since this one came where it is."""
    return list(session.scalars(select(Signature).where(Signature.purpose == "recall", Signature.seq > row.seq)))


def _claims(session: Session, case: NewCase) -> int:
    """How many of the pairs that came in are claims of the case's batches."""
    ours = (Claim.requester == case.requester) & (Claim.agreement == case.agreement) & Claim.batch.in_(case.batches)
    # not a join: SQLite would read the incoming pairs, which have no index, once for each claim
    met = tuple_(Claim.request_key, Claim.person_key).in_(select(INCOMING.c.a, INCOMING.c.b))
    return session.scalar(select(func.count()).select_from(Claim).where(ours & met)) or 0


def _find(session: Session, id: str) -> RecallCase:
    row = session.get(RecallCase, id)
    if row is None:
        remedy = "See sluicegate recall list."
        raise Usage("UNKNOWN_CASE", "the ledger knows no recall case of this name", remedy=remedy)
    return row
