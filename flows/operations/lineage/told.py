"""What an event is made of."""

from dataclasses import dataclass
from typing import Literal

from flows.operations.observer import Did, Place


@dataclass(frozen=True)
class Told:
    """What an event is made of. `did`: the step that it is about; None: the batch. `at`: Unix time in nanoseconds."""

    run: str
    parent: str | None
    kind: Literal["START", "COMPLETE", "FAIL"]
    at: int
    place: Place
    did: Did | None = None
    error: str | None = None
