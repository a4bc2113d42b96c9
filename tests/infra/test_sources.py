"""What the rule book cites can be looked up: a source within the project is a page that is there."""

from __future__ import annotations

import re

from expectations.codes import CODES
from tests.factories.paths import ROOT


def test_every_page_that_a_code_cites_is_there() -> None:
    pages = {page for code in CODES.values() for page in re.findall(r"\S+\.md", code.source)}
    assert pages and [page for page in pages if not (ROOT / page.strip("(),;")).is_file()] == []


def test_the_invariants_that_are_cited_have_their_number_on_the_page() -> None:
    numbered = set(re.findall(r"^(\d+)\.", (ROOT / "infra/docs/invariants.md").read_text(), re.MULTILINE))
    cited = {n for code in CODES.values() for n in re.findall(r"invariants\.md, (\d+)", code.source)}
    assert cited and cited <= numbered
