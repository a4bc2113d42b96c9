"""What people write about their reasons: sealed, in no other place, bound to what they sign, gone with the evidence."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Fault, Usage
from flows import audit
from flows.batch import decisions
from flows.batch.decisions import sign
from flows.cli import main
from flows.evidence import keys, notes
from flows.evidence.shred import _destroy
from flows.home.tree import Home, open_home
from flows.ledger.decisions import Decision, Reason
from flows.ledger.lifecycles.states import State
from flows.operations import archive
from flows.reports.notes import read
from tests.factories import installations, runs
from tests.factories.installations import Installation

CANARY = "Zebulon Quackenbush of 17 Elm Street"
WORDS = f"The requester called.\r\nIt says that {CANARY} is right."
KEPT = f"The requester called.\nIt says that {CANARY} is right."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    folder = tmp_path_factory.mktemp("notes")
    installation = installations.make(folder / "home")
    return installation, runs.held(installation, folder / "s")


@pytest.fixture
def home(made: tuple[Installation, str], tmp_path: Path) -> Home:
    """A copy of it all: the register is compared as well."""
    return open_home(Path(shutil.copytree(made[0].home.root, tmp_path / "home")))


@pytest.fixture
def held(made: tuple[Installation, str]) -> str:
    return made[1]


def in_plaintext(folder: Path) -> list[str]:
    """Files that hold the words, or anything of them."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if b"Quackenbush" in path.read_bytes() or "Quackenbush" in path.name]


def problems(home: Home) -> list[str]:
    with runs.ledger_of(home) as ledger:
        return [str(one) for one in audit.verify(home, ledger).problems]


def drop(home: Home, batch: str, who: str, text: str | None = None) -> State:
    return sign(home, batch, Decision.DROP, signatures.load(home.keys / who), text=text)


def texts(home: Home, batch: str | None, who: str) -> list[tuple[str, str, str | None]]:
    with runs.ledger_of(home) as ledger:
        return [(one["by"], one["on"], one["text"]) for one in read(home, ledger, batch, who)]


def test_it_lies_sealed_and_is_read_by_whom_it_is_for(home: Home, held: str) -> None:
    drop(home, held, "operator-1", WORDS)
    assert in_plaintext(home.root) == [] and len(notes.of_batch(home, held)) == 1
    assert texts(home, held, "operator-1") == [("operator-1", "drop", KEPT)]
    assert texts(home, held, "operator-2") == []  # who has not spoken
    drop(home, held, "operator-2")
    assert texts(home, held, "operator-2") == [("operator-1", "drop", KEPT)]
    with runs.ledger_of(home) as ledger:
        assert CANARY not in json.dumps(ledger.events())
        looks = [e["facts"] for e in ledger.events(held) if e["kind"] == "view"]
    assert [(one["what"], one["who"]) for one in looks] == [
        ("notes", "operator-1"),
        ("notes", "operator-2"),
        ("notes", "operator-2"),
    ]
    assert problems(home) == []


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2_001, "a\x00b", "a\x1b[31mb", "a\u202eb", "a\tb"])
def test_what_is_no_plain_text_of_some_length_is_refused_and_nothing_is_signed(
    home: Home, held: str, text: str
) -> None:
    with pytest.raises(BadInput, match=r"NOTE_LENGTH|NOTE_NO_TEXT"):
        drop(home, held, "operator-1", text)
    with runs.ledger_of(home) as ledger:
        assert ledger.decisions(held) == [] and notes.of_batch(home, held) == []


def test_a_guess_is_not_tested_against_the_digest(home: Home, held: str) -> None:
    assert notes.store(home, WORDS, held) != notes.store(home, WORDS, held)


def test_one_that_was_exchanged_is_not_shown(home: Home, held: str) -> None:
    first, second = notes.store(home, "what was signed", held), notes.store(home, "what was not", held)
    notes.path(home, second, held).replace(notes.path(home, first, held))
    with pytest.raises(Fault, match="NOTE_CHANGED"):
        notes.text(home, first, held)
    with pytest.raises(Usage, match="NOTE_GONE"):
        notes.text(home, second, held)


