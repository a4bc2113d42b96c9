"""Recall cases in the ledger: opened on published claims, then moved on by proofs that people and the recipient sign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, literal, select, tuple_
from sqlalchemy.orm import Session

from expectations import signatures
from expectations.digests import of_bytes
from expectations.errors import BadInput, Fault, Usage
from expectations.instruments import Agreement, instrument_digest, parse_instrument
from flows.ledger import facts
from flows.ledger.case_records import ATTESTATION, ISSUED, SIGNED, STEP, CaseRecord, NewCase, record
from flows.ledger.cases import KEYS_NEEDED, CaseState, Proof, after, message
from flows.ledger.claims import INCOMING, Pairs, incoming
from flows.ledger.core import Core, find, stamp
from flows.ledger.endorse import signed_by
from flows.ledger.keys import fingerprint
from flows.ledger.models import Claim, RecallCase, Recalled, RecallSigned
from flows.ledger.registry import latest_instruments
from flows.ledger.states import State

# What is judged under the lock, of the case, the state that it would reach, and the bodies of all enrolled instruments;
# gives what the event says more, or raises.
Judge = Callable[[CaseRecord, CaseState, Sequence[bytes]], Mapping[str, Any]]


class Recalls(Core):
    """Recall cases."""

    def open_case(self, case: NewCase, pairs: Pairs) -> frozenset[str]:
        """Opens a case and marks its claims, (request_key, person_key), all or none; safe to repeat.

        Gives the request keys that other cases recall already: then nothing was written. Raises Fault if a batch is not
        published, or a pair is no claim of these batches.
        """
        with self.transaction() as session, incoming(session, pairs) as rows:
            if session.get(RecallCase, case.id):
                return frozenset()
            if any(State(find(session, name).state) is not State.PUBLISHED for name in case.batches):
                raise Usage("NOT_PUBLISHED", "nothing of this batch was disclosed: there is nothing to recall",
                            remedy="See sluicegate status.")  # fmt: skip
            taken = frozenset(session.scalars(_recalled(case)))
            if taken:
                return taken
            if session.scalar(_claims(case)) != rows or rows != sum(case.batches.values()):
                raise Fault("NOT_DISCLOSED", "some of the rows are no disclosures of these batches", where=case.id)
            self._mark(session, case)
        return frozenset()

    def _mark(self, session: Session, case: NewCase) -> None:
        row = RecallCase(
            id=facts.name(case.id, "case"), requester=case.requester, agreement=case.agreement, reason=case.reason.value,
            discovered_at=stamp(case.discovered_at), batches=_json(case.batches), codes=_json(case.codes),
            affected=facts.digest(case.affected, "affected"), state=CaseState.FOUND.value, seq=0,
        )  # fmt: skip
        session.add(row)
        session.flush()
        fixed = [literal(case.requester), literal(case.agreement)]
        columns = ["requester", "agreement", "request_key", "case_id"]
        marked = select(*fixed, INCOMING.c.a, literal(case.id)).order_by(INCOMING.c.a)
        session.execute(insert(Recalled).from_select(columns, marked))
        said = {**opened_as(row), "claims": recalled_digest(session, case.id), "proof": None}
        row.seq = self._case_event(session, row, STEP, {**said, "step": row.state})

    def case(self, id: str) -> CaseRecord:
        """The case called `id`; raises Usage if there is none."""
        with self.reading() as session:
            return record(session, _find(session, id))

    def cases(self) -> list[CaseRecord]:
        """All cases, in the order in which they were opened."""
        with self.reading() as session:
            return sorted(
                (record(session, row) for row in session.scalars(select(RecallCase))), key=lambda c: c.steps[0].seq
            )

    def signers(self, id: str) -> list[str]:
        """Who has signed the next step of a case, while it waits for another."""
        with self.reading() as session:
            return sorted(set(_waiting(session, _find(session, id))))

    def take(self, id: str, proof: Proof, judge: Judge, rests_on: str, signature: str = "") -> CaseRecord:
        """Takes a proof (its digest `rests_on`), signed by an operator over `cases.message` if its kind asks for that.

        While another operator is needed, the case stays where it is. Raises Usage if the case does not wait for this proof,
        BadInput if the signature does not count, and what `judge` raises; then nothing is written.
        """
        with self.transaction() as session:
            row = _find(session, id)
            end = after(CaseState(row.state), proof)
            if KEYS_NEEDED[proof]:
                over = message(id, proof, row.seq, rests_on)
                who = signed_by(session, over, signature, signatures.RECALL, "signature")
                signed = self._keep_signature(
                    session, row, proof, rests_on, who.operator, who.key_line, signature, over
                )
                if signed < KEYS_NEEDED[proof]:
                    return record(session, row)
            said = judge(record(session, row), end, [body for _, _, body in latest_instruments(session)])
            self._take_step(session, row, proof, end, {**said, "rests_on": rests_on})
            return record(session, row)

    def attest(self, id: str, text: bytes, signature: str) -> CaseRecord:
        """Takes the recipient's signature (namespace signatures.ATTESTATION) under the attestation that was issued to it.

        Raises BadInput if the text is another one, or no key of the agreement signed exactly this.
        """
        with self.transaction() as session:
            row = _find(session, id)
            end = after(CaseState(row.state), Proof.ATTESTATION)
            digest, issued = of_bytes(text), record(session, row).documents.get(ATTESTATION)
            if digest != issued:
                raise BadInput("OTHER_TEXT", "the attestation is not the one that was issued", where=ATTESTATION,
                               remedy="Give back its own bytes: sluicegate recall documents.")  # fmt: skip
            body = next(b for name, _, b in latest_instruments(session) if name == row.agreement)
            keys = list(_agreement(body).keys.signing)
            key = signatures.signer(text, signature, keys, signatures.ATTESTATION)
            if key is None:
                raise BadInput("NOT_ATTESTED", "no key of the agreement signed this attestation", where=f"{ATTESTATION}.sig",
                               remedy=f"The recipient signs it: ssh-keygen -Y sign -n {signatures.ATTESTATION}.")  # fmt: skip
            line = " ".join(key.split()[:2])
            more = {"instrument": instrument_digest(body)}
            self._keep_signature(session, row, Proof.ATTESTATION, digest, row.requester, line, signature, text, more)
            self._take_step(session, row, Proof.ATTESTATION, end, {"rests_on": digest})
            return record(session, row)

    def issue(self, id: str, judge: Judge) -> CaseRecord:
        """Records documents that `judge` has issued since the last step, if there are any; the case stays where it is."""
        with self.transaction() as session:
            row = _find(session, id)
            said = judge(
                record(session, row), CaseState(row.state), [body for _, _, body in latest_instruments(session)]
            )
            if said.get("documents"):
                self._case_event(session, row, ISSUED, {**said, "step": row.state})
            return record(session, row)

    def _take_step(
        self, session: Session, row: RecallCase, proof: Proof, end: CaseState, said: Mapping[str, Any]
    ) -> None:
        start, row.state = row.state, end.value
        row.seq = self._case_event(
            session, row, STEP, {**said, "proof": proof.value, "start": start, "step": end.value}
        )

    def _keep_signature(
        self, session: Session, row: RecallCase, proof: Proof, rests_on: str, signer: str, key_line: str,
        signature: str, said: bytes, more: Mapping[str, Any] | None = None,
    ) -> int:  # fmt: skip
        """Keeps a good signature with its event; gives how many different people have signed this step now."""
        before = _waiting(session, row, said)
        if signer in before:
            raise BadInput("SIGNED_ALREADY", "this operator has signed this step already",
                           remedy="A second, different operator must sign.")  # fmt: skip
        seq = self._case_event(session, row, SIGNED, {
            "proof": proof.value, "after": row.seq, "rests_on": rests_on, "by": signer, "key": fingerprint(key_line),
            "signature": of_bytes(signature.encode()), **(more or {}),
        })  # fmt: skip
        session.add(RecallSigned(seq=seq, case_id=row.id, proof=proof.value, signer=signer, key_line=key_line,
                                 signature=signature, said=said))  # fmt: skip
        return len(before) + 1

    def _case_event(self, session: Session, row: RecallCase, kind: str, said: Mapping[str, Any]) -> int:
        known = {row.id, row.requester, row.agreement, *json.loads(row.batches)}
        return self.append(session, None, kind, {"case": row.id, **said}, also=known)


def opened_as(row: RecallCase) -> dict[str, Any]:
    """What the event that opens a case says of it."""
    batches = json.loads(row.batches)
    return {
        **{name: getattr(row, name) for name in ("requester", "agreement", "reason", "affected")},
        "discovered_at": int(datetime.fromisoformat(row.discovered_at).timestamp()),
        "batches": list(batches), "rows": list(batches.values()), "codes": json.loads(row.codes),
    }  # fmt: skip


def recalled_digest(session: Session, case: str) -> str:
    """SHA-256 over the request keys that a case recalls, sorted. Streams."""
    total = hashlib.sha256()
    query = select(Recalled.request_key).where(Recalled.case_id == case).order_by(Recalled.request_key)
    for key in session.scalars(query.execution_options(yield_per=20_000)):
        total.update(f"{key}\n".encode())
    return total.hexdigest()


def _waiting(session: Session, row: RecallCase, said: bytes | None = None) -> list[str]:
    """Who has signed since the case came where it is: anything, or exactly this."""
    query = select(RecallSigned).where(RecallSigned.case_id == row.id, RecallSigned.seq > row.seq)
    return [one.signer for one in session.scalars(query) if said in (None, one.said)]


def _recalled(case: NewCase) -> Any:
    same = (Recalled.requester == case.requester) & (Recalled.agreement == case.agreement)
    return select(Recalled.request_key).where(same & Recalled.request_key.in_(select(INCOMING.c.a)))


def _claims(case: NewCase) -> Any:
    ours = (Claim.requester == case.requester) & (Claim.agreement == case.agreement) & Claim.batch.in_(case.batches)
    # not a join: SQLite would read the incoming pairs, which have no index, once for each claim
    met = tuple_(Claim.request_key, Claim.person_key).in_(select(INCOMING.c.a, INCOMING.c.b))
    return select(func.count()).select_from(Claim).where(ours & met)


def _find(session: Session, id: str) -> RecallCase:
    row = session.get(RecallCase, id)
    if row is None:
        raise Usage(
            "UNKNOWN_CASE", "the ledger knows no recall case of this name", remedy="See sluicegate recall list."
        )
    return row


def _agreement(body: bytes) -> Agreement:
    found = parse_instrument(body, "enrolled agreement")
    assert isinstance(found, Agreement)
    return found


def _json(value: Mapping[str, int]) -> str:
    return json.dumps(dict(sorted(value.items())))
