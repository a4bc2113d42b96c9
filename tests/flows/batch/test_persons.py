"""The holder's lists of persons, and orders that speak of persons and places: who is held back, and that nobody can
tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from expectations.base.clock import Clock
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.facts import persons
from flows.batch.advance import advance
from flows.home.tree import HOLDER_AGE
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import enrol
from pipelines import sealing
from pipelines.release.leaving import WITHHELD
from tests.factories import installations
from tests.factories.installations import Installation
from tests.flows.batch.test_last_moment import until_sealed, work

NOBODY = {"first_name": "Ottoline", "last_name": "Vandersloot", "tin": None, "birth_date": "1944-11-30"}


SERIAL = count()


def asked(*persons: int) -> list[dict[str, Any]]:
    """Requests for these persons and two for nobody, each a case that no other batch asks for."""
    batch = f"B{next(SERIAL)}"
    lost = [
        installations.request(70 + n, **NOBODY, street=f"{n} Elsewhere Rd", request_id=f"{batch}-lost-{n}")
        for n in (1, 2)
    ]
    return [*(installations.request(n, request_id=f"{batch}-{n}") for n in persons), *lost]


@contextmanager
def listed(installation: Installation, *entries: tuple[int, str]) -> Iterator[None]:
    """The home's persons.csv, with these records on these lists."""
    path = installation.home.root / persons.NAME
    path.write_text("record_id,list\n" + "".join(f"{n},{name}\n" for n, name in entries))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def accounted(installation: Installation, name: str, folder: Path) -> list[dict[str, Any]]:
    """The sealed accounting of a batch, opened with the holder's key."""
    identity = sealing.load_identity(installation.home.keys / HOLDER_AGE)
    sealing.open_file(
        installation.home.root / "accounting" / f"{name}.parquet.age", folder / "accounting.parquet", identity
    )
    return list(pq.read_table(folder / "accounting.parquet").to_pylist())


def test_a_protected_person_reads_like_one_who_is_not_on_file(installation: Installation, tmp_path: Path) -> None:
    with (
        listed(installation, (2, "informant"), (3, "protected"), (4, "plaintiffs")),
        work(installation, installation.submit(tmp_path / "a", asked(*range(1, 9)))) as one,
    ):
        assert advance(one) is State.PUBLISHED
        name = one.name
    found = accounted(installation, name, tmp_path)
    nobody = {k: found[8][k] for k in ("outcome", "codes", "told", "person_key")}
    assert nobody == {"outcome": "unmatched", "codes": ["NO_CANDIDATE"], "told": ["NOT_CONFIRMED"], "person_key": None}
    assert [{k: found[n][k] for k in nobody} for n in (1, 2)] == [nobody, nobody]
    assert [r["outcome"] for r in found] == ["released", *["unmatched"] * 2, *["released"] * 5, *["unmatched"] * 2]
    shown = [p.read_text() for p in (installation.home.verdicts / name).glob("*.json")]
    assert not any('"PROTECTED": ' in text for text in shown)
    counts = json.loads((installation.home.verdicts / name / "outcomes.json").read_text())
    assert counts == {"released": 6, "unmatched": 4}


@pytest.mark.slow
def test_who_is_put_on_the_list_before_publication_is_held_back(installation: Installation, tmp_path: Path) -> None:
    with work(
        installation,
        installation.submit(tmp_path / "a", asked(11, 12, 13, 14)),
    ) as one:
        until_sealed(one)
        with listed(installation, (12, "protected")):
            assert advance(one) is State.PUBLISHED
        assert one.ledger.verify() == []
        name = one.name
    found = accounted(installation, name, tmp_path)
    assert [r["outcome"] for r in found[:4]] == ["released", "unmatched", "released", "released"]
    assert found[1]["codes"] == ["NO_CANDIDATE"]
    assert (installation.home.root / "evidence" / f"{name}.{WITHHELD}.age").exists()


@pytest.mark.slow
def test_a_list_that_cannot_be_read_stops_publication(installation: Installation, tmp_path: Path) -> None:
    with work(installation, installation.submit(tmp_path / "a", asked(21, 22))) as one:
        until_sealed(one)
        with listed(installation, (0, "protected")), pytest.raises(BadInput, match="PERSONS_UNREADABLE"):
            advance(one)
        assert one.record.state is State.VALIDATED and not (installation.home.outbox / one.name).exists()
        assert advance(one) is State.PUBLISHED


ORDER = """
kind = "court_order"
id = "{id}"
court = "a court"
docket = "1"
title = "an order"
source = "a test"
effective_on = {day}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "released"),
    [
        ('effect = "forbid"\n[scope]\nagreements = ["sandbox-2026"]\ndistricts = ["D. Colo.", "D. Ariz."]', 2),
        ('effect = "restrict"\nonly = { persons = "plaintiffs" }\nscope = { agreements = ["sandbox-2026"] }', 1),
    ],
)
def test_an_order_for_places_or_persons_holds_rows(
    installation: Installation, tmp_path: Path, said: str, released: int
) -> None:
    body = ORDER.format(id=f"only-{released}", day=Clock().today("America/New_York")) + said
    persons = (31, 32, 33, 34) if "districts" in said else (35, 36, 37, 38)
    with (
        listed(installation, (36, "plaintiffs")),
        work(installation, installation.submit(tmp_path / "a", asked(*persons))) as one,
    ):
        until_sealed(one)  # the order comes after eligibility: it can only narrow
        enrol(installation.home, one.ledger, body.encode(), "order.toml")
        assert advance(one) is State.PUBLISHED
        found = accounted(installation, one.name, tmp_path)
    assert [r["outcome"] for r in found].count("released") == released
    assert {tuple(r["told"]) for r in found if r["outcome"] != "released"} == {("NOT_CONFIRMED",)}
    with (
        listed(installation, (36, "plaintiffs")),
        work(
            installation,
            installation.submit(tmp_path / "b", asked(*persons), purpose=installation.agreement.purposes[1]),
        ) as one,
    ):
        assert advance(one) is State.PUBLISHED
        found = accounted(installation, one.name, tmp_path)
        lifted = ORDER.format(id=f"lift-{released}", day=date(2026, 1, 1))
        lifted += f'effect = "lift"\nlifts = ["only-{released}"]'
        enrol(installation.home, one.ledger, lifted.encode(), "lift.toml")
    assert [r["outcome"] for r in found].count("released") == released
    assert {tuple(r["told"]) for r in found if r["outcome"] != "released"} == {("NOT_CONFIRMED",)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("record_id\n1\n", "no columns"),
        ("record_id,list\n7,protected\n-1,protected\n", "entry 2"),
        ("record_id,list\nseven,protected\n", "entry 1"),
        ("record_id,list\n7,\n", "entry 1"),
        ('record_id,list\n7,"protected\n', "cannot be read"),
    ],
)
def test_a_list_that_is_not_one_is_refused_whole(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / persons.NAME).write_text(text)
    with pytest.raises(BadInput, match=why):
        persons.keep(tmp_path / persons.NAME, tmp_path / persons.KEPT, DuckSettings(threads=1))
    assert not (tmp_path / persons.KEPT).exists()
