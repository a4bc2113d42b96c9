"""The match against a naive Python twin, and against itself cut into other parts, on persons drawn from small pools.

The pools are small so that namesakes, relatives, shared numbers and near misses are frequent. The twin compares every
request with every record; it shares no code with the SQL.
"""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.base import duck
from expectations.names import standard
from pipelines.register import prepare
from tests.factories.match_inputs import HOME, asked, matched, record
from tests.generative.examples import examples

FIRST = ["Ana", "Anna", "Bill", "William", "Wiliam", "Willlliam", "Maria", "Marie", "Mario", "Mary Ann", "Maryann", "J"]
FIRST += ["Ottolina", "Ottolima", "Josgua", "Joshua"]
# of these, by hand: on no list of given names; and pairs of a name and its familiar form
NO_NAMES = {"WILLLLIAM", "OTTOLINA", "OTTOLIMA", "JOSGUA"}
FAMILIAR = ({"BILL", "WILLIAM"},)
LAST = ["Ulloa", "Ulloa Vega", "Vega", "Vegas", "De La Xara", "De Leon", "Winterfield", "Winterfeild"]
MIDDLE = [None, None, "A", "B"]
SUFFIX = [None, None, None, "JR", "SR"]
BORN = [None, date(1971, 5, 3), date(1971, 3, 5), date(1971, 5, 4), date(1971, 1, 1), date(1948, 10, 6)]
TINS = [None, None, "512345678", "512345687", "512345679", "633987654", "744112233"]
STREETS = ["12 OAK ST", "12 ELM ST", "14 OAK ST"]
UNITS = [None, None, "APT 1", "APT 2"]


def people(dice: random.Random, number: int) -> list[dict[str, Any]]:
    return [
        {
            "first": dice.choice(FIRST),
            "last": dice.choice(LAST),
            "middle_name": dice.choice(MIDDLE),
            "suffix": dice.choice(SUFFIX),
            "birth_date": dice.choice(BORN),
            "tin": dice.choice(TINS),
            "homes": [
                {
                    **HOME,
                    "street": dice.choice(STREETS),
                    "unit": dice.choice(UNITS),
                    "zip": dice.choice(["77002", "77003"]),
                }
                for _ in range(dice.choice([1, 1, 2]))
            ],
        }
        for _ in range(number)
    ]


