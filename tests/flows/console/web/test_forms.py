"""Forms with files: what browsers send is read whole and byte for byte, and whatever else somebody sends is not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from starlette.requests import Request

from flows.console.web import forms
from flows.console.web.forms import MOST_BYTES, Sent
from flows.console.web.problems import Problem

MOST = 1_000_000  # bytes of the largest file
EDGE = "----WebKitFormBoundaryAbC123"
ALL = bytes(range(256)) + b"\r\n\r\n--" + EDGE.encode()[:-1] + b"\r\n--\n\r\x00"


def part(name: str, content: bytes, more: str = "") -> bytes:
    return f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{EDGE}--\r\n".encode()


def read(
    data: bytes, said: str = f"multipart/form-data; boundary={EDGE}", *, files: bool = True, pieces: int = 1_000
) -> Sent:
    """What is read of this body, sent in pieces, without its length."""

    def sent() -> Iterator[dict[str, object]]:
        for start in range(0, len(data), pieces):
            yield {"type": "http.request", "body": data[start : start + pieces], "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    messages = sent()

    async def receive() -> dict[str, object]:
        return next(messages)

    request = Request(
        {"type": "http", "method": "POST", "headers": [(b"content-type", said.encode("latin-1"))]}, receive
    )
    return asyncio.run(forms.read(request, files, MOST if files else 0))


@pytest.mark.parametrize("pieces", [1, 7, 1_000_000])
def test_what_a_browser_sends_is_read_byte_for_byte(pieces: int) -> None:
    named = '; filename="Zoë %22 receipts;x.pdf"\r\nContent-Type: message/rfc822'
    found = read(body(part("form", "é".encode()), part("file", ALL, named), part("rows", b"1\r\n2")), pieces=pieces)
    assert found.fields == {"form": "é", "rows": "1\r\n2"} and found.file == ALL
    assert "Zo" not in repr(found) and "é" not in repr(found)


def test_a_form_without_a_file_and_an_empty_file_are_read_as_well() -> None:
    assert read(body(part("form", b""))).file == b""
    assert read(body(part("file", b"", '; filename=""'))).file == b""
    assert read(b"a=1&b=2", "application/x-www-form-urlencoded").fields == {"a": "1", "b": "2"}


def test_nothing_of_a_file_lies_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(os, "open", lambda *given, **_: made.append(given))
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", lambda *given, **_: made.append(given))
    loop = asyncio.new_event_loop()
    loop.close()
    assert len(read(body(part("file", b"x" * MOST, '; filename="x"')), pieces=65_536).file) == MOST
    assert made == []


GOOD = body(part("file", b"1", '; filename="x"'))
WRONG: dict[str, tuple[bytes, str, int]] = {
    "no boundary": (GOOD, "multipart/form-data", 400),
    "another boundary": (GOOD, "multipart/form-data; boundary=other", 400),
    "another kind": (GOOD, f"multipart/mixed; boundary={EDGE}", 400),
    "nothing": (b"", "", 400),
    "something before": (b"x" + GOOD, "", 400),
    "something after": (GOOD + b"x", "", 400),
    "cut short": (GOOD[:-8], "", 400),
    "no end": (part("file", b"1"), "", 400),
    "no name": (body(b"--" + EDGE.encode() + b"\r\nContent-Disposition: form-data\r\n\r\n1\r\n"), "", 400),
    "no header": (body(b"--" + EDGE.encode() + b"\r\n\r\n1\r\n"), "", 400),
    "no blank line": (body(b"--" + EDGE.encode() + b'\r\nContent-Disposition: form-data; name="a"\r\n'), "", 400),
    "a field that is no text": (body(part("a", b"\xff")), "", 400),
    "too many parts": (body(*(part(f"a{n}", b"1") for n in range(40))), "", 400),
    "a file too large": (body(part("file", b"x" * (MOST + 1), '; filename="x"')), "", 413),
    "two files": (body(*(part(f"f{n}", b"x", '; filename="x"') for n in range(2))), "", 400),
    "much too large": (body(part("a", b"x" * (MOST + MOST_BYTES))), "", 413),
}


@pytest.mark.parametrize(("data", "said", "status"), WRONG.values(), ids=WRONG)
def test_what_no_browser_sends_is_not_read(data: bytes, said: str, status: int) -> None:
    with pytest.raises(Problem) as caught:
        read(data, said or f"multipart/form-data; boundary={EDGE}", pieces=65_536)
    assert caught.value.status == status


def test_a_form_that_takes_no_files_reads_none() -> None:
    with pytest.raises(Problem):
        read(GOOD, files=False)
