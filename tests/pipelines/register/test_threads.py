"""The same extract and requests give the same bytes on any number of threads, the same rows however the register is cut.

What another machine finds, and what a replay years later finds, is the same. DuckDB reads Parquet by row group (122,880
rows at most) and hands each to a thread: the files here have small ones, so that a few thousand persons are enough.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import duck
from pipelines import match, register, simulate
from tests.factories.deltas import held
from tests.factories.match_inputs import ONE

PERSONS, ASKED, GROUP = 6_000, 1_500, 500
WAYS = [(2, 1_000_000), (4, 1_500)]  # threads, persons in a part


class Way:
    """What one thread, or several, made of the extract in parts of so many persons."""

    def __init__(self, source: Path, folder: Path, threads: int, part_rows: int) -> None:
        settings = duck.DuckSettings(threads=threads)
        self.register = register.build(source / "register", folder / "register", duck=settings, part_rows=part_rows)
        out = folder / "out.parquet"
        match.match_file(source / "asked.parquet", folder / "register", out, duck=settings, progress=lambda *_: None)
        self.candidates: list[dict[str, Any]] = pq.read_table(out).to_pylist()

    @property
    def bytes(self) -> list[tuple[str, int, str]]:
        return [(p.dataset, p.index, p.digest) for p in self.register.parts]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made register, in small row groups, and requests of the hardest profile."""
    folder = tmp_path_factory.mktemp("threads")
    simulate.register(PERSONS, 5, folder / "register", duck=ONE)
    made = simulate.batch(
        folder / "register",
        ASKED,
        6,
        "hostile",
        folder / "batch",
        sign_key=Ed25519PrivateKey.generate(),
        requester_id="r",
        agreement_id="a",
        letter_date=date(2026, 1, 5),
        file_format="parquet",
        duck=ONE,
    )
    (made / "requests-1.parquet").rename(folder / "asked.parquet")
    for path in [*folder.glob("register/*/*.parquet"), folder / "asked.parquet"]:
        pq.write_table(pq.read_table(path), path, row_group_size=GROUP)
    return folder


@pytest.fixture(scope="module")
def alone(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """One thread, one part."""
    return Way(source, tmp_path_factory.mktemp("alone"), 1, 1_000_000)


@pytest.mark.parametrize(("threads", "part_rows"), [WAYS[1], pytest.param(*WAYS[0], marks=pytest.mark.slow)])
def test_the_same_register_and_the_same_matches(
    threads: int, part_rows: int, source: Path, alone: Way, tmp_path: Path
) -> None:
    way = Way(source, tmp_path, threads, part_rows)
    if part_rows > PERSONS:
        assert way.bytes == alone.bytes
    else:
        assert len(way.register.paths("persons")) > 1
    assert held(way.register) == held(alone.register)
    assert way.candidates == alone.candidates
    assert {"matched", "near", "ambiguous", "unmatched"} == {row["outcome"] for row in way.candidates}
