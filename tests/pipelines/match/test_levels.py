"""Each comparison level and each way to a tier, on a pair that shows it. One that is added needs a pair here."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.match import document, tiers
from pipelines.match.comparisons import COMPARISONS
from pipelines.match.comparisons.names import FIRST_NAME
from tests.factories.match_inputs import HOME, asked, compared, record
from tests.factories.paths import DOCS

DOCUMENT = DOCS / "matching.md"

Pair = tuple[dict[str, Any], dict[str, Any]]
NAME = ("Ana", "Bellweather")
TIN = {"tin": "512345678"}
BORN = {"birth_date": date(1971, 5, 23)}
MIDDLE = {"middle_name": "Q"}


def unit(name: str) -> dict[str, Any]:
    return {"home": {**HOME, "unit": name}}


MOVED = {"home": {**HOME, "street": "99 ELM ST"}}


def names(asked_for: tuple[str, str], on_file: tuple[str, str] = NAME, **both: Any) -> Pair:
    """A request and a record that share all but the name."""
    return _request(*asked_for, **both), record(0, *on_file, **both)


def fields(asked_for: dict[str, Any], on_file: dict[str, Any], **both: Any) -> Pair:
    """A request and a record of one name that differ in these fields. `both` have the rest."""
    return _request(*NAME, **both, **asked_for), record(0, *NAME, **both, **on_file)


def _request(first: str, last: str, **more: Any) -> dict[str, Any]:
    born = more.pop("birth_date", None)
    return asked(first, last, birth_date=born.isoformat() if born else None, **more)


# A pair of which the names are different is compared only if the TINs are equal.
LEVELS: dict[tuple[str, str], Pair] = {
    ("first_name", "exact"): names(("ANA", "Bellweather")),
    ("first_name", "initial"): names(("A", "Bellweather")),
    ("first_name", "other_name"): names(("Marie", "Bellweather"), ("Maria", "Bellweather")),
    ("first_name", "nickname"): names(("Bill", "Bellweather"), ("William", "Bellweather")),
    ("first_name", "slip"): names(("Bernadettte", "Bellweather"), ("Bernadette", "Bellweather")),
    ("first_name", "similar"): names(("Gabriellexq", "Bellweather"), ("Gabrielle", "Bellweather")),
    ("first_name", "loose"): names(("Marta", "Bellweather"), ("Maria", "Bellweather")),
    ("first_name", "different"): names(("Boris", "Bellweather"), **TIN),
    ("last_name", "exact"): names(("Ana", "VegaWinfield"), ("Ana", "Vega-Winfield")),
    ("last_name", "token"): names(("Ana", "Ulloa"), ("Ana", "García Ulloa")),
    ("last_name", "similar"): names(("Ana", "Belweather")),
    ("last_name", "loose"): names(("Ana", "Winterford"), ("Ana", "Winterfield")),
    ("last_name", "different"): names(("Ana", "Zuckermoor"), **TIN),
    ("name_order", "swapped"): names(("Bellweather", "Ana")),
    ("name_order", "in_place"): names(NAME),
    ("middle_name", "unknown"): fields({}, MIDDLE),
    ("middle_name", "same"): fields({"middle_name": "Quentin"}, MIDDLE),
    ("middle_name", "conflict"): fields({"middle_name": "R"}, MIDDLE),
    ("suffix", "unknown"): fields({}, {}),
    ("suffix", "one_side"): fields({"suffix": "JR"}, {}),
    ("suffix", "same"): fields({"suffix": "Jr."}, {"suffix": "JR"}),
    ("suffix", "conflict"): fields({"suffix": "SR"}, {"suffix": "JR"}),
    ("birth_date", "unknown"): fields({}, BORN),
    ("birth_date", "year"): fields({"birth_date": date(1971, 1, 1)}, BORN),
    ("birth_date", "same"): fields({}, {}, **BORN),
    ("birth_date", "near"): fields({"birth_date": date(1971, 5, 3)}, {"birth_date": date(1971, 3, 5)}),
    ("birth_date", "conflict"): fields({"birth_date": date(1972, 5, 23)}, BORN),
    ("tin", "unknown"): fields(TIN, {}),
    ("tin", "same"): fields({"tin": "512-34-5678"}, TIN),
    ("tin", "near"): fields({"tin": "512345687"}, TIN),
    ("tin", "conflict"): fields({"tin": "633987654"}, TIN),
    ("address", "same"): fields(unit("APT 4"), unit("UNIT 4")),
    ("address", "building"): fields({}, unit("APT 4")),
    ("address", "other_unit"): fields(unit("APT 5"), unit("APT 4")),
    ("address", "elsewhere"): fields(MOVED, {}),
}

# A way to a tier → a pair that no other way to the same tier holds of.
WAYS: dict[str, Pair] = {
    "A.name": names(NAME, **TIN),
    "A.names_swapped": names(("Bellweather", "Ana"), **TIN),
    "A.similar_name_birth_date": names(("Ariana", "Belweather"), ("Aria", "Bellweather"), **TIN, **BORN),
    "A.slip_middle_name": names(("Bill", "Bellweather"), ("William", "Bellweather"), **TIN, **MIDDLE),
    "A.birth_date": names(("Ana", "Zuckermoor"), **TIN, **BORN),
    "A.middle_name_address": names(("Ana", "Zuckermoor"), **TIN, **MIDDLE),
    "B.name": fields({}, unit("APT 4"), **BORN),
    "B.names_swapped": names(("Bellweather", "Ana"), **BORN),
    "C.similar_surname": names(("Ana", "Belweather"), **BORN),
    "D.rare_name": (
        _request("Zenobia", "Quill", **BORN, **MOVED),
        record(0, "Zenobia", "Quill", **BORN),
    ),
}


# Given names that say the same, or not, beside the level of each; all differ in nothing else.
GIVEN_NAMES = {
    ("Mary Ann", "Maryann"): "exact",
    ("Mary-Ann", "MARY ANN"): "exact",
    ("Mary Ann", "Mary Beth"): "loose",
    ("J", "J"): "initial",
    ("J M", "J M"): "initial",
    ("Carl A", "Carla"): "other_name",
    ("Anna", "Ann A."): "other_name",
    ("Baby Girl", "BABY GIRL"): "initial",
    ("Twin B", "Twin B"): "initial",
    ("Fnu", "FNU"): "initial",
    ("Ana", "Anna"): "other_name",
    ("Carla", "Carlo"): "other_name",
    ("Michael", "Michelle"): "other_name",
    ("Aria", "Ariana"): "other_name",
    ("Paul", "Polly"): "other_name",  # a familiar form by the list, of the other sex
    ("Ottolima", "Ottolina"): "other_name",  # neither is known as a name, or as none
    ("Mary Ann", "Mary Anne"): "other_name",  # put together from names
    ("Dan", "Daniel"): "nickname",
    ("Ben", "Benjamin"): "nickname",
    ("Josgua", "Joshua"): "slip",
}


@pytest.fixture(scope="module")
def given_names(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    pairs = [names((asked_for, NAME[1]), (on_file, NAME[1])) for asked_for, on_file in GIVEN_NAMES]
    numbered = [(request, {**on_file, "record_id": n}) for n, (request, on_file) in enumerate(pairs, 1)]
    return compared(tmp_path_factory.mktemp("given"), numbered)


@pytest.mark.parametrize("number", range(len(GIVEN_NAMES)), ids=map("-".join, GIVEN_NAMES))
def test_level_of_a_given_name(given_names: list[dict[str, Any]], number: int) -> None:
    assert given_names[number]["first_name"] == list(GIVEN_NAMES.values())[number]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All pairs compared: those of LEVELS, then those of WAYS."""
    pairs = [*LEVELS.values(), *WAYS.values()]
    numbered = [(request, {**on_file, "record_id": n}) for n, (request, on_file) in enumerate(pairs, 1)]
    return compared(tmp_path_factory.mktemp("levels"), numbered)


