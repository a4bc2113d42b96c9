"""What people wrote about why they decided, opened for an operator whom the audit log names."""

from typing import Any

from expectations.base.errors import SluicegateError
from flows.evidence import notes
from flows.home.tree import Home
from flows.ledger import Ledger


def read(home: Home, ledger: Ledger, batch: str | None, who: str) -> list[dict[str, Any]]:
    """The notes on a batch, or those on none, oldest first: when, who, on what, the reason's code, and the text; None
    where it cannot be opened any more, as after shredding. Raises NotYourRole, which is recorded; Usage for an unknown
    batch, or somebody who is no operator."""
    ledger.audit_notes(batch, who)
    found = []
    for one in ledger.notes(batch, who):
        try:
            text = notes.text(home, one.digest, batch)
        except SluicegateError:
            text = None
        on = one.decision or one.kind.value.replace("_", " ")
        at = one.at.isoformat(timespec="seconds")
        found.append({"event": one.seq, "at": at, "by": one.by, "on": on, "reason": one.reason, "text": text})
    return found
