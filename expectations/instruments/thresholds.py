"""What an agreement tolerates before a checkpoint stops a batch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from expectations.base.forms import Strict
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.instruments.terms import Share

Count = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=0)]
_NO_CAP = 10**15


class Thresholds(Strict):
    """What the agreement tolerates. Shares are of all submitted rows, rejects included."""

    incomplete_share: Share = Field(
        description="share of a batch's rows whose address may be incomplete", examples=[0.05]
    )
    incomplete_share_per_file: Share = Field(description="the same, of the worst file", examples=[0.1])
    incomplete_share_30_days: Share | None = Field(
        default=None,
        description="of this batch and what passed in the 30 days before; left out: incomplete_share",
        examples=[0.05],
    )
    incomplete_share_by_code: dict[str, Share] = Field(
        default={}, description="limits for single codes, below incomplete_share", examples=[{"PLACEHOLDER": 0.02}]
    )
    match_rate_floor: Share = Field(
        description="least share of the requests looked up that are matched", examples=[0.005]
    )
    match_rate_ceiling: Share = Field(description="greatest share of them", examples=[0.98])
    weak_tiers_ceiling: Share = Field(
        default=0.25,
        description="share of the matches that may be of tiers C and D; judged from 100 matches on",
        examples=[0.25],
    )
    letter_age_days: Days = Field(description="how old a letter may be on the day it is received", examples=[30])
    attestation_days: Days = Field(
        default=365,
        description="how many days an attestation counts, from the day it was made to receipt",
        examples=[365],
    )
    rows_per_batch: Count = Field(description="rows that one batch may have", examples=[1500000])
    rows_30_days: Count | None = Field(
        default=None,
        description="rows of this batch and of what passed intake in the 30 days before; left out: no cap",
        examples=[3000000],
    )
    matters_per_officer: Count = Field(
        description="rows of a batch that one officer can be personally and directly engaged in", examples=[5000]
    )
    identical_reason_share: Share = Field(
        description="share of a batch's rows that may give word for word the same reason", examples=[0.05]
    )
    persons_per_address: Count = Field(
        description="persons of a batch who may share one address; more, and its rows are held", examples=[50]
    )
    tries_per_person: Count = Field(
        description="addresses that a requester may try for one person within a year", examples=[3]
    )
    held_days: Count = Field(description="days after which a held batch expires", examples=[30])
    days_after_final_order: Annotated[int, Field(ge=0)] = Field(
        default=90, description="more than so many days must lie between final order and letter", examples=[90]
    )

    def complete(self) -> Thresholds:
        """With what holds in the place of limits that are left out."""
        share = self.incomplete_share_30_days
        return self.model_copy(
            update={
                "rows_30_days": self.rows_30_days or _NO_CAP,
                "incomplete_share_30_days": self.incomplete_share if share is None else share,
            }
        )

    @field_validator("incomplete_share_by_code")
    @classmethod
    def _known_codes(cls, value: dict[str, float]) -> dict[str, float]:
        if any(code not in BLOCKING_ADDRESS_CODES for code in value):
            raise ValueError(f"codes that can have a limit are {', '.join(BLOCKING_ADDRESS_CODES)}")
        return value
