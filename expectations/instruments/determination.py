"""The holder's determination under 26 USC 6103(i)(6): who made it, when, for which agreements, and how long it counts.

Nothing is disclosed if the holder determines that this would identify a confidential informant or seriously impair a
tax investigation. These restrictions are administered by the holder alone and ask nothing of the requester (DOJ
Criminal Resource Manual 511). So what is recorded is the holder's own: an instrument, which two operators enrol. The
persons whom it is about stand on the holder's list `informant`, whose records are never disclosed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import model_validator

from expectations.base.forms import Strict, entry
from expectations.instruments.agreement import Agreement
from expectations.instruments.terms import Key


class Determination(Strict):
    """That disclosure under these agreements, but for the persons on the list `informant`, identifies no informant and
    impairs no tax investigation."""

    kind: Literal["determination"] = entry("says that this is the holder's determination", "determination")
    id: Key = entry("its name; a file with the same id is a new version of it", "informants-2026")
    title: str = entry("what people call it", "Determination under 26 USC 6103(i)(6)")
    source: str = entry("where it is on file", "Memorandum to the file, 1 June 2026")
    agreements: tuple[Key, ...] = entry("the agreements that it was made for", ["sandbox-2026"], min_length=1)
    determined_by: str = entry("who determined it for the holder", "C. Examiner, Disclosure Office")
    determined_on: date = entry("day on which it was determined", date(2026, 6, 1))
    withdrawn_on: date | None = entry("day from which it no longer counts", date(2026, 7, 1), default=None)

    @model_validator(mode="after")
    def _ordered(self) -> Determination:
        if self.withdrawn_on is not None and self.withdrawn_on < self.determined_on:
            raise ValueError("withdrawn_on lies before determined_on")
        if not self.determined_by.strip():
            raise ValueError("determined_by: name who determined it")
        return self

    def stands(self, day: date) -> bool:
        """It is not withdrawn on that day. One that is made later counts for what was asked before."""
        return self.withdrawn_on is None or day < self.withdrawn_on


def cleared(agreement: Agreement, known: Iterable[Determination], day: date) -> bool:
    """Whether the holder has determined it for this agreement, no longer ago than the agreement allows."""
    made = [d.determined_on for d in known if agreement.id in d.agreements and d.stands(day)]
    return bool(made) and (day - max(made)).days <= agreement.thresholds.determination_days
