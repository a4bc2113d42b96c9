"""What a form sends: a few fields of text, in a small body, read here and nowhere else."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from flows.console.web.problems import Problem

MOST_BYTES, _MOST_FIELDS = 64 * 1024, 32
_TYPE = "application/x-www-form-urlencoded"


async def read(request: Request) -> Mapping[str, str]:
    """The fields; of a name that comes twice the last. Raises Problem for what no form of ours sends."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise Problem(400)
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise Problem(400)
    if int(length) > MOST_BYTES:
        raise Problem(413)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Problem(413)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Problem(400) from None
    return dict(fields)