@pytest.mark.slow
@settings(max_examples=examples(2), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_twin_and_parts_agree(seed: int, tmp_path_factory: Any) -> None:
    dice = random.Random(seed)
    # unique names beside the pools, so that some requests do find exactly one record
    known = people(dice, 40)
    for n, person in enumerate(known[:25]):
        person["last"] = f"{person['last']}{chr(97 + n) * 3}"
    records = [
        record(n + 1, p["first"], p["last"], **{k: v for k, v in p.items() if k not in ("first", "last")})
        for n, p in enumerate(known)
    ]
    requests = []
    for person in [*known, *people(dice, 20)]:
        slip = {k: dice.choice(pool) for k, pool in (("birth_date", BORN), ("tin", TINS)) if dice.random() < 0.4}
        chosen = {**person, **slip}
        born = chosen["birth_date"]
        names = [chosen["first"], chosen["last"]]
        if dice.random() < 0.1:
            names.reverse()
        requests.append(
            asked(
                *names,
                home=chosen["homes"][0],
                middle_name=chosen["middle_name"],
                suffix=chosen["suffix"],
                tin=chosen["tin"],
                birth_date=born.isoformat() if born else None,
            )
        )
    folder: Path = tmp_path_factory.mktemp("twin")
    whole = matched(folder / "one", records, requests)
    order = list(range(len(requests)))
    dice.shuffle(order)
    cut = matched(folder / "cut", list(reversed(records)), [requests[n] for n in order], parts=3, part_rows=15)
    back = {order[row["ordinal"]]: {**row, "ordinal": order[row["ordinal"]]} for row in cut}
    assert [back[row["ordinal"]] for row in whole] == whole

    rows = pq.read_table(folder / "one" / "batch" / "ingest.rows" / "rows").to_pylist()
    with duck.session() as con:
        standard.setup(con)
        on_file = (
            con.execute(f"FROM {prepare.people(duck.parquet([folder / 'one' / 'register' / 'persons' / '*.parquet']))}")
            .to_arrow_table()
            .to_pylist()
        )
    homes = pq.read_table(folder / "one" / "register" / "addresses").to_pylist()
    expected = Twin(on_file, homes).decide(rows)
    assert [(r["outcome"], r["record_id"], r["tier"], r["plausible"]) for r in whole] == expected
    assert any(r["record_id"] for r in whole)


class Twin:
    """infra/docs/matching.md, read again and written plainly."""

    def __init__(self, persons: list[dict[str, Any]], addresses: list[dict[str, Any]]) -> None:
        self.persons = persons
        self.homes = {p["record_id"]: [a for a in addresses if a["record_id"] == p["record_id"]] for p in persons}

    def decide(self, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        ends = [self.one(row) for row in rows]
        for record_id in {e[1] for e in ends if e[1]}:
            claims = [n for n, e in enumerate(ends) if e[1] == record_id]
            for field in ("s_birth", "s_tin"):
                if len({rows[n][field] for n in claims} - {None}) > 1:
                    for n in claims:
                        ends[n] = ("ambiguous", None, None, ends[n][3])
        return ends

    def one(self, row: dict[str, Any]) -> tuple[Any, ...]:
        seen = [(p, *self.classify(row, p)) for p in self.persons if self.keys(row, p)]
        releasable = [(p, tier) for p, tier, _ in seen if tier]
        plausible = sum(1 for _, tier, likely in seen if tier or likely)
        elsewhere = any(row["s_tin"] and p["s_tin"] == row["s_tin"] and not tier for p, tier, _ in seen)
        if len(releasable) == 1 and plausible == 1 and not elsewhere:
            return None, releasable[0][0]["record_id"], releasable[0][1], 1
        if releasable or plausible > 1:
            return "ambiguous", None, None, plausible
        return ("near" if plausible else "unmatched"), None, None, plausible

    def keys(self, row: dict[str, Any], p: dict[str, Any]) -> list[set[str]]:
        """The blocking keys that they share, as the values that each needs beside names."""
        tokens = {row["s_last1"], row["s_last2"]} & {p["s_last1"], p["s_last2"]}
        born = row["s_birth"] and row["s_birth"] == p["s_birth"] and not row["s_birth_year_only"]
        crossed = row["s_first"] in {p["s_last1"], p["s_last2"]} and row["s_last"][0] == p["s_first"][0]
        homes = self.homes[p["record_id"]]
        house = any(h["a_zip"] == row["a_zip"] and h["a_number"] == row["a_number"] for h in homes)
        area = any(h["a_zip"][:3] == row["a_zip"][:3] for h in homes)
        same_first = row["s_first"] == p["s_first"]
        house_crossed = row["s_first"] in {p["s_last1"], p["s_last2"]} or row["s_last1"] == p["s_first"]
        shared = (
            ({"tin"}, row["s_tin"] and row["s_tin"] == p["s_tin"]),
            ({"birth"}, tokens and born and row["s_first"][0] == p["s_first"][0]),
            ({"birth"}, crossed and born),
            ({"home"}, house and (tokens or same_first or house_crossed)),
            ({"home", "birth"}, same_first and born and area),
        )
        return [values for values, holds in shared if holds]

    def classify(self, row: dict[str, Any], p: dict[str, Any]) -> tuple[str | None, bool]:
        """Tier or None, and whether the record is plausible."""
        birth, tin, suffix = compare_birth(row, p), compare_tin(row, p), compare_suffix(row, p)
        place = max((rank(row, h) for h in self.homes[p["record_id"]]), default=0)
        middles = [row["s_middle"], p["s_middle"]]
        middle_same, middle_off = (
            (None not in middles and middles[0] == middles[1]),
            (None not in middles and middles[0] != middles[1]),
        )
        first, last_jw = compare_first(row["s_first"], p["s_first"]), jaro_winkler(row["s_last"], p["s_last"])
        first_exact = first == "exact"
        last_exact = row["s_last"].replace(" ", "") == p["s_last"].replace(" ", "")
        token = bool(({row["s_last1"], row["s_last2"]} & {p["s_last1"], p["s_last2"]}) - {"DE", "LA"})
        last_near = last_exact or token or last_jw >= 0.92
        swapped = row["s_first"] == p["s_last"] and row["s_last"] == p["s_first"]
        swapped = swapped and 1 not in (len(row["s_first"]), len(row["s_last"]))
        loose = swapped or (first != "different" and (last_exact or token or last_jw >= 0.85))
        off = [birth == "conflict", tin == "conflict", suffix == "conflict"]
        lone_suffix = suffix == "one_side" and birth != "same"
        plausible = (
            loose and (birth in ("same", "near", "year") or tin in ("same", "near") or place >= 2) and sum(off) < 2
        )
        tier = None
        # with another value in the place of one, it would not be found
        unseen = any(all(value in needed for needed in self.keys(row, p)) for value in ("tin", "birth", "home"))
        if any(off) or tin == "near" or lone_suffix or place == 1 or (place == 3 and unseen):
            return None, plausible
        if tin != "same":  # what twins share is no evidence: the very same given name, and no other initial
            if birth != "same" or middle_off or not (first_exact or swapped):
                return None, plausible
        elif birth == "same":
            if (
                swapped
                or first_exact
                or (first in ("other", "nick", "slip", "longer") and last_near and not middle_off)
            ):
                tier = "A"
        elif not middle_off and (
            swapped
            or (first_exact and (last_exact or token or (middle_same and (last_near or place == 3))))
            or (first in ("nick", "slip") and last_near and middle_same)
        ):
            tier = "A"
        if tier is None and birth == "same":
            rare = self.namesakes(row) * (self.middle_share(p) if middle_same else 1) <= 1e-5
            if ((first_exact and last_exact) or swapped) and place >= 2:
                tier = "B"
            elif first_exact and last_near and place == 3:
                tier = "C"
            elif first_exact and last_exact and rare:
                tier = "D"
        return tier, plausible

    def middle_share(self, p: dict[str, Any]) -> float:
        return sum(q["s_middle"] == p["s_middle"] for q in self.persons) / len(self.persons)

    def namesakes(self, row: dict[str, Any]) -> float:
        first = max(1, sum(1 for q in self.persons if q["s_first"] == row["s_first"]))
        last = max(1, sum(1 for q in self.persons if q["s_last1"] == row["s_last1"]))
        return first * last / len(self.persons) / 25_000


def compare_first(x: str, y: str) -> str:
    if len(x) == 1 or len(y) == 1:
        return "initial" if x[0] == y[0] else "different"
    if x.replace(" ", "") == y.replace(" ", ""):
        return "exact"
    likeness, one_length = jaro_winkler(x, y), abs(len(x) - len(y)) <= 1
    nick = {x, y} in FAMILIAR
    if likeness >= 0.92 and not (nick and not one_length) and (x in NO_NAMES) == (y in NO_NAMES):
        return "other"
    if nick:
        return "nick"
    if likeness >= 0.92:
        return "slip" if one_length else "longer"
    return "loose" if likeness >= 0.8 else "different"


def compare_birth(a: dict[str, Any], b: dict[str, Any]) -> str:
    x, y = a["s_birth"], b["s_birth"]
    if x is None or y is None:
        return "unknown"
    if x.year == y.year and (a["s_birth_year_only"] or b["s_birth_year_only"]):
        return "year"
    if x == y:
        return "same"
    swapped = (x.month, x.day) == (y.day, y.month)
    return "near" if x.year == y.year and (swapped or one_edit(str(x), str(y))) else "conflict"


def compare_tin(a: dict[str, Any], b: dict[str, Any]) -> str:
    x, y = a["s_tin"], b["s_tin"]
    if x is None or y is None:
        return "unknown"
    return "same" if x == y else "near" if one_edit(x, y) else "conflict"


def compare_suffix(a: dict[str, Any], b: dict[str, Any]) -> str:
    x, y = a["s_suffix"], b["s_suffix"]
    if x is None and y is None:
        return "unknown"
    return "one_side" if x is None or y is None else "same" if x == y else "conflict"


def rank(row: dict[str, Any], home: dict[str, Any]) -> int:
    if any(row[c] != home[c] for c in ("a_zip", "a_number", "a_kind")):
        return 0
    if jaro_winkler(row["a_street"], home["a_street"]) < 0.92:
        return 0
    if row["a_unit"] == home["a_unit"]:
        return 3
    return 2 if row["a_unit"] is None or home["a_unit"] is None else 1


def one_edit(x: str, y: str) -> bool:
    """One replacement, or two neighbours that change places: the texts here are of one length."""
    off = [n for n in range(len(x)) if x[n] != y[n]]
    return len(off) == 1 or (
        len(off) == 2 and off[1] == off[0] + 1 and x[off[0]] == y[off[1]] and x[off[1]] == y[off[0]]
    )


def jaro_winkler(x: str, y: str) -> float:
    if x == y:
        return 1.0
    reach = max(len(x), len(y)) // 2 - 1
    taken: list[int] = []
    mine = []
    for n, letter in enumerate(x):
        for m in range(max(0, n - reach), min(len(y), n + reach + 1)):
            if m not in taken and y[m] == letter:
                taken.append(m)
                mine.append(letter)
                break
    if not mine:
        return 0.0
    theirs = [y[m] for m in sorted(taken)]
    moved = sum(1 for a, b in zip(mine, theirs, strict=True) if a != b) / 2
    jaro = (len(mine) / len(x) + len(mine) / len(y) + (len(mine) - moved) / len(mine)) / 3
    prefix = next((n for n in range(min(4, len(x), len(y))) if x[n] != y[n]), min(4, len(x), len(y)))
    return jaro + (prefix * 0.1 * (1 - jaro) if jaro > 0.7 else 0)
