"""What is written whole: also where another writes the same file, or was killed at it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipelines.lake import durable


def test_many_who_write_one_file_leave_one_of_theirs_whole(tmp_path: Path) -> None:
    """Each deletes what others abandoned, and never what they are at."""
    target, failed = tmp_path / "file.json", []

    def work(n: int) -> None:
        try:
            for _ in range(50):
                durable.write(target, bytes([n]) * 10_000)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert target.read_bytes() in [bytes([n]) * 10_000 for n in range(4)]
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_what_a_killed_writer_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    left, other, named_alike = (tmp_path / name for name in (f".a[1].{'0' * 32}", f".b.{'0' * 32}", ".a[1].mine"))
    for folder in (left, other, named_alike):
        folder.mkdir()
        (folder / "half").write_text("half")
    durable.write(tmp_path / "a[1]", b"whole")
    assert not left.exists() and other.exists() and named_alike.exists()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    durable.write(target, b"before")
    with pytest.raises(ZeroDivisionError), durable.whole(target) as new:
        new.write_bytes(b"half")
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and target.read_bytes() == b"before"
