"""Compares the ledger's tables with its chain: a row changed, dropped or put in beside the chain is found and named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations import signatures
from expectations.digests import of_bytes
from flows.ledger.accounts import ACCOUNTED
from flows.ledger.chain import Link, Problem, events
from flows.ledger.claims import claims_digest
from flows.ledger.crosscheck_recalls import Recalled, recalls
from flows.ledger.decisions import message
from flows.ledger.endorsements import Endorsing, of_instrument, of_operator, unendorsed
from flows.ledger.keys import fingerprint
from flows.ledger.models import Batch, Claim, Enrolled, Halt, Operator, Signed
from flows.ledger.shredding import SHREDDED, SHREDDING, STEPS
from flows.ledger.states import FINAL, TRANSITIONS, State

_STATES = frozenset(s.value for s in State)
_PREPARED = frozenset({State.PREPARED, State.PUBLISHED, State.WITHDRAWN})
_CLAIMED = _PREPARED - {State.WITHDRAWN}


class _Told:
    """What the events say, when they are played over the state machine."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.received: dict[str, dict[str, Any]] = {}
        self.prepared: dict[str, dict[str, Any]] = {}
        self.accounted: dict[str, dict[str, Any]] = {}  # the newest of each batch
        self.shredding: dict[str, dict[str, dict[str, Any]]] = {}
        self.signatures: set[str] = set()
        self.instruments: dict[int, dict[str, Any]] = {}
        self.endorsed: dict[int, Endorsing] = {}
        self.operators: dict[str, tuple[str, bool]] = {}
        self.halts: dict[int, bool] = {}
        self.recalls = Recalled()


def crosscheck(session: Session) -> list[Problem]:
    """Every row of a table that its events do not bear out, and every event whose row is gone."""
    told, problems = _played(events(session))
    for check in (_batches, _claims, _shreddings, _decisions, _instruments, _operators, _halts):
        problems += check(session, told)
    return problems + list(unendorsed(session, told.endorsed)) + list(recalls(session, told.recalls))


def impossible(links: Iterable[Link]) -> list[Problem]:
    """Every event that cannot have followed those before it: what can be known of a chain without the tables."""
    return _played(links)[1]


def _played(links: Iterable[Link]) -> tuple[_Told, list[Problem]]:
    told = _Told()
    problems: list[Problem] = []
    for event in links:
        try:
            said = json.loads(event.facts)
            problems += _play(told, event.seq, event.batch, event.kind, said)
        except (ValueError, KeyError, TypeError, AttributeError):
            problems.append(Problem(f"event {event.seq}", "what it says cannot be read"))
    return told, problems


def _play(told: _Told, seq: int, batch: str | None, kind: str, said: dict[str, Any]) -> Iterator[Problem]:
    if batch is not None and kind in _STATES:
        start = told.states.get(batch)
        if kind == State.RECEIVED and start is None:
            told.received[batch] = said
        elif said["start"] != start or (State(start or ""), State(kind)) not in TRANSITIONS:
            yield Problem(f"event {seq}", f"batch {batch} could not become {kind} there")
        told.states[batch] = kind
        if kind == State.PREPARED:
            told.prepared[batch] = said
            # the first ledgers had no events of accounting
            if told.accounted.get(batch, said)["merkle_root"] != said["merkle_root"]:
                yield Problem(f"event {seq}", f"batch {batch} was prepared with another accounting than is recorded")
    elif batch is not None and kind == ACCOUNTED:
        told.accounted[batch] = said
        if sum(said["outcomes"].values()) != said["rows"]:
            yield Problem(f"event {seq}", f"the outcomes of batch {batch} do not add up")
    elif batch is not None and kind in STEPS:
        told.shredding.setdefault(batch, {})[kind] = said
        if told.states.get(batch) not in FINAL:
            yield Problem(f"event {seq}", f"the evidence of batch {batch} was not to be destroyed there")
    elif kind == "decision":
        told.signatures.add(said["signature"])
    elif kind == "enrolled":
        told.instruments[seq] = said
        told.endorsed[seq] = of_instrument(said, told.operators)
    elif kind == "operator":
        told.endorsed[seq] = of_operator(said, told.operators)
        told.operators[said["operator"]] = (said["key"], said["enrolled"])
    elif kind == "halt":
        told.halts[seq] = True
    elif kind == "resumed":
        told.halts[said["halt"]] = False
    elif kind.startswith("recall"):
        yield from told.recalls.play(seq, kind, said, told.operators)


