"""The style sheet and the scripts, read once."""

from collections.abc import Mapping
from functools import cache

from starlette.responses import Response

from flows.console import pages
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


def file(visit: Visit) -> Response:
    """One of them; there is no other."""
    found = _files().get(visit.path("name"))
    if found is None:
        raise Problem(404)
    return Response(found[0], headers={"Content-Type": found[1]})


@cache
def _files() -> Mapping[str, tuple[bytes, str]]:
    paths = [pages.HERE / "static" / name for name in (*pages.STATIC, "passkey.js", "code.js")]
    return {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in paths}
