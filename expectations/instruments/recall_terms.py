"""By when the recipient, and then the holder, answer for the steps of a recall."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from expectations.base.forms import Strict, entry

Days = Annotated[int, Field(gt=0, le=365)]


class RecallTerms(Strict):
    """Days for each step, counted from the step before. The incident report has no term here: its 24 hours are not
    agreed."""

    copies_days: Days = entry("for the recipient to list its copies, from the notice on", 10, default=10)
    disposal_days: Days = entry("to dispose of them or return them, from the list on", 30, default=30)
    attestation_days: Days = entry("to attest it, from the last disposal on", 10, default=10)
    closing_days: Days = entry("for the holder to close the case, from the attestation on", 10, default=10)
