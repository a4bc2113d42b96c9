"""Passwords that others know: the list that comes with us, and a file as Have I Been Pwned's downloader writes it."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from expectations.base.errors import BadInput, Usage
from flows.ledger.entrance import leaked, passwords
from tests.factories.consoles import PASSWORD


def test_the_list_has_far_more_than_three_thousand_that_are_long_enough_and_is_sorted() -> None:
    data = leaked._common()
    listed = [data[at : at + leaked._WIDTH] for at in range(0, len(data), leaked._WIDTH)]
    assert len(listed) == 337_335 > 3_000 and len(data) % leaked._WIDTH == 0
    assert all(a < b for a, b in pairwise(listed))


COMMON = ["passwordpassword", "123456789123456789", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb", "x" * 15]
RARE = [PASSWORD, "six other words, and no phrase", "", "passwordpasswore", "ä♥" * 20]


@pytest.mark.parametrize(("password", "listed"), [*((p, True) for p in COMMON), *((p, False) for p in RARE)])
def test_what_stands_in_the_list_is_refused_in_any_case_of_letters(password: str, listed: bool) -> None:
    assert leaked.is_common(password) is leaked.is_common(password.upper()) is listed
    if listed:
        with pytest.raises(BadInput, match="PASSWORD_LEAKED"):
            passwords.refuse_weak(password.title(), "ada")


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def written(path: Path, passwords: list[str], end: str = "\r\n", count: str = ":3") -> Path:
    path.write_bytes("".join(f"{one}{count}{end}" for one in sorted(map(sha1, passwords))).encode())
    return path


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1_000])
@pytest.mark.parametrize(("end", "more"), [("\r\n", ":52256179"), ("\n", "")], ids=["as downloaded", "hashes alone"])
def test_each_hash_of_a_file_is_found_and_no_other(tmp_path: Path, count: int, end: str, more: str) -> None:
    known = [f"password number {n}" for n in range(count)]
    path = written(tmp_path / "leaked.txt", known, end, more)
    assert all(leaked.is_leaked(one, path) for one in known)
    assert not any(leaked.is_leaked(f"another one {n}", path) for n in range(200))
    path.write_bytes(path.read_bytes().lower().rstrip())  # the last line without an end
    assert all(leaked.is_leaked(one, path) for one in known)


def test_a_password_of_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "leaked.txt", [PASSWORD])
    passwords.refuse_weak(PASSWORD, "ada")
    with pytest.raises(BadInput, match="PASSWORD_LEAKED") as refused:
        passwords.refuse_weak(PASSWORD, "ada", path)
    assert PASSWORD not in str(refused.value) and sha1(PASSWORD) not in str(refused.value)


@pytest.mark.parametrize("data", [b"hunter2\n", b"x" * 5_000, b"\n" * 100, b"\x00" * 100, b"A" * 39 + b"\n", None])
def test_a_file_that_is_none_is_said_and_lets_no_password_pass(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "leaked.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(Usage, match="LEAKED_UNREADABLE"):
        leaked.is_leaked(PASSWORD, path)


def test_few_lines_of_a_large_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = written(tmp_path / "leaked.txt", [str(n) for n in range(100_000)]), []
    line = leaked._line
    monkeypatch.setattr(leaked, "_line", lambda *a: read.append(1) or line(*a))
    assert leaked.is_leaked("99999", path) and len(read) <= 24
