"""An instrument before it is enrolled: what is wrong with it, what is doubtful, and what it would change."""

from typing import Any

from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput
from expectations.base.forms import Problem
from flows.console.instruments import changed, said
from flows.ledger import Ledger
from flows.registry import instruments
from flows.registry.instruments import Checked, flat

LARGEST = 64 * 1024  # bytes of an instrument: the shipped ones have less than 8 KiB
WHERE = "the file"  # whatever it was called where it came from


def checked(ledger: Ledger, body: bytes) -> dict[str, Any]:
    """What the template `enrol-checked.html` names: what `sluicegate instruments check FILE --against` says."""
    known = {id: body for id, _, body in ledger.instruments()}
    try:
        found = instruments.checked(body, WHERE, known, Clock(ledger.time_now().shown))
    except BadInput as error:
        found = Checked([Problem(error.where or WHERE, error.message, error.remedy or "")])
    one = found.found
    return {
        "problems": found.problems,
        "id": one.id if one else "",
        "kind": one.kind if one else "",
        "digest": of_bytes(body),
        "doubts": found.doubts,
        "changes": changed(one.kind, found.changes) if one and found.changes is not None else None,
        "said": said(one.kind, flat(one.model_dump())) if one else [],
    }
