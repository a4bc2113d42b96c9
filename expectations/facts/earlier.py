"""What was asked before: facts that no letter says, and that the limits over batches are judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Period:
    """What a requester has asked for within the agreement's period, a batch with all before it, in different requests.

    requests          all of them
    officer, reason   of the officer, and of the reason, that this batch has and most of them name
    """

    requests: int = 0
    officer: int = 0
    reason: int = 0


@dataclass(frozen=True)
class Earlier:
    """What the ledger knew of this requester under this agreement when the batch was received.

    rows, incomplete   what passed `intake` in the 30 days before, and how many of these rows had an incomplete address
    batches            (rows looked up, matched) of batches published before, the newest first, `band.NEWEST` at most
    lists              the holder's lists of persons that somebody was on
    period             what was asked within the period; None until this batch's own rows are counted
    """

    rows: int = 0
    incomplete: int = 0
    batches: Sequence[Sequence[int]] = ()
    lists: Sequence[str] = ()
    period: Period | None = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Earlier":
        """From JSON, as it is kept beside a batch."""
        period = said.get("period")
        return cls(**{**said, "period": Period(**period) if period else None})
