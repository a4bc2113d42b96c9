"""The limits of the agreement on a batch as a whole: how many rows, for what reasons, by whom, how many incomplete."""

from __future__ import annotations

from expectations.code import INVARIANT, REVIEW, STATUTE
from expectations.rules.rule import Disposition, Words, batch_rule, registry

_INCOMPLETE: Words = {
    "code": "TOO_MANY_INCOMPLETE",
    "message": "Too large a share of the rows has an incomplete address.",
    "fix": "Fix these addresses; pre-flight lists each.",
    "source": f"agreement; {REVIEW}",
}
RULES = registry(
    [
        batch_rule(
            "volume",
            "rows_submitted <= rows_per_batch",
            {"rows_submitted": 10**9},
            inputs=("rows_submitted", "rows_per_batch"),
            code="TOO_MANY_ROWS",
            message="The batch is larger than the agreement allows.",
            fix="Split it, within the volume cap.",
            source="agreement",
        ),
        batch_rule(
            "volume_30_days",
            "rows_submitted + earlier_rows <= rows_30_days",
            {"earlier_rows": 10**9, "rows_30_days": 10**6},
            inputs=("rows_submitted", "earlier_rows", "rows_30_days"),
            code="TOO_MANY_ROWS_30_DAYS",
            message="More rows within 30 days than the agreement allows.",
            fix="Wait, or send fewer rows.",
            source="agreement",
        ),
        batch_rule(
            "reasons_specific",
            "identical_reason_rows <= identical_reason_share * rows_submitted",
            {"identical_reason_rows": 10**9},
            inputs=("identical_reason_rows", "identical_reason_share", "rows_submitted"),
            code="BOILERPLATE_REASONS",
            message="Too large a share of the rows gives one identical reason.",
            fix="Give reasons specific to each record.",
            source=f"{STATUTE}(B)(iv)",
        ),
        batch_rule(
            "officers_engaged",
            "busiest_officer_rows <= matters_per_officer",
            {"busiest_officer_rows": 10**9},
            inputs=("busiest_officer_rows", "matters_per_officer"),
            code="OFFICER_OVERLOADED",
            message="An officer is named for more matters than is plausible.",
            fix="Name the officers personally engaged.",
            source=f"{STATUTE}(A)",
        ),
        batch_rule(
            "incomplete_share",
            "incomplete_rows <= incomplete_share * (rows_submitted - rows_dropped)",
            {"incomplete_rows": 10**9},
            disposition=Disposition.HOLD_BATCH,
            inputs=("incomplete_rows", "incomplete_share", "rows_submitted", "rows_dropped"),
            **_INCOMPLETE,
        ),
        batch_rule(
            "incomplete_share_per_file",
            "worst_file_incomplete_share <= incomplete_share_per_file",
            {"worst_file_incomplete_share": 1.0, "incomplete_share_per_file": 0.15},
            disposition=Disposition.HOLD_BATCH,
            **_INCOMPLETE,
        ),
        batch_rule(
            "incomplete_share_by_code",
            "len(codes_over_limit) = 0",
            {"codes_over_limit": ["PLACEHOLDER"]},
            disposition=Disposition.HOLD_BATCH,
            **_INCOMPLETE,
        ),
        batch_rule(
            "incomplete_share_30_days",
            "incomplete_rows + earlier_incomplete_rows"
            " <= incomplete_share_30_days * (rows_submitted - rows_dropped + earlier_rows)",
            {"earlier_incomplete_rows": 10**9},
            disposition=Disposition.HOLD_BATCH,
            inputs=(
                "incomplete_rows",
                "earlier_incomplete_rows",
                "incomplete_share_30_days",
                "rows_submitted",
                "rows_dropped",
                "earlier_rows",
            ),
            **_INCOMPLETE,
        ),
        batch_rule(
            "work_left",
            "rows_open > 0",
            {"rows_open": 0},
            disposition=Disposition.HOLD_BATCH,
            code="NOTHING_TO_DO",
            message="No row is left to look at.",
            fix="Send at least one complete row.",
            source=f"{INVARIANT}, 8",
        ),
    ]
)
