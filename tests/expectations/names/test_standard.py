"""Names in one standard form."""

from __future__ import annotations

import pytest

from expectations.base import duck
from expectations.names import standard

MIDDLE = {
    "M": "M",
    "m.": "M",
    "Ann Marie": "A",
    "O'Neil": "O",
    "Stephen": "S",
    "Sonia": "S",
    "Maleah": "M",
    "Nina": "N",
    "Mandy": "M",
    "Missy": "M",  # names that begin like no name
    "Son": None,
    "Son of": None,
    "Lady in the house": None,
    "GRANDCHILD": None,
    "stepson": None,
    "Mr.": None,
    "NMN": None,
    "": None,
    " - ": None,
    None: None,
}


@pytest.mark.parametrize("written", MIDDLE, ids=str)
def test_a_middle_initial_is_that_of_a_name(written: str | None) -> None:
    with duck.session(duck.DuckSettings(threads=1)) as con:
        standard.setup(con)
        assert con.execute("SELECT std_middle(std_name(?))", [written]).fetchall() == [(MIDDLE[written],)]


# first name, middle name, surname and suffix as written → first name, initial, surname and suffix as they are compared
PARTS = {
    ("Paul", "Q", "Kettle", "Jr."): ("PAUL", "Q", "KETTLE", "JR"),
    ("Paul", "Q", "Kettle", "Junior"): ("PAUL", "Q", "KETTLE", "JR"),
    ("Paul", "Q", "Kettle", "Snr"): ("PAUL", "Q", "KETTLE", "SR"),
    ("Paul", "Q", "Kettle", "3rd"): ("PAUL", "Q", "KETTLE", "III"),
    ("Paul", "Q", "Kettle", "2"): ("PAUL", "Q", "KETTLE", "II"),
    ("Paul", "Q", "Kettle", "Esq."): ("PAUL", "Q", "KETTLE", None),
    ("Paul", "Q", "Kettle 4th", None): ("PAUL", "Q", "KETTLE", "IV"),
    ("Paul", "Q", "Kettle Jnr", None): ("PAUL", "Q", "KETTLE", "JR"),
    ("Paul", "Jr", "Kettle", None): ("PAUL", None, "KETTLE", "JR"),
    ("Paul", "Quentin Sr.", "Kettle", None): ("PAUL", "Q", "KETTLE", "SR"),
    ("Paul Jr", "Q", "Kettle", None): ("PAUL", "Q", "KETTLE", "JR"),
    ("Paul Jr", "Q", "Kettle", "Sr"): ("PAUL", "Q", "KETTLE", "SR"),  # the field of suffixes goes first
    ("Paul", "V", "Kettle", None): ("PAUL", "V", "KETTLE", None),
    ("Paul V", None, "Kettle", None): ("PAUL V", None, "KETTLE", None),
    ("Junior", None, "Kettle", None): ("JUNIOR", None, "KETTLE", None),
    ("Junior", None, "Silva Junior", None): ("JUNIOR", None, "SILVA JUNIOR", None),
    ("Paul", "J R", "Kettle", None): ("PAUL", "J", "KETTLE", None),
}


@pytest.mark.parametrize("written", PARTS, ids=str)
def test_a_suffix_is_read_wherever_it_stands(written: tuple[str | None, ...]) -> None:
    names = ("first_name", "middle_name", "last_name", "suffix")
    fields = ", ".join(f"CAST(? AS VARCHAR) AS {name}" for name in names)
    asked_for = f"(SELECT {fields}, CAST(NULL AS VARCHAR) AS full_name, NULL AS birth_date, NULL AS tin)"
    on_file = f"(SELECT 1 AS record_id, {fields}, CAST(NULL AS DATE) AS birth_date, NULL AS tin)"
    with duck.session(duck.DuckSettings(threads=1)) as con:
        standard.setup(con)
        for query in (standard.derive(asked_for), standard.derive_register(on_file)):
            found = con.execute(f"SELECT s_first, s_middle, s_last, s_suffix FROM ({query})", list(written)).fetchall()
            assert found == [PARTS[written]]


@pytest.mark.parametrize(
    ("given", "nobody"),
    [
        *[(word, True) for word in ("J", "J M", "BABY", "BABY GIRL", "TWIN B", "FNU", "MRS", "MR J")],
        *[(name, False) for name in ("JO", "ANA", "SON", "BABETTE", "MARY J", "MISSY", "GIRLIE", "TWINKLE")],
    ],
)
def test_a_given_name_that_names_nobody(given: str, nobody: bool) -> None:
    with duck.session(duck.DuckSettings(threads=1)) as con:
        standard.setup(con)
        assert con.execute("SELECT std_no_given(?)", [given]).fetchall() == [(nobody,)]
