"""Hostile letters, forms and submissions: each ends as bad input, or is refused by law; none as a fault, and none
without an entry in the ledger. No night tries one again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from expectations.base import forms, signatures
from expectations.base.errors import BadInput
from expectations.instruments import instrument_problems, parse_instrument
from flows.batch.inbox import waiting
from flows.batch.unreadable import ASIDE, put_aside, shown_name
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import REQUESTER_SIGNING
from pipelines.read.jsonl import at_once
from pipelines.register.delta import open_delta
from pipelines.register.mapping import read_mapping
from tests.attack import hostile
from tests.attack.judged import Judged, judge
from tests.factories import installations, submissions
from tests.factories.installations import Installation


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installations.make(tmp_path_factory.mktemp("hostile") / "home")


@pytest.fixture
def ledger(place: Installation) -> Iterator[Ledger]:
    with Ledger.open(place.home.ledger_url, place.home.clock()) as opened:
        yield opened


def resigned(place: Installation, name: str, change: Callable[[str], str | bytes]) -> Path:
    """A submission in the inbox whose letter was changed, then signed."""
    folder = place.submit(place.home.inbox / name, [installations.request(1)])
    text = change((folder / "letter.toml").read_text())
    data = text if isinstance(text, bytes) else text.encode()
    key = signatures.load(place.home.keys / REQUESTER_SIGNING)
    (folder / "letter.toml").write_bytes(data)
    (folder / "letter.toml.sig").write_text(signatures.sign(data, key, signatures.LETTER))
    return folder


def entries(ledger: Ledger) -> int:
    return sum(batch.state is State.UNREADABLE for batch in ledger.batches())


# Those that ended as a fault without an entry.
LETTERS: dict[str, Callable[[str], str | bytes]] = {
    "deep arrays": lambda t: f"x = {'[' * 3000}{']' * 3000}\n{t}",
    "deep tables": lambda t: f"x = {'{a=' * 3000}1{'}' * 3000}\n{t}",
    "deep, but not too deep for the parser": lambda t: f"x = {'[' * 100}{']' * 100}\n{t}",
    "a key of many parts": lambda t: f"{'a.' * 200_000}a = 1\n{t}",
    "a header of many parts": lambda t: f"{t}[{'a.' * 200_000}a]\n",
    "an integer of 5,000 digits": lambda t: t.replace("rows = 1,", f"rows = {'9' * 5000},"),
    "rows = 10^23": lambda t: t.replace("rows = 1,", f"rows = 1{'0' * 23},"),
    "a hexadecimal number of a million digits": lambda t: t.replace("rows = 1,", f"rows = 0x{'f' * 1_000_000},"),
    "more rows than there are people": lambda t: t.replace("rows = 1,", "rows = 1000000001,"),
    "a null character": lambda t: t.replace('"Criminal proceeding"', '"\\u0000"'),
    "an escape sequence as a key": lambda t: f'"\\u001b[2J" = 1\n{t}',
    "thousands of files": lambda t: t.replace("files = [", f"files = [{'{}, ' * 5000}"),
    "UTF-16": lambda t: t.encode("utf-16"),
    "nothing": lambda t: "",
}


@pytest.mark.parametrize("what", LETTERS)
def test_a_letter_that_is_none_is_one_entry_and_put_aside(
    place: Installation, ledger: Ledger, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, folder = entries(ledger), resigned(place, "s", LETTERS[what])
    found = judge(place.home, ledger, "grammar", folder)
    assert found.right and found.end == 5 and found.code in ("LETTER_UNREADABLE", "LETTER_INVALID"), found
    assert entries(ledger) == before + 1 and waiting(place.home) == []
    assert ledger.verify() == []


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("name", ["letter.toml", "letter.toml.sig", "requests.csv"])
@pytest.mark.parametrize("spoil", [fifo, folder_there, link])
def test_what_is_no_plain_file_is_one_entry_and_put_aside(
    place: Installation, ledger: Ledger, name: str, spoil: Callable[[Path], None]
) -> None:
    """A pipe, a folder or a link where the signature belongs lay in the inbox for good, and nobody saw it."""
    folder = place.submit(place.home.inbox / f"s-{name}-{spoil.__name__}", [installations.request(1)])
    spoil(folder / name)
    assert waiting(place.home) == [folder]
    found = judge(place.home, ledger, "files", folder)
    assert found.right and found.end == 5, found
    assert waiting(place.home) == []


def test_each_submission_without_a_readable_letter_has_an_entry_of_its_own(place: Installation, ledger: Ledger) -> None:
    before = entries(ledger)
    for n in range(3):
        folder = place.submit(place.home.inbox / f"s-{n}", [installations.request(n + 1)])
        (folder / "letter.toml").unlink()
        assert judge(place.home, ledger, "files", folder).end == 5
    assert entries(ledger) == before + 3


def test_a_linked_folder_and_names_that_no_text_can_hold(place: Installation, ledger: Ledger, tmp_path: Path) -> None:
    real = place.submit(tmp_path / "elsewhere", [installations.request(1)])
    linked, odd = place.home.inbox / "linked", place.home.inbox / os.fsdecode(b"\xff\x1b[2J\n")
    linked.symlink_to(real)
    place.submit(odd, [installations.request(1)])
    fifo(odd / "requests.csv")
    (odd / os.fsdecode(b"\xfe" * 200)).touch()
    for folder in (linked, odd):
        assert shown_name(folder).isascii() and shown_name(folder).isprintable()
        found = judge(place.home, ledger, "files", folder)
        assert found.right and found.end == 5, found
    assert real.is_dir() and (real / "letter.toml").is_file()


def test_what_a_person_names_outside_the_inbox_stays_where_it_is(
    place: Installation, ledger: Ledger, tmp_path: Path
) -> None:
    folder = place.submit(tmp_path / "mine", [installations.request(1)])
    (folder / "letter.toml").write_text("no letter")
    assert judge(place.home, ledger, "files", folder).end == 5 and folder.is_dir()
    put_aside(place.home, folder)
    assert folder.is_dir() and (place.home.inbox / ASIDE).is_dir()


def test_a_fault_of_the_holder_is_no_entry_and_nothing_is_put_aside(place: Installation, ledger: Ledger) -> None:
    """The holder's own lists cannot be read: the submission waits."""
    folder = place.submit(place.home.inbox / "good", [installations.request(1)])
    (place.home.root / "persons.csv").write_text("no such column\n1\n")
    before = entries(ledger)
    try:
        assert judge(place.home, ledger, "files", folder).end == 5
        assert entries(ledger) == before and waiting(place.home) == [folder]
    finally:
        (place.home.root / "persons.csv").unlink()
        put_aside(place.home, folder)


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"officers": []}, {"statute": "18 USC 1"}])
def test_where_the_law_refuses_no_row_is_left_and_it_is_refused_all_the_same(
    place: Installation, ledger: Ledger, change: dict[str, object]
) -> None:
    """It was held as an error without a code: the checks of rows had nothing to look at."""
    folder = place.submit(place.home.inbox / "law", [installations.request(1)], **change)
    found = judge(place.home, ledger, "grammar", folder)
    assert found.end == 4 and {"NO_OFFICERS", "STATUTE_NOT_DESIGNATED"} & set(found.code.split()), found
    put_aside(place.home, folder)


