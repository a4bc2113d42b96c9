"""What people decide and sign: on held batches, and on halts."""

from collections.abc import Mapping
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Key

from expectations.base import signatures
from expectations.base.errors import SluicegateError, Usage
from expectations.base.total import total
from flows.evidence import notes
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.decisions import Decision, Reason
from flows.ledger.lifecycles.states import State

# Why people decide so, most of the time.
DEFAULT_REASON: Mapping[Decision, Reason] = total(
    Decision,
    {
        Decision.REJECT: Reason.REQUESTER_MENDS,
        Decision.RETRY: Reason.CAUSE_MENDED,
        Decision.DROP: Reason.INCOMPLETE_ROWS,
        Decision.CONFIRM: Reason.RATE_EXPLAINED,
        Decision.RESUME: Reason.CAUSE_MENDED,
    },
)


def sign(
    home: Home,
    batch: str,
    decision: Decision,
    key: Key,
    reason: Reason | None = None,
    content: str | None = None,
    text: str | None = None,
) -> State:
    """Signs and hands in a decision on a held batch; gives its state after that: held while a second key is needed.

    `content`: digest of the rows that were looked at; the batch's present one, if left out. `text`: what is written
    about the reason, which is kept sealed. Raises as `Ledger.decide` and `notes.store`.
    """
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        record = ledger.batch(batch)
        if record is None or record.checkpoint is None or record.state is not State.HELD:
            raise Usage("NOT_HELD", "no batch of this name is held", remedy="See sluicegate review list.")
        note = None if text is None else notes.store(home, text, batch)
        signature = signatures.sign(ledger.decision_message(batch, decision, note), key, signatures.DECISION)
        digest, why = content or record.content_digest or "", reason or DEFAULT_REASON[decision]
        signer = signatures.public_line(key)
        return ledger.decide(batch, record.checkpoint, digest, decision, why, signer, signature, note)


def halt(home: Home, ledger: Ledger, operator: str, reason: Reason, text: str | None = None) -> tuple[int, bool]:
    """Stops all releases; gives the number of the halt, and whether the `text` about it, if any, is kept: whatever is
    wrong with that does not keep releases from being stopped. Raises as `Ledger.halt`."""
    note, kept = None, text is None
    if text is not None:
        with suppress(SluicegateError, OSError):
            note, kept = notes.store(home, text), True
    return ledger.halt(operator, reason, note), kept


def resume(ledger: Ledger, halt: int, key: Key, reason: Reason, note: str | None = None) -> bool:
    """Signs that releases go on after this halt; True once two operators have, and it is lifted. `note`: digest of what
    was written about it."""
    signature = signatures.sign(ledger.halt_message(halt, note), key, signatures.DECISION)
    return ledger.resume(halt, reason, signatures.public_line(key), signature, note)


def withdraw(ledger: Ledger, signed: int, key: Key, note: str | None = None) -> None:
    """Takes back a decision of one's own, by the number of its event, while it waits for another operator."""
    signature = signatures.sign(ledger.withdrawal_message(signed, note), key, signatures.DECISION)
    ledger.withdraw(signed, signatures.public_line(key), signature, note)


def sign_baseline(ledger: Ledger, key: Key) -> int:
    """Signs what the events of an older version did not hold; gives the number of the event that says so."""
    signature = signatures.sign(ledger.baseline_message(), key, signatures.BASELINE)
    return ledger.baseline(signatures.public_line(key), signature)
