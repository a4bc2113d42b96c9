"""How the rows of a batch are spread at a checkpoint, each picture beside its limits: counted when the checkpoint is
judged and kept with its result, since rows do not outlive a batch. Counts, shares and codes of ours only: an officer
and a reason are never named, but counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from expectations.base.total import total


class Spread(StrEnum):
    """What is counted, in the order of the pages. The words are kept with results, and so never change."""

    CODES = "codes"
    FILES = "files"
    CODES_OF_FILES = "codes_of_files"
    OFFICERS = "officers"
    REASONS = "reasons"
    ANSWERS = "answers"
    TIERS = "tiers"
    ENDS = "ends"
    HELD = "held"


class Limit(StrEnum):
    """What the agreement limits, by the name of its threshold."""

    INCOMPLETE = "incomplete_share"
    MONTH = "incomplete_share_30_days"
    FILE = "incomplete_share_per_file"
    OFFICER = "matters_per_officer"
    OFFICER_PERIOD = "matters_per_officer_period"
    REASON = "identical_reason_share"
    REASON_PERIOD = "identical_reason_share_period"
    MATCHED = "match_rate"
    WEAK = "weak_tiers_ceiling"


@dataclass(frozen=True)
class Shown:
    """How a spread is shown: under which title, what a line and its count are, and whether as a picture too."""

    title: str
    line: str
    counted: str
    drawn: bool = True


SHOWN: Mapping[Spread, Shown] = total(
    Spread,
    {
        Spread.CODES: Shown("incomplete addresses by code", "code", "rows"),
        Spread.FILES: Shown("incomplete addresses by data file", "file", "incomplete rows"),
        Spread.CODES_OF_FILES: Shown("codes in each data file", "code and file", "rows", drawn=False),
        Spread.OFFICERS: Shown("officers by their number of matters", "matters", "officers"),
        Spread.REASONS: Shown("requests by how many give their reason", "requests with that reason", "requests"),
        Spread.ANSWERS: Shown("answers to the rows looked up", "answer", "rows"),
        Spread.TIERS: Shown("matches by tier", "tier", "matches"),
        Spread.ENDS: Shown("how the rows judged end", "end", "rows"),
        Spread.HELD: Shown("rows held, by code", "code", "rows"),
    },
)


@dataclass(frozen=True)
class Judged:
    """What is measured against a limit, in words that stand before the figures, and the check that judges it."""

    words: str
    check: str


JUDGED: Mapping[Limit, Judged] = total(
    Limit,
    {
        Limit.INCOMPLETE: Judged("incomplete addresses, of all rows", "authority.incomplete_share"),
        Limit.MONTH: Judged("incomplete addresses, of all rows of 30 days", "authority.incomplete_share_30_days"),
        Limit.FILE: Judged("incomplete addresses, in the worst file", "authority.incomplete_share_per_file"),
        Limit.OFFICER: Judged("most matters of one officer", "authority.officers_engaged"),
        Limit.OFFICER_PERIOD: Judged(
            "most matters of one officer, over the agreement's period", "authority.officers_engaged_period"
        ),
        Limit.REASON: Judged("rows that give one reason, at most", "authority.reasons_specific"),
        Limit.REASON_PERIOD: Judged(
            "requests that give one reason, at most, over the agreement's period", "authority.reasons_specific_period"
        ),
        Limit.MATCHED: Judged("matched, of the rows looked up", "matching.rate"),
        Limit.WEAK: Judged("tiers C and D, of the matches; judged from 100 on", "matching.tier_mix"),
    },
)


@dataclass(frozen=True)
class Line:
    """One bar. `label`: a code, a tier, a file's number, a range of numbers; `limit`: of `share`, where it has one."""

    label: str
    count: int
    share: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Bound:
    """What was measured beside its limit: counts as whole numbers, shares from 0 to 1."""

    limit: Limit
    measured: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Counted:
    """A spread as it was counted. `left_out`: lines beyond the most that are kept."""

    spread: Spread
    lines: tuple[Line, ...]
    bounds: tuple[Bound, ...] = ()
    left_out: int = 0

    @property
    def shown(self) -> Shown:
        """How pages show it."""
        return SHOWN[self.spread]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        lines, bounds = ([dict(vars(one)) for one in some] for some in (self.lines, self.bounds))
        return {"spread": self.spread.value, "lines": lines, "bounds": bounds, "left_out": self.left_out}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Counted":
        """As it was kept; raises ValueError, KeyError or TypeError for what is no spread."""
        bounds = tuple(Bound(**{**one, "limit": Limit(one["limit"])}) for one in kept["bounds"])
        return cls(Spread(kept["spread"]), tuple(Line(**one) for one in kept["lines"]), bounds, kept["left_out"])
