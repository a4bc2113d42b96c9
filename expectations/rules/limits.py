"""The limits of the agreement on a batch as a whole: how many rows, for what reasons, by whom, how many incomplete."""

from collections.abc import Mapping
from typing import Any

from expectations.code import REVIEW, STATUTE
from expectations.rules.rule import Disposition, Rule, batch_rule, registry


def _share(name: str, predicate: str, poison: Mapping[str, Any], inputs: tuple[str, ...] | None = None) -> Rule:
    """One of several ways to count too many incomplete addresses: all lead to one code."""
    head = (name, "TOO_MANY_INCOMPLETE", f"agreement; {REVIEW}")
    words = ("Too large a share of the rows has an incomplete address.", "Fix these addresses; pre-flight lists each.")
    return batch_rule(head, predicate, poison, words, disposition=Disposition.HOLD_BATCH, inputs=inputs)


RULES = registry(
    batch_rule(
        ("volume", "TOO_MANY_ROWS", "agreement"),
        "rows_submitted <= rows_per_batch",
        {"rows_submitted": 10**9},
        ("The batch is larger than the agreement allows.", "Split it, within the volume cap."),
        inputs=("rows_submitted", "rows_per_batch"),
    ),
    batch_rule(
        ("volume_30_days", "TOO_MANY_ROWS_30_DAYS", "agreement"),
        "rows_submitted + earlier_rows <= rows_30_days",
        {"earlier_rows": 10**9, "rows_30_days": 10**6},
        ("More rows within 30 days than the agreement allows.", "Wait, or send fewer rows."),
        inputs=("rows_submitted", "earlier_rows", "rows_30_days"),
    ),
    batch_rule(
        ("reasons_specific", "BOILERPLATE_REASONS", f"{STATUTE}(B)(iv)"),
        "identical_reason_rows <= identical_reason_share * rows_submitted",
        {"identical_reason_rows": 10**9},
        ("Too large a share of the rows gives one identical reason.", "Give reasons specific to each record."),
        inputs=("identical_reason_rows", "identical_reason_share", "rows_submitted"),
    ),
    batch_rule(
        ("reasons_specific_period", "BOILERPLATE_REASONS", f"{STATUTE}(B)(iv)"),
        "period_reason <= identical_reason_share_period * period_requests",
        {"period_reason": 10**9},
        ("Too large a share of the rows gives one identical reason.", "Give reasons specific to each record."),
        inputs=("period_reason", "identical_reason_share_period", "period_requests"),
    ),
    batch_rule(
        ("officers_engaged", "OFFICER_OVERLOADED", f"{STATUTE}(A)"),
        "busiest_officer_rows <= matters_per_officer",
        {"busiest_officer_rows": 10**9},
        ("An officer is named for more matters than is plausible.", "Name the officers personally engaged."),
        inputs=("busiest_officer_rows", "matters_per_officer"),
    ),
    batch_rule(
        ("officers_engaged_period", "OFFICER_OVERLOADED", f"{STATUTE}(A)"),
        "period_officer <= matters_per_officer_period",
        {"period_officer": 10**9},
        ("An officer is named for more matters than is plausible.", "Name the officers personally engaged."),
        inputs=("period_officer", "matters_per_officer_period"),
    ),
    _share(
        "incomplete_share",
        "incomplete_rows <= incomplete_share * (rows_submitted - rows_dropped)",
        {"incomplete_rows": 10**9},
        ("incomplete_rows", "incomplete_share", "rows_submitted", "rows_dropped"),
    ),
    _share(
        "incomplete_share_per_file",
        "worst_file_incomplete_share <= incomplete_share_per_file",
        {"worst_file_incomplete_share": 1.0, "incomplete_share_per_file": 0.15},
    ),
    _share("incomplete_share_by_code", "len(codes_over_limit) = 0", {"codes_over_limit": ["PLACEHOLDER"]}),
    # a batch without an incomplete row makes no share larger: what stands against it is over, and nobody could drop it
    _share(
        "incomplete_share_30_days",
        "incomplete_rows = 0 OR incomplete_rows + earlier_incomplete_rows"
        " <= incomplete_share_30_days * (rows_submitted - rows_dropped + earlier_rows)",
        {"incomplete_rows": 1, "earlier_incomplete_rows": 10**9},
        (
            "incomplete_rows",
            "earlier_incomplete_rows",
            "incomplete_share_30_days",
            "rows_submitted",
            "rows_dropped",
            "earlier_rows",
        ),
    ),
)
