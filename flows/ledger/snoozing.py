"""Why something that waits is set aside for a while, and for how long at most."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from expectations.base.total import total

MOST = timedelta(hours=72)  # then it waits again like all else
DUE = timedelta(hours=24)  # so long before its deadline nothing is set aside


class SnoozeReason(StrEnum):
    """Why. The words are kept by ledgers, and so never change."""

    REQUESTER_ASKED = "requester_asked"
    COUNSEL_ASKED = "counsel_asked"
    CAUSE_SOUGHT = "cause_sought"
    COLLEAGUE_DECIDES = "colleague_decides"
    PLANNED = "planned"


# What each says to people.
SNOOZE_MEANINGS: Mapping[SnoozeReason, str] = total(
    SnoozeReason,
    {
        SnoozeReason.REQUESTER_ASKED: "the requester was asked, and has not answered yet",
        SnoozeReason.COUNSEL_ASKED: "counsel was asked, and has not answered yet",
        SnoozeReason.CAUSE_SOUGHT: "the cause is being looked for, or fixed",
        SnoozeReason.COLLEAGUE_DECIDES: "a colleague decides on it, and is not here now",
        SnoozeReason.PLANNED: "it is planned for later",
    },
)
