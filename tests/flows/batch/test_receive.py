"""Submissions that cannot be read: an accounting entry of their own, whatever the letter is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import BadInput
from flows.batch.receive import receive
from flows.ledger import Ledger
from pipelines.ingest.submission import LETTER, MAX_LETTER
from tests.factories.installations import Installation


def _link(letter: Path) -> None:
    letter.symlink_to("/etc/hostname")


def _folder(letter: Path) -> None:
    letter.mkdir()


def _huge(letter: Path) -> None:
    with letter.open("wb") as stream:
        stream.truncate(MAX_LETTER * 1000)


@pytest.mark.parametrize("make", [_link, _folder, _huge], ids=["a link out of the submission", "a folder", "huge"])
def test_the_letter_is_read_with_care(make: Callable[[Path], None], installation: Installation, tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    make(source / LETTER)
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        before = {b.name for b in ledger.batches()}
        for _ in range(2):
            with pytest.raises(BadInput):
                receive(installation.home, ledger, Clock(), source)
        new = {b.name for b in ledger.batches()} - before
        assert len(new) == 1 and all(name.startswith("u-") for name in new)
        assert any(b.state.value == "unreadable" for b in ledger.batches())
        assert ledger.verify() == []
