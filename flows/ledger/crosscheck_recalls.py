"""Compares the ledger's recall cases with its chain: a case, a recalled claim or a signature changed, dropped or put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations import signatures
from expectations.digests import of_bytes
from expectations.instruments import Agreement, parse_instrument
from flows.ledger.case_records import ISSUED, SIGNED, STEP
from flows.ledger.cases import KEYS_NEEDED, STEPS, CaseState, Proof, message
from flows.ledger.chain import Problem
from flows.ledger.keys import fingerprint
from flows.ledger.models import Enrolled, RecallCase, RecallSigned
from flows.ledger.models import Recalled as RecalledClaim
from flows.ledger.recalls import opened_as, recalled_digest


class Recalled:
    """What the events say of recalls, when they are played over the machine of a case."""

    def __init__(self) -> None:
        self.opened: dict[str, dict[str, Any]] = {}
        self.stands: dict[str, tuple[str, int]] = {}  # case → state, and the event that brought it there
        self.signed: dict[int, dict[str, Any]] = {}
        self.waiting: dict[str, set[tuple[str, str, str]]] = {}  # case → (proof, digest, who) since its last step

    def play(
        self, seq: int, kind: str, said: dict[str, Any], operators: Mapping[str, tuple[str, bool]]
    ) -> Iterator[Problem]:
        """One event. `operators`: key and whether active, by name, as they were before it."""
        case = said["case"]
        state, at = self.stands.get(case, (None, 0))
        if kind == SIGNED:
            self.signed[seq] = said
            self.waiting.setdefault(case, set()).add((said["proof"], said["rests_on"], said["by"]))
            ours = said["proof"] != Proof.ATTESTATION
            if said["after"] != at or (ours and operators.get(said["by"]) != (said["key"], True)):
                yield Problem(f"event {seq}", f"case {case} could not be signed so there")
        elif kind == ISSUED:
            if said["step"] != state:
                yield Problem(f"event {seq}", f"case {case} was not {said['step']} there")
        elif kind == STEP and state is None:
            self.opened[case], self.stands[case] = said, (said["step"], seq)
        elif kind == STEP:
            if not self._may(case, state, said):
                yield Problem(f"event {seq}", f"case {case} could not become {said['step']} there")
            self.stands[case], self.waiting[case] = (said["step"], seq), set()

    def _may(self, case: str, state: str | None, said: Mapping[str, Any]) -> bool:
        proof = Proof(said["proof"])
        by = {who for p, digest, who in self.waiting.get(case, ()) if (p, digest) == (proof, said["rests_on"])}
        needed = 1 if proof is Proof.ATTESTATION else KEYS_NEEDED[proof]
        return (
            said["start"] == state and STEPS.get((CaseState(state or ""), proof)) == said["step"] and len(by) >= needed
        )


def recalls(session: Session, told: Recalled) -> Iterator[Problem]:
    """Every row of a recall that its events do not bear out, and every event whose row is gone."""
    yield from _cases(session, told)
    yield from _signatures(session, told)


def _cases(session: Session, told: Recalled) -> Iterator[Problem]:
    rows = {row.id: row for row in session.scalars(select(RecallCase))}
    claimed = set(session.scalars(select(RecalledClaim.case_id).distinct()))
    for case in sorted(rows.keys() | told.opened.keys() | claimed):
        place, row, said = f"recall case {case}", rows.get(case), told.opened.get(case)
        if row is None or said is None:
            yield Problem(place, "its row is missing" if row is None else "no event says that it was opened")
            continue
        if any(said.get(key) != value for key, value in opened_as(row).items()):
            yield Problem(place, "its row is not what was opened")
        elif (row.state, row.seq) != told.stands[case]:
            yield Problem(place, f"its row says {row.state}, its events say {told.stands[case][0]}")
        if recalled_digest(session, case) != said["claims"]:
            yield Problem(f"claims of recall case {case}", "they are not those that are recalled")


def _signatures(session: Session, told: Recalled) -> Iterator[Problem]:
    rows = {row.seq: row for row in session.scalars(select(RecallSigned))}
    for seq in sorted(rows.keys() | told.signed.keys()):
        place, row, said = f"signature of event {seq}", rows.get(seq), told.signed.get(seq)
        if row is None or said is None:
            yield Problem(place, "its row is missing" if row is None else "the event says of none")
        elif not _same(row, said):
            yield Problem(place, "it is not the one that the event names")
        elif not _good(session, row, said):
            yield Problem(place, "it does not fit the step")


def _same(row: RecallSigned, said: Mapping[str, Any]) -> bool:
    kept = (row.case_id, row.proof, row.signer, fingerprint(row.key_line), of_bytes(row.signature.encode()))
    return kept == tuple(said[name] for name in ("case", "proof", "by", "key", "signature"))


def _good(session: Session, row: RecallSigned, said: Mapping[str, Any]) -> bool:
    over, namespace = message(row.case_id, row.proof, said["after"], said["rests_on"]), signatures.RECALL
    if row.proof == Proof.ATTESTATION:
        over, namespace = row.said, signatures.ATTESTATION
        if (
            not isinstance(over, bytes)
            or of_bytes(over) != said["rests_on"]
            or row.key_line not in _keys(session, said["instrument"])
        ):
            return False
    return row.said == over and signatures.signer(over, row.signature, [row.key_line], namespace) is not None


def _keys(session: Session, digest: str) -> set[str]:
    """The recipient's keys in the version of the agreement that the event names."""
    body = session.scalar(select(Enrolled.body).where(Enrolled.digest == digest).limit(1))
    found = (
        parse_instrument(body, "enrolled agreement") if isinstance(body, bytes) and of_bytes(body) == digest else None
    )
    return {" ".join(key.split()[:2]) for key in found.keys.signing} if isinstance(found, Agreement) else set()
