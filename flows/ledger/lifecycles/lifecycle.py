"""One form for the life of anything that the ledger follows: its states, the steps between them, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from expectations.base.errors import Fault

S = TypeVar("S", bound=StrEnum)
C = TypeVar("C", bound=StrEnum)
MOVED_ON = "Look at its state with sluicegate status; another run may have moved it on."  # the remedy of a wrong step


@dataclass(frozen=True)
class Lifecycle(Generic[S, C]):
    """What of a thing called `name` may become what. `steps`: (start, cause, end), in the order of the diagram.

    Refused by the ledger, and a problem for `ledger verify`: every step that is not among them.
    """

    name: str
    first: S
    steps: tuple[tuple[S, C, S], ...]

    @property
    def final(self) -> frozenset[S]:
        """The states that no step leaves."""
        return frozenset(s for s in type(self.first) if not any(start is s for start, _, _ in self.steps))

    def allows(self, start: str, cause: str, end: str) -> bool:
        """Whether `cause` may lead from `start` to `end`; never raises."""
        return (start, cause, end) in self.steps

    def check(self, start: S, cause: C, end: S) -> None:
        """Raises Fault unless `cause` may lead from `start` to `end`."""
        if not self.allows(start, cause, end):
            raise Fault("NO_SUCH_STEP", f"a {self.name} that is {start} cannot become {end}: {cause}", remedy=MOVED_ON)

    def mermaid(self, label: Callable[[C], str] = str) -> str:
        """The life cycle as a Mermaid diagram; `label`: what stands on an arrow."""
        steps = [f"    {start} --> {end}: {label(cause)}" for start, cause, end in self.steps]
        ends = [f"    {state} --> [*]" for state in type(self.first) if state in self.final]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.first}", *steps, *ends])