def test_it_goes_with_the_evidence_of_its_batch(home: Home, held: str) -> None:
    sign(home, held, Decision.REJECT, signatures.load(home.keys / "operator-1"), text=WORDS)
    runs.run(home, held)
    assert texts(home, held, "operator-2") == [("operator-1", "reject", KEPT)] and problems(home) == []
    copy = notes.of_batch(home, held)[0].read_bytes()
    _destroy(home, held)
    assert notes.of_batch(home, held) == []
    assert texts(home, held, "operator-2") == [("operator-1", "reject", None)]
    notes.of_batch(home, held)
    path = notes.path(home, notes_of(home, held)[0], held)
    path.write_bytes(copy)  # from a backup: its key is gone
    assert texts(home, held, "operator-2") == [("operator-1", "reject", None)]


def notes_of(home: Home, batch: str) -> list[str]:
    with runs.ledger_of(home) as ledger:
        return list(ledger.noted_on(batch))


def test_one_that_is_missing_is_found(home: Home, held: str) -> None:
    sign(home, held, Decision.REJECT, signatures.load(home.keys / "operator-1"), text=WORDS)
    runs.run(home, held)
    notes.of_batch(home, held)[0].unlink()
    assert len(problems(home)) == 1 and "is missing" in problems(home)[0]


def test_a_crash_before_the_signature_leaves_a_file_that_goes_after_a_day(
    home: Home, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(decisions.signatures, "sign", dies)
        with pytest.raises(KeyboardInterrupt):
            drop(home, held, "operator-1", WORDS)
    drop(home, held, "operator-1", "signed")
    notes.store(home, "of no batch")
    with runs.ledger_of(home) as ledger:
        now, signed = Clock().now(), ledger.noted()
        assert len(signed) == 1 and len(ledger.decisions(held)) == 1
    assert len(notes.of_batch(home, held)) == 2
    notes.delete_unsigned(home, signed, now)
    assert len(notes.of_batch(home, held)) == 2
    notes.delete_unsigned(home, signed, now + timedelta(days=1, minutes=1))
    (left,) = notes.of_batch(home, held)
    assert next(iter(signed)) in left.name and list((home.root / "notes").iterdir()) == []


def test_two_at_once_are_sealed_to_one_key(home: Home, held: str) -> None:
    keys.place(home, held).unlink(missing_ok=True)

    def write(number: int) -> tuple[int, str]:
        while True:
            try:
                return number, notes.store(home, f"number {number}", held)
            except Usage as error:  # the other one holds the batch at this moment
                assert error.code == "BATCH_RUNS"

    with ThreadPoolExecutor(4) as many:
        found = list(many.map(write, range(8)))
    assert [notes.text(home, digest, held) for _, digest in found] == [f"number {n}" for n, _ in found]


def test_a_halt_is_not_kept_from_being_made(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with runs.ledger_of(home) as ledger:
        assert decisions.halt(home, ledger, "operator-1", Reason.NOT_VALID, WORDS)[1]
        monkeypatch.setattr(notes, "store", fails)
        number, kept = decisions.halt(home, ledger, "operator-1", Reason.NOT_VALID, WORDS)
        assert not kept and [halt.seq for halt in ledger.halts()][-1] == number


def test_backups_have_them(home: Home, held: str) -> None:
    own, other = notes.store(home, WORDS, held), notes.store(home, WORDS)
    named = {name for part in archive.AFTER for name, _ in archive.members(home, part)}
    assert {f"evidence/{held}.note-{own}.age", f"notes/note-{other}.age"} <= named


def test_by_command(home: Home, held: str, capsys: pytest.CaptureFixture[str]) -> None:
    key = {name: str(home.keys / name) for name in ("operator-1", "operator-2")}
    with installations.at_home(home):
        for name, note in (("operator-1", WORDS), ("operator-2", "I agree")):
            decide = ["review", "decide", held, "drop", "--key", key[name], "--note", note]
            assert main.run(decide) == 0
        assert main.run(["halt", "operator-1", "--note", "something odd"]) == 0
        assert "Quackenbush" not in capsys.readouterr().out
        assert main.run(["review", "reasons", held, "--key", key["operator-2"]]) == 0
        said = capsys.readouterr().out
        assert f"  It says that {CANARY} is right." in said and "I agree" in said
        assert main.run(["review", "reasons", "--key", key["operator-2"]]) == 0
        assert "something odd" in capsys.readouterr().out
        assert main.run(["review", "reasons", "b-none", "--key", key["operator-2"]]) == 2
    assert problems(home) == []
