"""What each route asks of whoever comes: no route is made without it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from starlette.responses import Response

from flows.console.web.visit import Visit
from flows.ledger.roles import Act


class Proof(StrEnum):
    """What must have been shown in a session."""

    PASSWORD = "password"  # the first of two factors is enough: to show the second, or to make one
    KEY = "key"
    FRESH_KEY = "fresh key"  # a moment ago: before something sensitive is done


@dataclass(frozen=True)
class Need:
    """`signed_in`: a session that counts; `act`: a role that allows it; `proof`: what was shown in that session.

    A route whose path does not say what is done has the act that it takes to see it, and asks for more itself. To sign
    a proposal is one: which change it is, and so which act it takes, is known once its number was looked up; then
    `proposals.take` refuses whoever may not, and notes it as it is noted here. To withdraw what is one's own takes no
    act: the ledger knows whose it is.
    """

    signed_in: bool
    act: Act | None
    proof: Proof = Proof.KEY


ANYBODY, SIGNED_IN = Need(False, None), Need(True, None)
HALF_IN, FRESH = Need(True, None, Proof.PASSWORD), Need(True, None, Proof.FRESH_KEY)


def needs(act: Act, proof: Proof = Proof.KEY) -> Need:
    """Somebody signed in whose roles allow this."""
    return Need(True, act, proof)


@dataclass(frozen=True)
class Route:
    """A page or a form: what it needs has no default. `file`: the bytes of the largest file that the form takes, with
    which its body may be of the kind `multipart/form-data`."""

    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[Visit], Response]
    need: Need
    file: int = 0
