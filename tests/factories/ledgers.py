"""Things that ledger tests need: operators who can sign, batches in a given state, packages, keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.signatures import INSTRUMENT, OPERATOR
from flows.batch import publication
from flows.ledger.decisions import Decision, Reason
from flows.ledger.events.batch import Accounted
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.roles import ALL, Role
from tests.factories.law import no_law

RECEIVED_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ROWS = "c" * 64  # a content digest

ORDER = b"""
kind = "court_order"
id = "order-1"
court = "D. Test"
docket = "1:26-cv-1"
title = "Stay"
source = "made up"
effective_on = 2026-01-01
effect = "forbid"
scope = {}
"""


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pairs(*names: str) -> list[tuple[str, str]]:
    """(request_key, person_key) for each name."""
    return [(sha(f"request {n}"), sha(f"person {n}")) for n in names]


class Office:
    """Operators with their private keys, enrolled in a ledger."""

    def __init__(self, ledger: Ledger, *names: str) -> None:
        self.ledger = ledger
        self.keys = {name: self.new_key() for name in names}
        for name in names:
            said = ledger.operator_message(name, self.line(name), ALL)
            line = f"{self.line(name)} {name}@holder"
            ledger.enrol_operator(name, line, self.signed(said, names[:2], OPERATOR), ALL)

    @staticmethod
    def new_key() -> Ed25519PrivateKey:
        return Ed25519PrivateKey.generate()

    def line(self, name: str) -> str:
        return signatures.public_line(self.keys[name])

    def sign(self, name: str, message: bytes, namespace: str = signatures.DECISION) -> str:
        return signatures.sign(message, self.keys[name], namespace)

    def signed(self, said: bytes, names: Iterable[str], namespace: str) -> dict[str, str]:
        """Signatures of these operators, by name."""
        return {name: self.sign(name, said, namespace) for name in names}

    def enrol(self, body: bytes, *names: str) -> str:
        """Enrols an instrument, signed by these operators: ada and ben, if left out."""
        said = self.ledger.instrument_message(body)
        return self.ledger.enrol_instrument(body, self.signed(said, names or ("ada", "ben"), INSTRUMENT))

    def revoke(self, name: str, *by: str) -> None:
        """Revokes an operator, signed by the others or by these."""
        others = by or tuple(n for n in self.keys if n != name)[:2]
        self.ledger.revoke_operator(name, self.signed(self.ledger.operator_message(name), others, OPERATOR))

    def give(self, name: str, *roles: Role, by: tuple[str, ...] = ()) -> None:
        """Gives an operator these roles, signed by two others or by these."""
        others = by or tuple(n for n in self.keys if n != name)[:2]
        said = self.ledger.roles_message(name, roles)
        self.ledger.give_roles(name, roles, self.signed(said, others, OPERATOR))

    def decide(
        self, name: str, batch: str, checkpoint: Checkpoint, decision: Decision, content_digest: str = ROWS
    ) -> State:
        signature = self.sign(name, self.ledger.decision_message(batch, decision))
        return self.ledger.decide(
            batch, checkpoint, content_digest, decision, Reason.INCOMPLETE_ROWS, self.line(name), signature
        )


def receive(
    ledger: Ledger,
    batch: str = "batch-1",
    *,
    requester: str = "agency",
    agreement: str = "mou",
    at: datetime = RECEIVED_AT,
    instruments: Mapping[str, str] | None = None,
    by: str | None = None,
) -> bool:
    return ledger.receive(
        batch,
        submission=sha(batch),
        requester=requester,
        agreement=agreement,
        received_at=at,
        decided_on=date(2026, 3, 2),
        instruments=instruments or {"mou": sha("mou")},
        register="register-7",
        rows=10,
        by=by,
    )


def accounted(ledger: Ledger, batch: str = "batch-1", root: str = "root") -> str:
    """Accounts for the two rows of a batch; gives the Merkle root."""
    ledger.account(
        batch,
        Accounted(
            rows=2,
            outcomes={"released": 2},
            codes={},
            merkle_root=sha(root),
            accounting=sha(f"{root} sealed"),
            evidence=sha("evidence"),
        ),
    )
    return sha(root)


def sealed(ledger: Ledger, batch: str = "batch-1", facts: Mapping[str, int] | None = None, **parties: str) -> None:
    """A batch that passed all four checkpoints, with these facts in the event of each."""
    receive(ledger, batch, **parties)
    for state in (State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED):
        ledger.advance(batch, state, facts=facts or {"rows": 10})


def package(folder: Path, text: str = "sealed") -> Path:
    """A package folder with a file below another folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "manifest.json").write_text('{"rows": 2}')
    (folder / "data" / "part.parquet.age").write_text(text)
    return folder


def published(ledger: Ledger, folder: Path, batch: str) -> None:
    """Publishes a sealed batch into an outbox in `folder`."""
    made = package(folder / "lake" / batch, batch)
    publication.prepare(
        ledger,
        batch,
        keys=pairs(batch),
        package=made,
        merkle_root=accounted(ledger, batch),
        content_digest=ROWS,
        law=no_law,
    )
    publication.publish(ledger, batch, package=made, outbox=folder / "outbox", law=no_law)
