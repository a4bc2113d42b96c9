"""Taking in: one thing is done to a good submission, and one error says so."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.errors import BadInput
from expectations.instruments import Agreement
from pipelines.ingest import submission
from tests.factories import submissions

DATA = "requests.csv"


def remove(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).unlink()


def rewrite(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(data)


def renamed_in_letter(path: str) -> Callable[[Path], Any]:
    def spoil(folder: Path) -> None:
        text = (folder / "letter.toml").read_text().replace(f'path = "{DATA}"', f'path = "{path}"')
        submissions.sign(folder, text)

    return spoil


def linked(folder: Path) -> None:
    outside = folder.parent / "outside.csv"
    shutil.move(folder / DATA, outside)
    (folder / DATA).symlink_to(outside)


def linked_folder(folder: Path) -> None:
    outside = folder.parent / "elsewhere"
    outside.mkdir()
    shutil.move(folder / DATA, outside / DATA)
    (folder / "sub").symlink_to(outside)
    renamed_in_letter(f"sub/{DATA}")(folder)


def pipe(folder: Path) -> None:
    (folder / DATA).unlink()
    os.mkfifo(folder / DATA)


def folder_for_file(folder: Path) -> None:
    (folder / DATA).unlink()
    (folder / DATA).mkdir()


def listed_twice(folder: Path) -> None:
    data = (folder / DATA).read_bytes()
    file = submissions.DataFile(DATA, data, 3)
    submissions.sign(folder, submissions.letter([file, file], submissions.sandbox()))


SPOILS = {
    "no letter": (remove("letter.toml"), "LETTER_MISSING"),
    "no signature": (remove("letter.toml.sig"), "SIGNATURE_MISSING"),
    "letter is not TOML": (rewrite("letter.toml", b"requester = \n"), "LETTER_UNREADABLE"),
    "letter is not UTF-8": (rewrite("letter.toml", b"a = '\xff'"), "LETTER_UNREADABLE"),
    "letter without its keys": (rewrite("letter.toml", b"requester = 'x'"), "LETTER_INVALID"),
    "letter of two megabytes": (rewrite("letter.toml", b"#" * (2 << 20)), "TOO_LARGE"),
    "no data file": (remove(DATA), "FILE_MISSING"),
    "data file changed": (rewrite(DATA, b"request_id\n1\n"), "DIGEST_DIFFERS"),
    "data file empty": (rewrite(DATA, b""), "FILE_EMPTY"),
    "data file a symbolic link": (linked, "PATH_OUTSIDE"),
    "folder a symbolic link": (linked_folder, "PATH_OUTSIDE"),
    "path with ..": (renamed_in_letter("../requests.csv"), "PATH_OUTSIDE"),
    "path with .. inside": (renamed_in_letter("a/../../requests.csv"), "PATH_OUTSIDE"),
    "absolute path": (renamed_in_letter("/etc/passwd"), "PATH_OUTSIDE"),
    "path with a pattern": (renamed_in_letter("*.csv"), "PATH_OUTSIDE"),
    "hidden path": (renamed_in_letter(".requests.csv"), "PATH_OUTSIDE"),
    "path through a file": (renamed_in_letter(f"{DATA}/x.csv"), "PATH_OUTSIDE"),
    "the letter as data": (renamed_in_letter("letter.toml"), "FILE_TWICE"),
    "listed twice": (listed_twice, "FILE_TWICE"),
    "a pipe": (pipe, "NOT_A_FILE"),
    "a folder": (folder_for_file, "NOT_A_FILE"),
}


@pytest.mark.parametrize("name", SPOILS)
def test_what_is_wrong_with_a_submission_is_said(tmp_path: Path, name: str) -> None:
    spoil, code = SPOILS[name]
    source = submissions.write(tmp_path / "in", submissions.rows(3))
    spoil(source)
    with pytest.raises(BadInput) as caught:
        submission.take_in(source, tmp_path / "copy")
    assert caught.value.code == code
    assert caught.value.where and caught.value.remedy


def test_a_good_submission_is_copied_for_our_eyes_only(tmp_path: Path, sandbox: Agreement) -> None:
    source = submissions.write_files(
        tmp_path / "in",
        [submissions.DataFile("a/one file.csv", submissions.encode(submissions.rows(3)), 3)],
    )
    taken = submission.take_in(source, tmp_path / "copy")
    submission.verify_signature(taken, sandbox)
    assert (tmp_path / "copy" / "a" / "one file.csv").read_bytes() == (source / "a" / "one file.csv").read_bytes()
    for path in (tmp_path / "copy").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert submission.taken_in(tmp_path / "copy") == taken
    assert taken.batch.startswith("b-") and len(taken.batch) == 14
    assert submission.take_in(source, tmp_path / "copy") == taken  # again over a half-done copy


def test_the_limit_on_bytes_holds_for_all_files_together(tmp_path: Path) -> None:
    data = submissions.encode(submissions.rows(3))
    files = [submissions.DataFile(f"{n}.csv", data, 3) for n in range(3)]
    source = submissions.write_files(tmp_path / "in", files)
    with pytest.raises(BadInput, match="TOO_LARGE"):
        submission.take_in(source, tmp_path / "copy", limit=3 * len(data) - 1)
    submission.take_in(source, tmp_path / "copy", limit=3 * len(data))


@pytest.mark.parametrize("change", ["grows", "is touched"])
def test_a_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path, monkeypatch, change: str) -> None:
    source = submissions.write(tmp_path / "in", submissions.rows(3))
    read = os.read

    def meddle(handle: int, size: int) -> bytes:
        data = read(handle, size)
        if data.startswith(b"request_id"):
            if change == "grows":
                with (source / DATA).open("ab") as stream:
                    stream.write(b"more\n")
            else:
                os.utime(source / DATA, (1, 1))
        return data

    monkeypatch.setattr(submission.os, "read", meddle)
    with pytest.raises(BadInput, match="FILE_CHANGED"):
        submission.take_in(source, tmp_path / "copy")


def test_only_a_key_of_the_agreement_signs_and_only_as_a_letter(tmp_path: Path, sandbox: Agreement) -> None:
    source = submissions.write(tmp_path / "in", submissions.rows(1), Ed25519PrivateKey.generate(), sandbox)
    with pytest.raises(BadInput, match="LETTER_KEY_UNKNOWN: the letter is signed, but"):
        submission.verify_signature(submission.take_in(source, tmp_path / "other key"), sandbox)
    letter = (source / "letter.toml").read_bytes()
    for name, signature in {
        "other use": signatures.sign(letter, submissions.KEY, signatures.DECISION),
        "other letter": signatures.sign(letter + b"#", submissions.KEY, signatures.LETTER),
        "no signature at all": "hello",
    }.items():
        (source / "letter.toml.sig").write_text(signature)
        with pytest.raises(BadInput, match="LETTER_UNSIGNED"):
            submission.verify_signature(submission.take_in(source, tmp_path / name), sandbox)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_letter_signed_by_the_common_tool_is_signed(tmp_path: Path) -> None:
    key = tmp_path / "key"
    signatures.generate(key, "requester")
    source = submissions.write(tmp_path / "in", submissions.rows(1))
    (source / "letter.toml.sig").unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", signatures.LETTER, "-f", str(key), "letter.toml"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    agreement = submissions.sandbox(signatures.load(key))
    submission.verify_signature(submission.take_in(source, tmp_path / "copy"), agreement)
