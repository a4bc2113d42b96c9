"""The page that holds the console against ASVS: every item once, what it names is there, and its counts are right."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.factories.paths import ROOT

PAGE = (ROOT / "infra/docs/asvs.md").read_text(encoding="utf-8")
# Of OWASP ASVS 5.0.0 (5.0/docs_en of https://github.com/OWASP/ASVS): items by level, and by chapter.
BY_LEVEL = {1: 70, 2: 183, 3: 92}
BY_CHAPTER = (30, 13, 31, 16, 13, 47, 19, 13, 7, 36, 24, 12, 21, 13, 21, 17, 12)
DOES_NOT_APPLY, NOT_MET = "does not apply", "not met"


@dataclass(frozen=True)
class Item:
    """A row of the page. `chapter`: of the heading above it; `number`: chapter, section and item of its id."""

    id: str
    number: tuple[int, int, int]
    level: int
    chapter: int
    asks: str
    here: str
    test: str

    @property
    def verdict(self) -> str:
        """What the page says of it."""
        said, colon, _ = self.here.partition(":")
        return said if colon and said in (DOES_NOT_APPLY, NOT_MET) else "met"

    @property
    def why(self) -> str:
        """What is missing, or why it does not apply."""
        return self.here.partition(":")[2].strip()


def items() -> list[Item]:
    """The rows of all chapters; whatever is none of the pattern fails here."""
    found = []
    for part in PAGE.split("\n## ")[1:]:
        chapter = re.match(r"V(\d+) ", part)
        assert chapter, part[:40]
        rows = re.findall(r"^\|.*$", part, re.M)
        assert rows[:2] == ["| item | asks for | here | test |", "|---|---|---|---|"], part[:40]
        for row in rows[2:]:
            one = re.fullmatch(r"\| (V(\d+)\.(\d+)\.(\d+)) L([123]) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", row)
            assert one, row
            number = (int(one[2]), int(one[3]), int(one[4]))
            found.append(Item(one[1], number, int(one[5]), int(chapter[1]), *one.groups()[5:]))
    return found


ITEMS = items()


def test_every_item_of_the_standard_stands_once_in_its_order_and_chapter() -> None:
    assert Counter(one.level for one in ITEMS) == BY_LEVEL
    assert Counter(one.chapter for one in ITEMS) == dict(enumerate(BY_CHAPTER, 1))
    assert [one.id for one in ITEMS if one.number[0] != one.chapter] == []
    assert ITEMS[0].number == (1, 1, 1)
    for before, after in pairwise(one.number for one in ITEMS):  # sections and items are numbered without a gap
        chapter, section, item = before
        assert after in {(chapter, section, item + 1), (chapter, section + 1, 1), (chapter + 1, 1, 1)}, after


def test_the_counts_at_the_top_are_those_of_the_tables() -> None:
    head = PAGE.split("\n## ")[0]
    shown = {
        row[0]: [int(n) for n in row[1:]] for row in re.findall(r"^\| (\w+)" + r" \| (\d+)" * 4 + r" \|$", head, re.M)
    }
    counted = Counter((one.level, one.verdict) for one in ITEMS)
    sums = {str(level): [counted[level, v] for v in ("met", DOES_NOT_APPLY, NOT_MET)] for level in BY_LEVEL}
    sums["all"] = [sum(column) for column in zip(*sums.values(), strict=True)]
    assert shown == {level: [*row, sum(row)] for level, row in sums.items()}


def test_what_it_asks_for_is_said_in_ten_words_at_most() -> None:
    assert [one.id for one in ITEMS if len(one.asks.split()) > 10] == []


@pytest.mark.parametrize("verdict", [DOES_NOT_APPLY, NOT_MET])
def test_what_is_not_met_or_does_not_apply_says_why_and_names_no_test(verdict: str) -> None:
    chosen = [one for one in ITEMS if one.verdict == verdict]
    assert [one.id for one in chosen if len(one.why.split()) < 4 or one.test != "–"] == []
    # a verdict is written in one way, or it would count as met
    assert [one.id for one in ITEMS if one.verdict == "met" and one.here.lower().startswith(verdict)] == []


def test_what_is_met_names_a_test_or_a_file_that_is_there() -> None:
    wrong = []
    for one in (one for one in ITEMS if one.verdict == "met"):
        named = re.fullmatch(r"`([\w./-]+)(?:::(test_\w+))?`", one.test)
        there = named is not None and (ROOT / named[1]).is_file()
        if named and there and named[2]:
            there = f"def {named[2]}(" in (ROOT / named[1]).read_text(encoding="utf-8")
        if not there:
            wrong.append((one.id, one.test))
    assert wrong == []


def test_names_of_tests_lead_to_tests() -> None:
    """A file of tests proves nothing by being read."""
    assert [one.id for one in ITEMS if one.test.startswith("`tests/") and "::test_" not in one.test] == []
