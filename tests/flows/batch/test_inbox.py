"""Looking at the inbox again and again: a letter is read once for as long as it stays what it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.batch import inbox
from flows.home.tree import Home
from pipelines.ingest.submission import LETTER
from tests.factories import installations


@pytest.fixture
def home(tmp_path: Path) -> Home:
    installation = installations.make(tmp_path / "home")
    for n in (1, 2):
        installation.submit(installation.home.inbox / f"{n}", [installations.request(n)])
    return installation.home


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders whose letters were read."""
    seen: list[str] = []

    def noted(folder: Path, real: Callable[[Path], str] = inbox.batch_of) -> str:
        seen.append(folder.name)
        return real(folder)

    inbox._read_once.cache_clear()
    monkeypatch.setattr(inbox, "batch_of", noted)
    return seen


def _looked(home: Home, read: list[str]) -> list[str]:
    read.clear()
    inbox.waiting(home)
    return sorted(read)


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.rename(path)


def _written_and_dated_back(path: Path) -> None:
    before = path.stat()
    body = bytearray(path.read_bytes())
    body[-2] ^= 1
    path.write_bytes(body)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [_replaced, _written_and_dated_back, Path.touch, Path.unlink])
def test_a_letter_is_read_again_only_if_something_of_it_changed(
    home: Home, read: list[str], change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_SETTLED", 0)
    assert _looked(home, read) == ["1", "2"]
    assert _looked(home, read) == []
    change(home.inbox / "1" / LETTER)
    assert _looked(home, read) == ["1"]


def test_a_letter_that_was_just_written_is_read_each_time(home: Home, read: list[str]) -> None:
    assert _looked(home, read) == _looked(home, read) == ["1", "2"]


def test_another_folder_of_the_same_name_is_another_submission(
    home: Home, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_SETTLED", 0)
    _looked(home, read)
    (home.inbox / "1").rename(home.root / "aside")
    (home.inbox / "2").rename(home.inbox / "1")
    assert _looked(home, read) == ["1"]
