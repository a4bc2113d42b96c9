"""A step is committed whole or not at all, once, and only from the inputs that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from expectations.base import algorithms
from expectations.base.algorithms import Scheme
from expectations.base.errors import Fault
from pipelines import lake


def write_numbers(item: int, attempt: lake.Attempt) -> Iterator[lake.Part]:
    yield attempt.write("numbers", item, pa.table({"n": [item, item + 1]}), seen=1)


def explode(item: int, attempt: lake.Attempt) -> Iterator[lake.Part]:
    list(write_numbers(item, attempt))
    raise Fault("TEST", "on purpose")


def test_a_step_commits_its_parts_in_order(tmp_path: Path) -> None:
    done = lake.run_step(tmp_path / "s", {"a": 1}, [2, 0, 1], write_numbers)
    assert [Path(p).name for p in done.paths("numbers")] == [f"part-0000{i}.parquet" for i in range(3)]
    assert done.rows("numbers") == 6
    assert done.count("seen") == 3
    assert not (tmp_path / "s" / lake.ATTEMPTS).exists()


def test_workers_digest_by_what_is_in_force_where_the_step_is_run(tmp_path: Path) -> None:
    with algorithms.using(Scheme.SHA3_256):  # here alone: workers have threads of their own, or processes
        made = lake.run_step(tmp_path / "s", {"a": 1}, [0, 1], write_numbers)
    for part in made.parts:
        assert part.digest == hashlib.sha3_256(Path(part.path).read_bytes()).hexdigest()
    algorithms.use(Scheme.SHA256)
    assert lake.run_step(tmp_path / "s", {"a": 1}, [0, 1], explode) == made


def test_a_committed_step_is_not_run_again(tmp_path: Path) -> None:
    first = lake.run_step(tmp_path / "s", {"a": 1}, [0], write_numbers)
    assert lake.run_step(tmp_path / "s", {"a": 1}, [0], explode) == first


@pytest.mark.parametrize("damage", ["other inputs", "part missing", "part changed", "no manifest"])
def test_anything_else_is_made_again(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "s"
    inputs: dict[str, Any] = {"a": 1}
    first = lake.run_step(folder, inputs, [0], write_numbers)
    path = Path(first.paths("numbers")[0])
    if damage == "other inputs":
        inputs = {"a": 2}
    elif damage == "part missing":
        path.unlink()
    elif damage == "part changed":
        path.write_bytes(path.read_bytes() + b"x")
    else:
        (folder / "manifest.json").unlink()
    assert lake.read_manifest(folder, "whatever it was") is None
    again = lake.run_step(folder, inputs, [0, 1], write_numbers)
    assert again.rows("numbers") == 4


def test_a_failed_step_leaves_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="on purpose"):
        lake.run_step(tmp_path / "s", {"a": 1}, [0], explode)
    assert lake.read_manifest(tmp_path / "s") is None


def test_committing_twice_is_harmless(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    first = lake.run_step(folder, {"a": 1}, [0, 1], write_numbers)
    parts = json.loads((folder / "manifest.json").read_text())["parts"]
    gone = [{**p, "path": str(folder / ".attempts" / "gone" / "x.parquet")} for p in parts]
    lake.commit_manifest(gone, str(folder), first.inputs)
    assert lake.read_manifest(folder, first.inputs) == first


def test_no_work_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="NO_WORK"):
        lake.run_step(tmp_path / "s", {}, [], write_numbers)


def test_two_attempts_at_a_part_leave_one(tmp_path: Path) -> None:
    done = lake.run_step(tmp_path / "s", {}, [0, 0], write_numbers)
    assert done.rows("numbers") == 2


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    lake.run_step(tmp_path / "s", {}, [0, 1], write_numbers, progress=lambda *a: seen.append(a))
    assert seen[-1] == ("s", 2, 2)
