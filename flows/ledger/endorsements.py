"""Whether the signatures that events rest on are there, are good, and are those of operators of that time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations import signatures
from flows.ledger.chain import Problem
from flows.ledger.endorse import KEYS_NEEDED, Endorsed, instrument_message, operator_message
from flows.ledger.models import Endorsement


@dataclass(frozen=True)
class Endorsing:
    """What an event says of its signatures: over what, in which namespace, how many are needed, which they are.

    `strangers`: some of them are of nobody who was an operator then, with that key.
    """

    message: bytes
    namespace: str
    needed: int
    signed: tuple[tuple[str, str, str], ...]
    strangers: bool


def of_instrument(said: Mapping[str, Any], operators: Mapping[str, tuple[str, bool]]) -> Endorsing:
    """Of the event that enrols an instrument. `operators`: key and whether active, by name, as they were before it."""
    after = said.get("version", 1) - 1
    over = instrument_message(said["kind"], said["instrument"], said["digest"], after)
    return _endorsing(over, signatures.INSTRUMENT, KEYS_NEEDED, said, operators)


def of_operator(said: Mapping[str, Any], operators: Mapping[str, tuple[str, bool]]) -> Endorsing:
    """Of the event that enrols or revokes an operator; the first two come with the home, unsigned."""
    over = operator_message(said["operator"], said["key"], said["enrolled"])
    first = said["enrolled"] and len(operators) < KEYS_NEEDED
    others = {name: known for name, known in operators.items() if name != said["operator"]}
    return _endorsing(over, signatures.OPERATOR, 0 if first else KEYS_NEEDED, said, others)


def _endorsing(
    over: bytes, namespace: str, needed: int, said: Mapping[str, Any], operators: Mapping[str, tuple[str, bool]]
) -> Endorsing:
    signed = tuple(sorted((s["by"], s["key"], s["signature"]) for s in said.get("signed", [])))
    strangers = any(operators.get(by) != (key, True) for by, key, _ in signed)
    return Endorsing(over, namespace, needed, signed, strangers)


def unendorsed(session: Session, told: Mapping[int, Endorsing]) -> Iterator[Problem]:
    """Every event whose signatures are missing, too few, or not good."""
    kept: dict[int, list[Endorsed]] = {}
    for row in session.scalars(select(Endorsement).order_by(Endorsement.seq, Endorsement.operator)):
        kept.setdefault(row.seq, []).append(Endorsed(row.operator, row.key_line, row.signature))
    for seq in sorted(kept.keys() | told.keys()):
        wrong = _wrong(told.get(seq), kept.get(seq, []))
        if wrong:
            yield Problem(f"signatures of event {seq}", wrong)


def _wrong(event: Endorsing | None, kept: list[Endorsed]) -> str | None:
    if event is None:
        return "the event says of none"
    if tuple(sorted((f["by"], f["key"], f["signature"]) for f in (one.facts for one in kept))) != event.signed:
        return "they are not those that the event names"
    if len({by for by, _, _ in event.signed}) < event.needed:
        return "it lacks the signatures of two operators"
    if event.strangers:
        return "some are of nobody who was an operator then"
    if any(signatures.signer(event.message, k.signature, [k.key_line], event.namespace) is None for k in kept):
        return "some do not fit it"
    return None
