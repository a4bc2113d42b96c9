"""What each route asks of whoever comes: no route is made without it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from flows.console.web.visit import Visit
from flows.ledger.roles import Act


@dataclass(frozen=True)
class Need:
    """`signed_in`: a session that counts; `act`: a role that allows it."""

    signed_in: bool
    act: Act | None


ANYBODY, SIGNED_IN = Need(False, None), Need(True, None)


def needs(act: Act) -> Need:
    """Somebody signed in whose roles allow this."""
    return Need(True, act)


@dataclass(frozen=True)
class Route:
    """A page or a form: what it needs has no default. `file`: the bytes of the largest file that the form takes, with
    which its body may be of the kind `multipart/form-data`."""

    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[Visit], Response]
    need: Need
    file: int = 0
