"""What `sluicegate doctor` found: one thing that was examined, and how to fix it."""

from collections.abc import Callable
from dataclasses import dataclass

from expectations.base.errors import SluicegateError


@dataclass(frozen=True)
class Finding:
    """One thing examined. `level`: ok, warn (works, but should be fixed) or fail (a run would not work)."""

    level: str
    what: str
    remedy: str = ""


def need(met: bool, what: str, remedy: str, otherwise: str = "fail") -> Finding:
    """What a run needs, or (`otherwise` is warn) should have."""
    return Finding("ok", what) if met else Finding(otherwise, what, remedy)


def check(check: Callable[[], str], what: str = "") -> Finding:
    """What `check` gives, or an error of ours that it raises; `what`: what it is about, if the error does not say."""
    try:
        return Finding("ok", check())
    except SluicegateError as error:
        return Finding("fail", f"{what or error.where}: {error.message}", error.remedy)