def _batches(session: Session, told: _Told) -> Iterator[Problem]:
    rows = {b.name: b for b in session.scalars(select(Batch))}
    for name in sorted(told.states.keys() | rows.keys()):
        place, row = f"batch {name}", rows.get(name)
        if row is None or name not in told.states:
            yield Problem(place, "its row is missing" if row is None else "no event says that it was received")
        elif row.state != told.states[name]:
            yield Problem(place, f"its row says {row.state}, its events say {told.states[name]}")
        elif any(told.received.get(name, {}).get(k) != v for k, v in _as_received(row).items()):
            yield Problem(place, "its row is not what was received")
        elif row.package_digest != _prepared(told, name).get("package"):
            yield Problem(place, "its row names another package than was prepared")
        elif row.merkle_root != told.accounted.get(name, _prepared(told, name)).get("merkle_root"):
            yield Problem(place, "its row names another accounting than its events")


def _as_received(row: Batch) -> dict[str, Any]:
    return {
        **{k: getattr(row, k) for k in ("submission", "requester", "agreement", "register", "rows")},
        "decided_on": int(f"{row.decided_on:%Y%m%d}"),
        "instruments": sorted(json.loads(row.instruments).values()),
    }


def _prepared(told: _Told, name: str) -> dict[str, Any]:
    return told.prepared.get(name, {}) if State(told.states[name]) in _PREPARED else {}


def _claims(session: Session, told: _Told) -> Iterator[Problem]:
    claimed = set(session.scalars(select(Claim.batch).distinct()))
    for name in sorted(claimed | told.states.keys()):
        if told.states.get(name) in _CLAIMED:
            said = _prepared(told, name)
            if claims_digest(session, name) != (said.get("rows"), said.get("claims")):
                yield Problem(f"claims of batch {name}", "they are not those that were prepared")
        elif name in claimed:
            yield Problem(f"claims of batch {name}", "there are claims, but it is neither prepared nor published")


def _shreddings(_session: Session, told: _Told) -> Iterator[Problem]:
    for name, steps in sorted(told.shredding.items()):
        if SHREDDED not in steps:
            yield Problem(f"evidence of batch {name}", "its shredding did not end: run sluicegate shred again")
        elif steps.get(SHREDDING) != steps[SHREDDED]:
            yield Problem(f"evidence of batch {name}", "it was shredded without what comes before")


def _decisions(session: Session, told: _Told) -> Iterator[Problem]:
    missing = set(told.signatures)
    for s in session.scalars(select(Signed).order_by(Signed.id)):
        digest = of_bytes(s.signature.encode())
        said = message(s.batch or "", s.hold, s.checkpoint, s.content_digest, s.decision)
        if digest not in told.signatures:
            yield Problem(f"decision {s.id}", "no event tells of it")
        elif signatures.signer(said, s.signature, [s.key_line], signatures.DECISION) is None:
            yield Problem(f"decision {s.id}", "its signature does not fit it")
        elif told.operators.get(s.operator, ("",))[0] != fingerprint(s.key_line):
            yield Problem(f"decision {s.id}", "its key is not that of its operator")
        missing.discard(digest)
    for digest in sorted(missing):
        yield Problem(f"decision with signature {digest[:12]}", "its row is missing or was changed")


def _instruments(session: Session, told: _Told) -> Iterator[Problem]:
    rows = {e.seq: e for e in session.scalars(select(Enrolled))}
    newest: dict[str, int] = {}
    for seq in sorted(rows.keys() | told.instruments.keys()):
        place, row, said = f"instrument {seq}", rows.get(seq), told.instruments.get(seq)
        if row is None or said is None:
            yield Problem(place, "its row is missing" if row is None else "no event tells of it")
            continue
        newest[row.id] = newest.get(row.id, 0) + 1
        version = said.get("version", newest[row.id])  # the first ledgers did not say
        enrolled = (said["instrument"], said["kind"], said["digest"], version)
        whole = (
            isinstance(row.body, bytes) and of_bytes(row.body) == row.digest
        )  # SQLite stores whatever is written to it
        if not whole or (row.id, row.kind, row.digest, row.version) != enrolled:
            yield Problem(place, "it is not what was enrolled")
        elif row.version != newest[row.id]:
            yield Problem(place, "it does not follow the version before it")


def _operators(session: Session, told: _Told) -> Iterator[Problem]:
    rows = {o.name: (fingerprint(o.key_line), o.revoked_at is None) for o in session.scalars(select(Operator))}
    for name in sorted(rows.keys() | told.operators.keys()):
        if rows.get(name) != told.operators.get(name):
            yield Problem(f"operator {name}", "the row and the events differ")


def _halts(session: Session, told: _Told) -> Iterator[Problem]:
    rows = {h.seq: h.resumed_at is None for h in session.scalars(select(Halt))}
    for seq in sorted(rows.keys() | told.halts.keys()):
        if rows.get(seq) != told.halts.get(seq):
            yield Problem(f"halt {seq}", "the row and the events differ")