def many(place: Installation, ledger: Ledger, seed: int, count: int, data: float, run: bool) -> list[Judged]:
    key = signatures.load(place.home.keys / REQUESTER_SIGNING)
    found = []
    for number in range(count):
        kind, folder = hostile.make(number, seed, place.home.inbox, key, place.agreement, data)
        found.append(judge(place.home, ledger, kind, folder, run=run))
    return found


def test_none_of_many_is_a_fault(place: Installation, ledger: Ledger) -> None:
    """Judged up to receipt; what is received is run in the slow test, and by `python -m tests.bench.hostile`."""
    found = many(place, ledger, 3, 80, 0, run=False)
    assert [one for one in found if not one.right] == [] and sum(one.end == 5 for one in found) > 60
    assert len(Counter(one.code for one in found)) > 5 and ledger.verify() == []


@pytest.mark.slow
def test_none_of_many_that_are_run_is_a_fault(place: Installation, ledger: Ledger) -> None:
    found = many(place, ledger, 4, 300, 0.05, run=True)
    assert [one for one in found if not one.right] == [] and ledger.verify() == []


def test_what_cannot_be_read_ends_the_same_when_it_is_sent_again(
    place: Installation, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rows were read, and were none: a batch that the ledger knows, not a submission that it has never seen."""
    folder = resigned(place, "fewer", lambda text: text.replace("rows = 1,", "rows = 2,"))
    first = judge(place.home, ledger, "data", folder)
    assert (first.end, first.code, first.entry) == (5, "COUNT_DIFFERS", "unreadable") and first.right
    assert judge(place.home, ledger, "data", folder) == first
    before = len(ledger.events())
    with installations.at_home(place.home):
        assert main.run(["run", str(folder)]) == 5
    assert "COUNT_DIFFERS" in capsys.readouterr().err
    assert not folder.exists() and len(ledger.events()) == before


FORMS = {
    "deep": b"x = " + b"[" * 3000 + b"]" * 3000,
    "digits": b"x = " + b"9" * 5000,
    "parts": b"a." * 100_000 + b"a = 1",
    "control": b'kind = "\\u0000"',
    "bytes": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_with_the_same_care(tmp_path: Path, form: str) -> None:
    (tmp_path / "mapping.toml").write_bytes(FORMS[form])
    (tmp_path / "delta.toml").write_bytes(FORMS[form])
    for read in (
        lambda: read_mapping(tmp_path),
        lambda: open_delta(tmp_path),
        lambda: parse_instrument(FORMS[form], "x.toml"),
        lambda: instrument_problems(FORMS[form], "x.toml"),
        lambda: forms.toml(FORMS[form], "x", "LETTER_UNREADABLE"),
    ):
        with pytest.raises(BadInput):
            read()


@pytest.mark.parametrize("name", ["mapping.toml", "delta.toml"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nothing", "huge"])
def test_a_form_that_is_no_plain_file_is_bad_input(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        path.write_bytes(b"#" * (2 << 20))
    else:
        path.symlink_to("nowhere")
    with pytest.raises(BadInput):
        read_mapping(tmp_path) if name == "mapping.toml" else open_delta(tmp_path)


def test_an_error_shows_no_key_that_is_none_of_ours() -> None:
    with pytest.raises(BadInput) as error:
        submissions.parse_instrument(b'kind = "court_order"\n"John Doe 123-45-6789 \\\\u001b" = 1\n', "x")
    assert "123-45" not in str(error.value)


def test_a_line_that_is_no_object_is_a_reject_and_no_crash() -> None:
    """One line `null` ended the whole process: Arrow reads lines that are objects only."""
    for block in (b"null\n", b"[]\n", b"1", b'{"last_name": {"a": 1}}\n', b'{"last_name": ' + b"[" * 9000 + b"}\n"):
        assert at_once(block) is None
    assert at_once(b'{"last_name": "a"}\n{"last_name": "b"}\n') is not None