def test_every_level_and_every_way_has_its_pair(found: list[dict[str, Any]]) -> None:
    assert list(LEVELS) == [(comparison.column, level.id) for comparison in COMPARISONS for level in comparison.levels]
    assert list(WAYS) == [way.id for rule in tiers.RULES.values() for way in rule.alternatives]
    assert len(found) == len(LEVELS) + len(WAYS)


@pytest.mark.parametrize("number", range(len(LEVELS)), ids=map(".".join, LEVELS))
def test_level(found: list[dict[str, Any]], number: int) -> None:
    column, level = list(LEVELS)[number]
    assert found[number][column] == level, found[number]


@pytest.mark.parametrize("number", range(len(WAYS)), ids=WAYS)
def test_way_to_a_tier(found: list[dict[str, Any]], number: int) -> None:
    way, row = list(WAYS)[number], found[len(LEVELS) + number]
    assert (row["tier"], [w for w in row["ways"] if w[0] == row["tier"]]) == (way[0], [way]), row


def test_a_condition_on_a_level_that_is_not_there_is_an_error() -> None:
    for ids in (("exact", "equal"), ()):
        with pytest.raises(ValueError, match="first_name has the levels exact"):
            FIRST_NAME.at(*ids)


def test_the_document_has_the_tables_of_today() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document.document(text) == text, "run python -m pipelines.match.document infra/docs/matching.md"
    with pytest.raises(ValueError, match="marks"):
        document.document("no marks")
