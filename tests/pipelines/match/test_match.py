"""Matching, case by case: who may be released, and what stands in the way. All cases share one register and one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.lists import Tier
from expectations.contracts.stages import CANDIDATE
from pipelines import match
from pipelines.match.blocking import MAX_PAIRS, MAX_RECORDS
from pipelines.match.comparisons import EVIDENCE
from pipelines.match.outcomes import MatchOutcome
from pipelines.match.vetoes import PAIR_VETOES, REQUEST_VETOES
from tests.factories.match_inputs import HOME, asked, matched, record


def at(number: int, **more: Any) -> dict[str, Any]:
    """A house of its own for each case, so that cases do not meet."""
    return {**HOME, "street": f"{number} OAK ST", **more}


@dataclass(frozen=True)
class Case:
    """Records on file, one request, and how it must end: a tier and the record, or an outcome with a veto."""

    name: str
    records: list[dict[str, Any]]
    request: dict[str, Any]
    outcome: str | None
    record_id: int | None = None
    tier: str | None = None
    veto: str | None = None


BORN, OTHER = date(1971, 5, 23), date(1948, 10, 6)
CASES = [
    Case(
        "number, name and birth date",
        [record(101, "Ana", "Bellweather", tin="512345101", birth_date=BORN, home=at(101))],
        asked("ANA", "Bellweather", tin="512-34-5101", birth_date="1971-05-23", home=at(101)),
        None,
        101,
        "A",
    ),
    Case(
        "number and name alone",
        [record(111, "Ana", "Cartwheel", tin="512345111", home=at(111))],
        asked("Ana", "Cartwheel", tin="512345111", home=at(9111)),
        None,
        111,
        "A",
    ),
    Case(
        "name, birth date and address",
        [record(121, "Bruno", "Dunmoor", birth_date=BORN, home=at(121))],
        asked("Bruno", "Dunmoor", birth_date="1971-05-23", home=at(121)),
        None,
        121,
        "B",
    ),
    Case(
        "one of two surnames, at the full address",
        [record(131, "Bartholomew", "Quillfeather Eastabrook", birth_date=BORN, home=at(131))],
        asked("Bartholomew", "Eastabrook", birth_date="1971-05-23", home=at(131)),
        None,
        131,
        "C",
    ),
    Case(
        "a slip in the surname, without a number: at another address nobody would see it",
        [record(136, "Bruno", "Eastaburn", birth_date=BORN, home=at(136))],
        asked("Bruno", "Eastabrun", birth_date="1971-05-23", home=at(136)),
        "near",
        veto="unseen",
    ),
    Case(
        "name and address alone",
        [record(141, "Carl", "Fennimore", birth_date=BORN, home=at(141))],
        asked("Carl", "Fennimore", home=at(141)),
        "near",
    ),
    Case(
        "name alone",
        [record(151, "Carl", "Garside", birth_date=BORN, home=at(151))],
        asked("Carl", "Garside", home=at(9151)),
        "unmatched",
    ),
    Case("nobody of that name", [], asked("Zeno", "Nobody", home=at(9999)), "unmatched"),
    Case(
        "mover, on an earlier address",
        [record(161, "Dora", "Hallam", birth_date=BORN, homes=[at(161), at(9161)])],
        asked("Dora", "Hallam", birth_date="1971-05-23", home=at(161)),
        None,
        161,
        "B",
    ),
    Case(
        "twins of unlike names",
        [
            record(171, "Peter", "Ibbot", birth_date=BORN, home=at(171)),
            record(172, "Quentin", "Ibbot", birth_date=BORN, home=at(171)),
        ],
        asked("Peter", "Ibbot", birth_date="1971-05-23", home=at(171)),
        None,
        171,
        "B",
    ),
    Case(
        "twins of like names",
        [
            record(181, "Maria", "Jessop", birth_date=BORN, home=at(181)),
            record(182, "Marie", "Jessop", birth_date=BORN, home=at(181)),
        ],
        asked("Maria", "Jessop", birth_date="1971-05-23", home=at(181)),
        "ambiguous",
    ),
    Case(
        "Jr. and Sr. by suffix and birth date",
        [
            record(191, "Paul", "Kettle", suffix="JR", birth_date=BORN, home=at(191)),
            record(192, "Paul", "Kettle", suffix="SR", birth_date=OTHER, home=at(191)),
        ],
        asked("Paul", "Kettle", suffix="Jr.", birth_date="1971-05-23", home=at(191)),
        None,
        191,
        "B",
    ),
    Case(
        "the junior asked for, the senior on file",
        [record(201, "Paul", "Lumley", suffix="SR", tin="512345201", home=at(201))],
        asked("Paul", "Lumley", suffix="JR", tin="512345201", home=at(201)),
        "near",
        veto="suffix",
    ),
    Case(
        "a suffix on one side, neither number nor birth date",
        [record(211, "Paul", "Mabbott", suffix="SR", birth_date=BORN, home=at(211))],
        asked("Paul", "Mabbott", home=at(211)),
        "near",
        veto="suffix",
    ),
    Case(
        "father and son at one address, no suffix",
        [record(221, "Hugo", "Nettle", birth_date=OTHER, home=at(221))],
        asked("Hugo", "Nettle", birth_date="1971-05-23", home=at(221)),
        "near",
        veto="birth_date",
    ),
    Case(
        "days and months change places",
        [record(231, "Hugo", "Oakden", birth_date=date(1971, 5, 3), home=at(231))],
        asked("Hugo", "Oakden", birth_date="1971-03-05", home=at(231)),
        "near",
    ),
    Case(
        "near-miss number",
        [record(241, "Iris", "Pomfret", tin="512345241", birth_date=BORN, home=at(241))],
        asked("Iris", "Pomfret", tin="512345242", birth_date="1971-05-23", home=at(241)),
        "near",
        veto="tin",
    ),
    Case(
        "another number",
        [record(251, "Iris", "Quantock", tin="512345251", birth_date=BORN, home=at(251))],
        asked("Iris", "Quantock", tin="633987654", birth_date="1971-05-23", home=at(251)),
        "near",
        veto="tin",
    ),
    Case(
        "borrowed number: the owner is somebody else",
        [
            record(261, "Jack", "Ridgeway", birth_date=BORN, home=at(261)),
            record(262, "Nora", "Sandal", tin="512345262", home=at(9262)),
        ],
        asked("Jack", "Ridgeway", tin="512345262", birth_date="1971-05-23", home=at(261)),
        "ambiguous",
        veto="tin_elsewhere",
    ),
    Case(
        "a family number: same surname, other given name",
        [record(271, "Nora", "Tunstall", tin="512345271", home=at(271))],
        asked("Boris", "Tunstall", tin="512345271", home=at(271)),
        "unmatched",
    ),
    Case(
        "two surnames, one given",
        [record(281, "Luis", "García Ulloa", tin="512345281", home=at(281))],
        asked("LUIS", "Ulloa", tin="512345281", home=at(281)),
        None,
        281,
        "A",
    ),
    Case(
        "two surnames, hyphen lost",
        [record(291, "Luis", "Vega-Winfield", birth_date=BORN, home=at(291))],
        asked("Luis", "VegaWinfield", birth_date="1971-05-23", home=at(291)),
        "near",
        veto="unseen",
    ),
    Case(
        "two surnames, hyphen lost, with the number",
        [record(296, "Luis", "Vega-Winterton", tin="512345296", birth_date=BORN, home=at(296))],
        asked("Luis", "VegaWinterton", tin="512345296", birth_date="1971-05-23", home=at(296)),
        None,
        296,
        "A",
    ),
    Case(
        "a particle is no surname",
        [record(301, "Luis", "De La Xara", tin="512345301", home=at(301))],
        asked("Luis", "De Leonor", tin="512345301", home=at(9301)),
        "unmatched",
    ),
    Case(
        "nickname, with the birth date",
        [record(311, "William", "Yarrow", tin="512345311", birth_date=BORN, home=at(311))],
        asked("Bill", "Yarrow", tin="512345311", birth_date="1971-05-23", home=at(311)),
        None,
        311,
        "A",
    ),
    Case(
        "nickname, with nothing more",
        [record(321, "William", "Zellner", tin="512345321", home=at(321))],
        asked("Bill", "Zellner", tin="512345321", home=at(321)),
        "near",
    ),
    Case(
        "1 January is no birth date",
        [record(331, "Rosa", "Abernal", birth_date=date(1971, 1, 1), home=at(331))],
        asked("Rosa", "Abernal", birth_date="1971-01-01", home=at(331)),
        "near",
    ),
    Case(
        "1 January in the same year does not contradict",
        [record(341, "Rosa", "Birchall", tin="512345341", birth_date=date(1971, 1, 1), home=at(341))],
        asked("Rosa", "Birchall", tin="512345341", birth_date="1971-05-23", home=at(341)),
        None,
        341,
        "A",
    ),
    Case(
        "another unit of the building",
        [record(351, "Sam", "Corriwell", tin="512345351", home=at(351, unit="APT 4"))],
        asked("Sam", "Corriwell", tin="512345351", home=at(351, unit="APT 5")),
        "near",
        veto="unit",
    ),
    Case(
        "the unit left out",
        [record(361, "Sam", "Dowland", birth_date=BORN, home=at(361, unit="APT 4"))],
        asked("Sam", "Dowland", birth_date="1971-05-23", home=at(361)),
        None,
        361,
        "B",
    ),
    Case(
        "two records that nothing tells apart",
        [
            record(371, "Tess", "Elphick", birth_date=BORN, home=at(371)),
            record(372, "Tess", "Elphick", birth_date=BORN, home=at(371)),
        ],
        asked("Tess", "Elphick", birth_date="1971-05-23", home=at(371)),
        "ambiguous",
    ),
    Case(
        "a family number, other middle name, no birth date",
        [record(381, "Tess", "Farrant", middle_name="Ann", tin="512345381", home=at(381))],
        asked("Tess", "Farrant", middle_name="B", tin="512345381", home=at(381)),
        "near",
    ),
    Case(
        "a rare name and a birth date, elsewhere",
        [record(391, "Tess", "Gorringe", birth_date=OTHER, home=at(391))],
        asked("Tess", "Gorringe", birth_date="1948-10-06", home=at(9391)),
        None,
        391,
        "D",
    ),
    Case(
        "a common name and a birth date, elsewhere",
        [record(400 + n, "Una", "Hexham", birth_date=date(1950 + n, 7, 30), home=at(400 + n)) for n in range(12)],
        asked("Una", "Hexham", birth_date="1953-07-30", home=at(9400)),
        "near",
    ),
    Case(
        "number and birth date, another surname",
        [record(701, "Clio", "Abernant", tin="512345701", birth_date=BORN, home=at(701))],
        asked("Clio", "Zuckermoor", tin="512345701", birth_date="1971-05-23", home=at(9701)),
        None,
        701,
        "A",
    ),
    Case(
        "number and birth date, another given name: a twin's number",
        [record(711, "Clio", "Bartram", tin="512345711", birth_date=BORN, home=at(711))],
        asked("Xavier", "Bartram", tin="512345711", birth_date="1971-05-23", home=at(711)),
        "unmatched",
    ),
    Case(
        "number, given name, middle initial and address, another surname",
        [record(721, "Clio", "Caddick", middle_name="Q", tin="512345721", home=at(721))],
        asked("Clio", "Zornfeld", middle_name="Q", tin="512345721", home=at(721)),
        None,
        721,
        "A",
    ),
    Case(
        "number and given name, another surname, no address",
        [record(731, "Clio", "Daventry", middle_name="Q", tin="512345731", home=at(731))],
        asked("Clio", "Zornfold", middle_name="Q", tin="512345731", home=at(9731)),
        "unmatched",
    ),
    Case(
        "number, and the two names in each other's field",
        [record(741, "Clio", "Edelbrook", tin="512345741", home=at(741))],
        asked("Edelbrook", "Clio", tin="512345741", home=at(9741)),
        None,
        741,
        "A",
    ),
    Case(
        "a daughter's number: her name begins her mother's",
        [record(751, "Aria", "Farnworth", middle_name="A", tin="512345751", home=at(751))],
        asked("Ariana", "Farnworth", middle_name="A", tin="512345751", home=at(751)),
        "near",
    ),
    Case(
        "a very rare name and a birth date, another middle initial: twins may share the first of two names",
        [record(761, "Wanda", "Gaskarth", middle_name="K", birth_date=OTHER, home=at(761))],
        asked("Wanda", "Gaskarth", middle_name="N", birth_date="1948-10-06", home=at(9761)),
        "near",
        veto="middle_name",
    ),
    Case(
        "a rare name and a birth date, another middle initial",
        [
            record(771 + n, "Wanita", "Haverkamp", middle_name="K", birth_date=date(1948 + n, 10, 6), home=at(771))
            for n in range(2)
        ],
        asked("Wanita", "Haverkamp", middle_name="N", birth_date="1948-10-06", home=at(9771)),
        "near",
    ),
    Case(
        "a rare name and a birth date, a relation in the place of the middle name",
        [
            record(
                781 + n, "Wilma", "Iddison", middle_name="Daughter of", birth_date=date(1948 + n, 10, 6), home=at(781)
            )
            for n in range(2)
        ],
        asked("Wilma", "Iddison", middle_name="N", birth_date="1948-10-06", home=at(9781)),
        None,
        781,
        "D",
    ),
    Case(
        "the two names in each other's field, birth date and address",
        [record(791, "Clio", "Jellicoe", birth_date=BORN, home=at(791))],
        asked("Jellicoe", "Clio", birth_date="1971-05-23", home=at(791)),
        None,
        791,
        "B",
    ),
    Case(
        "the two names in each other's field, and a birth date",
        [record(801, "Clio", "Kirkbride", birth_date=BORN, home=at(801))],
        asked("Kirkbride", "Clio", birth_date="1971-05-23", home=at(9801)),
        "near",
    ),
    Case(
        "the two names in each other's field, and an address",
        [record(811, "Clio", "Lockhart", birth_date=BORN, home=at(811))],
        asked("Lockhart", "Clio", home=at(811)),
        "near",
    ),
    Case(
        "a nickname and a birth date, elsewhere: twins are named alike",
        [record(821, "Maria", "Mossgrove", birth_date=BORN, home=at(821))],
        asked("Marie", "Mossgrove", birth_date="1971-05-23", home=at(9821)),
        "near",
    ),
    Case(
        "twins of like names, one of them on file",
        [record(841, "Maria", "Oatway", birth_date=BORN, home=at(841))],
        asked("Marie", "Oatway", birth_date="1971-05-23", home=at(841)),
        "near",
        veto="given_name",
    ),
    Case(
        "Sr. on both sides",
        [record(831, "Paul", "Norrington", suffix="SR", birth_date=BORN, home=at(831))],
        asked("Paul", "Norrington", suffix="Sr.", birth_date="1971-05-23", home=at(831)),
        None,
        831,
        "B",
    ),
]
# Whether a name is rare depends on the size of the register.
OTHERS = [record(2000 + n, "Zillah", "Quill", home=at(2000 + n)) for n in range(150)]


# Without a birth date on file both requests for Ida would be released; Bo, with one birth date among them, asks twice.
CLAIMED = [
    record(501, "Ida", "Inkpen", tin="512345501", home=at(501)),
    record(502, "Bo", "Jarrold", tin="512345502", home=at(502)),
]
CLAIMS = [
    asked("Ida", "Inkpen", birth_date="1971-05-23", tin="512345501", home=at(501)),
    asked("Ida", "Inkpen", birth_date="1980-05-23", tin="512345501", home=at(501)),
    asked("Bo", "Jarrold", birth_date="1971-05-23", tin="512345502", home=at(502)),
    asked("Bo", "Jarrold", tin="512345502", home=at(502)),
]

# More records than the limit in one house; the second request asks for the house next door.
CROWD = [
    record(1000 + n, f"P{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}{'uvw'[n // 100]}", "Ketteridge")
    for n in range(MAX_RECORDS + 1)
]
CROWDED = [asked("Zed", "Ketteridge"), asked("Zed", "Ketteridge", home=at(13))]


@pytest.fixture(scope="module")
def all_found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    records = [*(r for case in CASES for r in case.records), *CLAIMED, *CROWD, *OTHERS]
    return matched(tmp_path_factory.mktemp("cases"), records, [*(case.request for case in CASES), *CLAIMS, *CROWDED])


@pytest.fixture(scope="module")
def found(all_found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return all_found[: len(CASES)]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_case(found: list[dict[str, Any]], number: int) -> None:
    case, row = CASES[number], found[number]
    assert (row["outcome"], row["record_id"], row["tier"]) == (case.outcome, case.record_id, case.tier), row
    if case.veto:
        assert case.veto in row["vetoes"]


def test_every_outcome_tier_veto_and_word_of_evidence_occurs(all_found: list[dict[str, Any]]) -> None:
    """One that is added to its list needs a case here."""
    assert {row["outcome"] or "matched" for row in all_found} == set(MatchOutcome)
    assert {row["tier"] for row in all_found} - {None} == set(Tier)
    assert {veto for row in all_found for veto in row["vetoes"]} == {v.id for v in (*PAIR_VETOES, *REQUEST_VETOES)}
    assert {word for row in all_found for word in row["evidence"]} == set(EVIDENCE)


def test_one_row_a_request_in_the_contract(all_found: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
    assert [row["ordinal"] for row in all_found] == list(range(len(CASES) + len(CLAIMS) + len(CROWDED)))
    assert set(found[0]) == set(CANDIDATE.names)


def test_one_record_claimed_by_differing_requests(all_found: list[dict[str, Any]]) -> None:
    rows = all_found[len(CASES) :][: len(CLAIMS)]
    assert [r["outcome"] for r in rows] == ["ambiguous", "ambiguous", None, None]
    assert rows[0]["vetoes"] == ["claimed_twice"] and rows[0]["record_id"] is None


def test_too_many_records_are_ambiguous_however_the_register_is_cut(
    all_found: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A block of more records than the limit says nothing; it never says that nobody was found."""
    for rows in (all_found[-len(CROWDED) :], matched(tmp_path, CROWD, CROWDED, part_rows=101)):
        assert [r["outcome"] for r in rows] == ["ambiguous", "unmatched"]
        assert rows[0]["vetoes"] == ["too_many_records"]


def test_a_block_of_too_many_pairs_is_ambiguous_for_all_in_it(tmp_path: Path) -> None:
    """Below the limit of records, a crowd of requests is what makes a block cost more than it says."""
    each = MAX_RECORDS - 10
    records = [
        {**r, "record_id": 500 * house + n, "homes": [at(house)]}
        for house in (12, 13)
        for n, r in enumerate(CROWD[:each])
    ]
    many, fewer = MAX_PAIRS // each + 1, MAX_PAIRS // each
    requests = [asked("Zed", "Ketteridge", home=at(12))] * many + [asked("Zed", "Ketteridge", home=at(13))] * fewer
    found = matched(tmp_path, records, requests)
    assert {r["outcome"] for r in found[:many]} == {"ambiguous"}
    assert {tuple(r["vetoes"]) for r in found[:many]} == {("too_many_records",)}
    assert {r["outcome"] for r in found[many:]} == {"unmatched"}


def test_the_plan_names_each_step() -> None:
    printed = match.plan()
    for name in ("blocking_keys", "blocks", "candidate_pairs", "classified", "resolved", "candidates"):
        assert f"CREATE TEMP TABLE {name} AS" in printed
