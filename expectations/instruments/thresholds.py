"""What an agreement tolerates before a checkpoint stops a batch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from expectations.base.forms import Strict, entry
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.instruments.terms import Share

Count = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=0)]
_NO_CAP = 10**15


class Thresholds(Strict):
    """What the agreement tolerates. Shares are of all submitted rows, rejects included."""

    incomplete_share: Share = entry("share of a batch's rows whose address may be incomplete", 0.05)
    incomplete_share_per_file: Share = entry("the same, of the worst file", 0.1)
    incomplete_share_30_days: Share | None = entry(
        "of this batch and what passed in the 30 days before; left out: incomplete_share", 0.05, default=None
    )
    incomplete_share_by_code: dict[str, Share] = entry(
        "limits for single codes, below incomplete_share", {"PLACEHOLDER": 0.02}, default={}
    )
    match_rate_floor: Share = entry("least share of the requests looked up that are matched", 0.005)
    match_rate_ceiling: Share = entry("greatest share of them", 0.98)
    weak_tiers_ceiling: Share = entry(
        "share of the matches that may be of tiers C and D; judged from 100 matches on", 0.25, default=0.25
    )
    letter_age_days: Days = entry("how old a letter may be on the day it is received", 30)
    attestation_days: Days = entry(
        "how many days an attestation counts, from the day it was made to receipt", 365, default=365
    )
    determination_days: Days = entry(
        "how many days the holder's determination under 26 USC 6103(i)(6) counts", 30, default=30, le=366
    )
    rows_per_batch: Count = entry("rows that one batch may have", 1500000)
    rows_30_days: Count | None = entry(
        "rows of this batch and of what passed intake in the 30 days before; left out: no cap", 3000000, default=None
    )
    matters_per_officer: Count = entry(
        "rows of a batch that one officer can be personally and directly engaged in", 5000
    )
    identical_reason_share: Share = entry("share of a batch's rows that may give the same reason", 0.05)
    period_days: Count = entry(
        "days before receipt in which the requester's earlier requests count for the two limits below", 365, default=365
    )
    matters_per_officer_period: Count | None = entry(
        "requests of the period that one officer can be engaged in; left out: matters_per_officer", 20000, default=None
    )
    identical_reason_share_period: Share | None = entry(
        "share of the period's requests that may give the same reason; left out: identical_reason_share",
        0.05,
        default=None,
    )
    persons_per_address: Count = entry("persons of a batch who may share one address; more, and its rows are held", 50)
    tries_per_person: Count = entry(
        "sets of values (address, birth date, TIN) that a requester may try on one person within tries_days", 3
    )
    tries_days: int = entry("how many days a try counts from the answer on", 365, default=365, ge=90, le=3650)
    held_days: Count = entry("days after which a held batch expires", 30)
    days_after_final_order: int = entry(
        "more than so many days must lie between final order and letter", 90, default=90, ge=0
    )

    def complete(self) -> Thresholds:
        """With what holds in the place of limits that are left out."""
        share = self.incomplete_share if self.incomplete_share_30_days is None else self.incomplete_share_30_days
        reasons = self.identical_reason_share_period
        limits = {
            "rows_30_days": self.rows_30_days or _NO_CAP,
            "incomplete_share_30_days": share,
            "matters_per_officer_period": self.matters_per_officer_period or self.matters_per_officer,
            "identical_reason_share_period": self.identical_reason_share if reasons is None else reasons,
        }
        return self.model_copy(update=limits)

    @field_validator("incomplete_share_by_code")
    @classmethod
    def _known_codes(cls, value: dict[str, float]) -> dict[str, float]:
        if any(code not in BLOCKING_ADDRESS_CODES for code in value):
            raise ValueError(f"codes that can have a limit are {', '.join(BLOCKING_ADDRESS_CODES)}")
        return value
