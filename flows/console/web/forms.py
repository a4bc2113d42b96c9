"""What a form sends: a few fields of text and, where a page asks for one, a file. Read here and nowhere else, with a
bound, into memory: nothing of it is written anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from urllib.parse import parse_qsl

from starlette.requests import Request

from flows.console.web.problems import Problem

MOST_BYTES, _MOST_FIELDS = 64 * 1024, 32
_PLAIN, _WITH_FILE = "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass(frozen=True)
class Sent:
    """The fields; of a name that comes twice the last. `file`: what was uploaded, without the name that it had."""

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: bytes = field(default=b"", repr=False)


async def read(request: Request, takes_file: bool = False, largest: int = 0) -> Sent:
    """What was sent: at most 64 KiB, and a file of at most `largest` bytes. Raises Problem for what no form of ours
    sends."""
    said = request.headers.get("content-type", "")
    kind = said.partition(";")[0].strip().lower()
    if kind == _PLAIN:
        return Sent(_fields(await _body(request, MOST_BYTES)))
    if kind != _WITH_FILE or not takes_file:
        raise Problem(400)
    sent = _parts(await _body(request, MOST_BYTES + largest), said)
    if len(sent.file) > largest:
        raise Problem(413)
    return sent


async def _body(request: Request, most: int) -> bytes:
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise Problem(400)
    if int(length) > most:
        raise Problem(413)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Problem(413)
    return bytes(body)


def _fields(body: bytes) -> Mapping[str, str]:
    try:
        return dict(
            parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
        )
    except ValueError:
        raise Problem(400) from None


def _parts(body: bytes, content_type: str) -> Sent:
    """The parts as browsers write them (RFC 7578), each once, none within another, and one file at most."""
    said = Message()
    said["content-type"] = content_type
    boundary = (said.get_boundary() or "").encode("utf-8", errors="replace")
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, _MOST_FIELDS + 1)
    if not boundary or first or not parts or parts.pop().rstrip(b"\r\n") != b"--":
        raise Problem(400)
    fields, files = {}, []
    for part in parts:
        name, data, is_file = _part(part)
        if is_file:
            files.append(data)
        else:
            fields[name] = data
    if len(files) > 1:
        raise Problem(400)
    try:
        return Sent({name: data.decode("utf-8") for name, data in fields.items()}, b"".join(files))
    except UnicodeDecodeError:
        raise Problem(400) from None


def _part(part: bytes) -> tuple[str, bytes, bool]:
    """Name, content, whether it is a file: whose own name, and what it says that it is, nobody asks for."""
    head, ends, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    heads = HeaderParser().parsestr(head.decode("utf-8", errors="replace"))
    name = heads.get_param("name", header="content-disposition")
    if not (part.startswith(b"\r\n") and ends and isinstance(name, str)):
        raise Problem(400)
    return name, data, heads.get_param("filename", header="content-disposition") is not None
