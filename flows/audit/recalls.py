"""What recalls have left in the home, compared with what the ledger's events say: recall lists, documents, kept
proofs."""

from __future__ import annotations

from collections.abc import Iterator

from flows.cases import documents, places
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord
from flows.ledger.chain import Problem
from flows.ledger.lifecycles.cases import CaseState, Proof


def problems(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every file of a recall case that is missing or was changed. What a sealed proof holds is compared when it is
    opened."""
    for case in [] if busy(home, places.LOCK) else ledger.cases():
        for name, _, _, lies in documents.check(home, case):
            if lies != "unchanged":
                yield Problem(f"recalls/{case.id}/{name}", f"the document is {lies}")
        yield from _proofs(home, case)
        yield from _list(home, case)


def _proofs(home: Home, case: CaseRecord) -> Iterator[Problem]:
    for step in case.steps:
        if step.rests_on and step.proof not in (Proof.LIST, Proof.ATTESTATION, Proof.REVIEW):
            path = places.proof(home, case.id, step.rests_on)
            if not path.exists():
                yield Problem(f"recalls/{case.id}/{path.name}", f"the proof of event {step.seq} is missing")


def _list(home: Home, case: CaseRecord) -> Iterator[Problem]:
    digest = next((s.rests_on for s in case.steps if s.state is CaseState.FROZEN), None)
    name = places.name_of(case.id)
    found = home.delivery.digest(name) if digest else None
    if found != digest:
        yield Problem(name, "it is another recall list than was delivered" if found else "it is not in the outbox")
