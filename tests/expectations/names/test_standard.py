"""Names in one standard form."""

from __future__ import annotations

import pytest

from expectations.base import duck
from expectations.names import standard

MIDDLE = {
    "M": "M", "m.": "M", "Ann Marie": "A", "O'Neil": "O",
    "Stephen": "S", "Sonia": "S", "Maleah": "M", "Nina": "N", "Mandy": "M", "Missy": "M",  # names that begin like no name
    "Son": None, "Son of": None, "Lady in the house": None, "GRANDCHILD": None, "stepson": None, "Mr.": None, "NMN": None,
    "": None, " - ": None, None: None,
}  # fmt: skip


@pytest.mark.parametrize("written", MIDDLE, ids=str)
def test_a_middle_initial_is_that_of_a_name(written: str | None) -> None:
    with duck.session(duck.DuckSettings(threads=1)) as con:
        standard.setup(con)
        assert con.execute("SELECT std_middle(std_name(?))", [written]).fetchall() == [(MIDDLE[written],)]
