"""Why somebody asks others to look at what waits: word goes out, and nothing else comes of it."""

from collections.abc import Mapping
from enum import StrEnum

from expectations.base.total import total


class CallReason(StrEnum):
    """Why. The words are kept by ledgers, and so never change."""

    NOT_MY_ROLE = "not_my_role"
    SECOND_NEEDED = "second_needed"
    LAW_UNCLEAR = "law_unclear"
    CAUSE_UNKNOWN = "cause_unknown"
    DEADLINE_NEAR = "deadline_near"


# What each says to people.
CALL_MEANINGS: Mapping[CallReason, str] = total(
    CallReason,
    {
        CallReason.NOT_MY_ROLE: "it takes a role that I do not have",
        CallReason.SECOND_NEEDED: "I have spoken, and a second person is needed",
        CallReason.LAW_UNCLEAR: "what the law or the agreement allows here is a question for counsel",
        CallReason.CAUSE_UNKNOWN: "the cause is not known, and is one for those who run this system",
        CallReason.DEADLINE_NEAR: "its deadline is near",
    },
)
