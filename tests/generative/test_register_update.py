"""Whatever deltas bring: the match, and the facts for validate, are those of a full build of the same records."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.base import duck
from pipelines import lake, match, register
from pipelines.validate import facts
from tests.factories.deltas import buildings, held, merged, updated, write_delta
from tests.factories.match_inputs import CONTROL_ROWS, HOME, asked, canonical, committed, context, raw_register, record
from tests.generative.examples import examples

IDS = range(1, 15)
# few of each, so that records meet, share homes and names, and are mistaken for each other
FIRST, LAST = ("Ana", "Aria", "Bo"), ("Ulloa", "Reyes Soto", "Soto")
HOMES = [{**HOME, "street": f"{n} OAK ST", "unit": unit} for n in (12, 14) for unit in (None, "APT 1", "APT 2")]
BORN = (date(1961, 3, 9), date(1988, 12, 1), None)

homes = st.lists(st.sampled_from(HOMES), min_size=1, max_size=2, unique_by=str)
fields = st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST), st.sampled_from(BORN), st.booleans(), homes)
records = st.dictionaries(st.sampled_from(IDS), fields, max_size=6)


def made(found: dict[int, Any]) -> list[dict[str, Any]]:
    return [
        record(n, first, last, birth_date=born, tin=f"51234{n:04d}" if numbered else None, homes=lived)
        for n, (first, last, born, numbered, lived) in sorted(found.items())
    ]


REQUESTS = [
    asked(first, last, home=home, birth_date=born and born.isoformat(), tin=tin)
    for first in FIRST
    for last in LAST
    for home in HOMES[::2]
    for born, tin in ((BORN[0], None), (None, "512340003"), (None, None))
]


def candidates(folder: Path, prepared: Path) -> list[dict[str, Any]]:
    committed(folder / "ingest.rows", {"rows": canonical(REQUESTS)})
    committed(folder / "ingest.decoys", {"persons": CONTROL_ROWS.persons, "addresses": CONTROL_ROWS.addresses})
    found = match.run(context(folder, prepared)).paths("candidates")
    return sorted((row for p in found for row in pq.read_table(p).to_pylist()), key=lambda r: r["ordinal"])


def on_file(folder: Path, manifest: lake.Manifest) -> dict[str, list[Any]]:
    """Rows of `on_file` and `persons` for every id, as validate asks for them."""
    folder.mkdir()
    everybody = pa.table({"record_id": pa.array(IDS, pa.int64()), "origin": ["request"] * len(IDS)})
    for name in ("a_zip", "a_number", "a_street"):
        everybody = everybody.append_column(name, pa.nulls(len(IDS), pa.string()))
    pq.write_table(everybody, folder / "matched.parquet")
    worker = facts.Facts((str(folder / "matched.parquet"),), "true", duck.DuckSettings())
    parts = [p for item in facts.asked({"request": manifest}) for p in worker(item, lake.Attempt(str(folder)))]
    rows = {
        name: [row for p in parts if p.dataset == name for row in pq.read_table(p.path).to_pylist()]
        for name in ("on_file", "persons")
    }
    return {name: sorted(found, key=repr) for name, found in rows.items()}


@pytest.mark.slow
@given(
    base=st.dictionaries(st.sampled_from(IDS), fields, min_size=3, max_size=8),
    first=records,
    second=records,
    data=st.data(),
    part_rows=st.sampled_from((1, 3, 1000)),
)
@settings(max_examples=examples(3), deadline=None, suppress_health_check=list(HealthCheck))
def test_updates_give_what_a_full_build_gives(
    base: dict[int, Any], first: dict[int, Any], second: dict[int, Any], data: Any, part_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name), made(base)
        version, applied = folder / "v0", []
        register.build(raw_register(folder / "raw", start), version, part_rows=part_rows)
        for n, found in enumerate((first, second), 1):
            present = {r["record_id"] for r in merged(start, *applied)}
            able = sorted(present - found.keys())
            # somebody stays, or there is no register
            removed = data.draw(st.lists(st.sampled_from(able), unique=True, max_size=len(able) - 1)) if able else []
            if found or removed:
                applied.append((made(found), removed))
                updated(version, write_delta(folder / f"d{n}", *applied[-1]), folder / f"v{n}")
                version = folder / f"v{n}"
        full = register.build(raw_register(folder / "merged", merged(start, *applied)), folder / "full")
        current = register.open_register(version)
        assert held(current) == held(full)
        assert all(buildings(current)[name] >= units for name, units in buildings(full).items())
        assert on_file(folder / "facts", current) == on_file(folder / "facts of full", full)
        assert candidates(folder / "batch", version) == candidates(folder / "batch of full", folder / "full")
