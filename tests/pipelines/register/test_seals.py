"""Parts are read whole once in a run; in it, they are then known by all that can be seen of their files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.base import digests
from expectations.base.errors import BadInput
from pipelines import lake, register
from pipelines.register import proof
from tests.factories.deltas import updated, write_delta
from tests.factories.match_inputs import raw_register, record

RECORDS = [record(n, "Ana", f"Surname{chr(64 + n)}") for n in range(1, 9)]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    register.build(raw_register(tmp_path / "raw", RECORDS), tmp_path / "register", part_rows=4)
    return tmp_path / "register"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose bytes are digested from now on."""
    seen: list[Path] = []
    of_file = digests.of_file
    monkeypatch.setattr(digests, "of_file", lambda path, *by: seen.append(path) or of_file(path, *by))
    return seen


def flipped(part: Path) -> bytes:
    """The part's bytes, one of them another."""
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    return bytes(data)


def longer(part: Path, when: os.stat_result) -> None:
    part.write_bytes(part.read_bytes() + b"x")
    os.utime(part, ns=(when.st_atime_ns, when.st_mtime_ns))


def replaced(part: Path, when: os.stat_result) -> None:
    copy = part.with_name("copy")
    copy.write_bytes(flipped(part))
    copy.replace(part)
    os.utime(part, ns=(when.st_atime_ns, when.st_mtime_ns))


CHANGES: dict[str, Callable[[Path, os.stat_result], object]] = {
    "another time": lambda part, _: part.write_bytes(flipped(part)),
    "another size": longer,
    "another file": replaced,
    "none": lambda part, _: part.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_part_that_looks_otherwise_is_noticed(change: str, prepared: Path) -> None:
    part = Path(register.open_register(prepared).paths("persons")[1])
    CHANGES[change](part, part.stat())
    with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
        register.open_register(prepared)


@pytest.fixture(autouse=True)
def _new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was read yet in this run."""
    monkeypatch.setattr(proof, "_PROVEN", set())


def test_what_hides_its_change_is_found(prepared: Path) -> None:
    """Bytes of the same number, and the time of writing set back: neither in this run nor in the next one."""
    part = Path(register.open_register(prepared).paths("persons")[1])
    when = part.stat()
    part.write_bytes(flipped(part))
    os.utime(part, ns=(when.st_atime_ns, when.st_mtime_ns))
    for again in range(2):
        with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED") as error:
            register.open_register(prepared, verify=bool(again))
        assert "part 1 of persons was changed" in error.value.message


def test_a_touched_part_is_read_once_more(prepared: Path, read: list[Path]) -> None:
    part = Path(register.open_register(prepared).paths("persons")[1])
    assert len(read) == len(lake.stated(prepared).parts)
    read.clear()
    register.open_register(prepared)
    assert read == []
    os.utime(part)
    register.open_register(prepared)
    assert read == [part]
    register.open_register(prepared)
    assert read == [part]


def test_a_copy_is_read_whole_and_a_seal_of_other_files_says_nothing(
    prepared: Path, tmp_path: Path, read: list[Path]
) -> None:
    shutil.copytree(prepared, tmp_path / "copy")
    copy = register.open_register(tmp_path / "copy")
    assert sorted(read) == sorted(Path(p.path) for p in copy.parts)


def test_parts_that_two_versions_share_are_not_read_again(prepared: Path, tmp_path: Path, read: list[Path]) -> None:
    made = updated(prepared, write_delta(tmp_path / "delta", removed=[5]), tmp_path / "next")
    base = {(p.dataset, p.index): Path(p.path) for p in register.open_register(prepared).parts}
    shared = {Path(p.path) for p in made.parts if (p.dataset, p.index) in base}
    assert shared and all(p.samefile(base[p.parent.name, int(p.stem[-5:])]) for p in shared)
    register.open_register(tmp_path / "next")
    read.clear()
    register.open_register(prepared)
    register.open_register(tmp_path / "next")
    assert read == []


def test_a_shared_part_that_is_changed_is_noticed_in_both(prepared: Path, tmp_path: Path) -> None:
    updated(prepared, write_delta(tmp_path / "delta", removed=[5]), tmp_path / "next")
    part = Path(register.open_register(prepared).paths("persons")[0])
    part.write_bytes(flipped(part))
    for folder in (prepared, tmp_path / "next"):
        with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
            register.open_register(folder)


def test_no_update_upon_a_version_that_was_changed(prepared: Path, tmp_path: Path) -> None:
    Path(register.open_register(prepared).paths("persons")[0]).unlink()
    with pytest.raises(BadInput, match="REGISTER_NOT_PREPARED"):
        updated(prepared, write_delta(tmp_path / "delta", removed=[5]), tmp_path / "next")


def test_where_files_cannot_be_linked_they_are_copied(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = write_delta(tmp_path / "delta", removed=[5])
    linked = updated(prepared, delta, tmp_path / "linked" / "next")

    def no_links(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", no_links)
    copied = updated(prepared, delta, tmp_path / "copied" / "next")
    assert not Path(copied.paths("persons")[0]).samefile(linked.paths("persons")[0])
    assert register.version(tmp_path / "copied" / "next") == register.version(tmp_path / "linked" / "next")
    shutil.rmtree(prepared)
    assert lake.read_manifest(tmp_path / "linked" / "next") == linked  # needs nothing of the version before
