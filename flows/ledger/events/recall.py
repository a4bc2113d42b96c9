"""A recall case is opened, and taken from state to state by proofs that people sign."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from expectations.base import signatures
from expectations.instruments import Agreement, parse_enrolled
from flows.ledger.bulk import RECALLED
from flows.ledger.database.models import Enrolled, Operator, RecallCase, SealKind, Signature, from_us, stamp
from flows.ledger.events.base import Counted, Event, Kind, SignedEvent, Signing, is_content, is_unknown, operators
from flows.ledger.events.seals import AFFECTED, sealed_as
from flows.ledger.lifecycles.cases import CASE, KEYS_NEEDED, CaseReason, CaseState, Proof, message
from flows.ledger.roles import Act, may
from flows.ledger.signing import SignedBy, fingerprint, roles_of
from flows.ledger.tables import Tables


@dataclass(frozen=True, kw_only=True)
class CaseOpened(Event, kinds=[Kind.RECALL]):
    """A case was opened: so many rows of each batch. `claims`: digest of their keys; `discovered_at`: in seconds;
    `by`: the operator who opened it."""

    case: str
    requester: str
    agreement: str
    reason: CaseReason
    discovered_at: int
    batches: tuple[str, ...]
    rows: tuple[int, ...]
    codes: dict[str, int]
    affected: str
    claims: str
    step: CaseState
    proof: None
    discovered_us: int | None = None
    by: str | None = None

    @classmethod
    def read(cls, kind: str, facts: str) -> Event:
        """With a `start` it is a later step."""
        return CaseStep.read(kind, facts) if "start" in json.loads(facts) else super().read(kind, facts)

    def wrong(self, tables: Tables) -> Iterator[str]:
        if self.step is not CASE.first:
            yield f"case {self.case} could not become {self.step} there"
        if self.by is not None:
            operator = tables.find(Operator, self.by)
            if operator is None or operator.revoked_at is not None or not may(roles_of(operator), Act.RECALL):
                yield f"{self.by} could not open case {self.case} there"

    def apply(self, tables: Tables) -> None:
        us, parties = self.discovered_us, {"requester": self.requester, "agreement": self.agreement}
        row = RecallCase(
            id=self.case,
            **parties,
            affected=self.affected,
            reason=self.reason.value,
            discovered_at=self._unsaid(tables) if us is None else stamp(from_us(us)),
            batches=json.dumps(dict(zip(self.batches, self.rows, strict=True))),
            codes=json.dumps(self.codes),
            state=self.step.value,
            seq=tables.place.seq,
        )
        tables.add(row, self.case)
        tables.put(RECALLED, self.case, sum(self.rows), self.claims, **parties)

    def _unsaid(self, tables: Tables) -> Any:
        seconds, column = self.discovered_at, RecallCase.discovered_at
        return tables.unsaid(column, self.case, lambda at: int(datetime.fromisoformat(at).timestamp()) == seconds)


@dataclass(frozen=True, kw_only=True)
class CaseStep(Counted):
    """A case goes from `start` to `step`; `rests_on`: digest of the proof."""

    case: str
    start: CaseState
    step: CaseState
    proof: Proof
    rests_on: str

    @property
    def event_kind(self) -> str:
        return Kind.RECALL.value

    def wrong(self, tables: Tables) -> Iterator[str]:
        row = tables.row(RecallCase, self.case)
        if row.state != self.start or not CASE.allows(self.start, self.proof, self.step):
            yield f"case {self.case} could not become {self.step} there"
        elif len(self._signers(tables, row)) < max(KEYS_NEEDED[self.proof], self.proof is Proof.ATTESTATION):
            yield f"case {self.case} lacks the signatures for becoming {self.step}"

    def _signers(self, tables: Tables, row: RecallCase) -> set[str]:
        """Who has signed this proof of the case as it is; of an attestation, whether its recipient has."""
        query = select(Signature).where(Signature.seq > row.seq)
        if self.proof is not Proof.ATTESTATION:
            over = Signature.text == message(row.id, self.proof, row.seq, self.rests_on)
            return {one.signer for one in tables.session.scalars(query.where(over))}
        ours = query.where(Signature.signer == row.requester, Signature.purpose == "attestation")
        return {one.signer for one in tables.session.scalars(ours) if is_content(one.text, self.rests_on)}

    def apply(self, tables: Tables) -> None:
        row = tables.row(RecallCase, self.case)
        row.state, row.seq = self.step.value, tables.place.seq
        if AFFECTED in (issued := self.more.get("documents", {})):
            sealed_as(tables, SealKind.RECALL, self.case, issued[AFFECTED])


@dataclass(frozen=True, kw_only=True)
class CaseSigned(SignedEvent, kinds=[Kind.RECALL_SIGNED]):
    """An operator signed a proof of a case as it is since the event `after`; or the recipient its attestation.

    `instrument`: digest of the version of the agreement that has the recipient's key.
    """

    case: str
    proof: Proof
    after: int
    rests_on: str
    by: str
    key: str
    signature: str
    instrument: str | None = None

    def signing(self, tables: Tables) -> Signing:
        signed = (SignedBy(self.by, self.key, self.signature),)
        if self.proof is Proof.ATTESTATION:
            text = tables.content(Signature.text, (tables.place.seq, self.by), self.rests_on)
            return Signing(signatures.ATTESTATION, 1, signed, self._recipient(tables), text)
        text = message(self.case, self.proof, self.after, self.rests_on)
        return Signing(signatures.RECALL, 1, signed, operators(tables, signed, Act.RECALL), text)

    def _recipient(self, tables: Tables) -> dict[str, Iterable[str]] | None:
        """The recipient's keys, in the version that the event names; None where its text is not known."""
        body = tables.session.scalar(select(Enrolled.body).where(Enrolled.digest == self.instrument).limit(1))
        if body is not None and is_unknown(body):
            return None
        agreement = parse_enrolled(body, "enrolled agreement") if body is not None else None
        keys = agreement.attesting_keys if isinstance(agreement, Agreement) else ()
        return {tables.row(RecallCase, self.case).requester: [fingerprint(" ".join(k.split()[:2])) for k in keys]}

    def wrong(self, tables: Tables) -> Iterator[str]:
        yield from super().wrong(tables)
        row = tables.row(RecallCase, self.case)
        if self.after != row.seq or not any(s == row.state and p is self.proof for s, p, _ in CASE.steps):
            yield f"case {self.case} could not be signed so there"


@dataclass(frozen=True, kw_only=True)
class DocumentsIssued(Counted, kinds=[Kind.RECALL_ISSUED]):
    """Documents were issued for a case, which stays where it is."""

    case: str
    step: CaseState

    def wrong(self, tables: Tables) -> Iterator[str]:
        if tables.row(RecallCase, self.case).state != self.step:
            yield f"case {self.case} was not {self.step} there"
