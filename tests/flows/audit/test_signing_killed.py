"""A process that is killed while it signs a head: the next one finishes it, and nobody is told of an edit meanwhile."""

import os
import time
from pathlib import Path

import pytest

from flows import audit
from flows.audit import signed_heads
from flows.home.tree import Home
from tests.factories import installations, runs


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return installations.make(tmp_path / "home").home


def sign(home: Home, day: str, dies_at: str = "") -> str:
    """The head's name; with `dies_at`, a process of its own signs it and dies where it first calls that."""

    def now() -> str:
        with runs.ledger_of(home, runs.at(day)) as ledger:
            return signed_heads.write(home, ledger).name

    if not dies_at:
        return now()
    if (child := os.fork()) == 0:
        setattr(signed_heads, dies_at, lambda *_: os._exit(9))
        now()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    return ""


def problems(home: Home, day: str) -> list[str]:
    with runs.ledger_of(home, runs.at(day)) as ledger:
        return [problem.what for problem in audit.verify(home, ledger).problems]


@pytest.mark.parametrize("dies_at", ["signature_of", "_finish", "_publish"])
def test_one_that_died_is_finished_by_the_next(home: Home, tmp_path: Path, dies_at: str) -> None:
    copies = tmp_path / "elsewhere"
    home.config.signed_heads.append(str(copies))
    before = problems(home, "2030-01-01")
    assert sign(home, "2030-01-01") == "2030-01-01.json"
    sign(home, "2030-01-02", dies_at)
    assert problems(home, "2030-01-02") == before
    assert sign(home, "2030-01-03") == "2030-01-03.json"
    assert problems(home, "2030-01-03") == before
    names = ["2030-01-01.json", "2030-01-02.json", "2030-01-03.json"]
    if dies_at == "signature_of":  # nothing was signed yet
        names.remove("2030-01-02.json")
    assert [sorted(path.name for path in place.glob("*.json")) for place in (home.root / "checkpoints", copies)] == [
        names,
        names,
    ]
    assert not (home.root / "checkpoints" / ".next").exists()


def test_a_head_that_somebody_took_away_is_still_told_of(home: Home) -> None:
    before = problems(home, "2030-01-01")
    sign(home, "2030-01-01")
    (home.root / "checkpoints" / "2030-01-01.json").rename(home.root / "checkpoints" / "2030-01-01.gone")
    assert set(problems(home, "2030-01-01")) - set(before) == {"it is missing; its signature is there"}
    (home.root / "checkpoints" / ".next").write_text("{}")  # nothing that its signature is over
    assert set(problems(home, "2030-01-01")) - set(before) == {"it is missing; its signature is there"}


def test_whoever_copies_waits_until_a_head_is_whole(home: Home) -> None:
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        finish = signed_heads._finish

        def slow(staged: Path, path: Path) -> None:
            os.write(write, b"signed")
            time.sleep(0.3)
            finish(staged, path)

        signed_heads._finish = slow
        sign(home, "2030-01-01")
        os._exit(0)
    assert os.read(read, 6) == b"signed"
    with signed_heads.settled(home):
        here = sorted(path.name for path in (home.root / "checkpoints").glob("[!.]*"))
    os.waitpid(child, 0)
    assert here == ["2030-01-01.json", "2030-01-01.json.sig"]
