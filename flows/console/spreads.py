"""The distributions of a checkpoint, for its page: each as a table and a picture, its limits beside it."""

from collections.abc import Mapping
from typing import Any

from flows.batch.spreads import JUDGED, Bound, Counted
from flows.console.kept import Kept
from flows.console.pages import figure

_CAME_OUT: Mapping[bool | None, str] = {True: "within", False: "not within", None: "not evaluated"}


def shown(found: Kept) -> list[dict[str, Any]] | None:
    """As the template `checkpoint.html` names them; None where nothing was kept."""
    return None if found.spreads is None else [_spread(one, found) for one in found.spreads]


def _spread(one: Counted, found: Kept) -> dict[str, Any]:
    return {
        "title": one.shown.title,
        "line": one.shown.line,
        "counted": one.shown.counted,
        "lines": one.lines,
        "left_out": one.left_out,
        "bars": {line.label: line.count for line in one.lines} if one.shown.drawn else {},
        "shares": any(line.share is not None for line in one.lines),
        "limits": any(line.limit is not None for line in one.lines),
        "bounds": [_bound(bound, found) for bound in one.bounds],
    }


def _bound(one: Bound, found: Kept) -> dict[str, str]:
    """What was measured, its limit, and how the check that judges it came out: a page says no other than the check."""
    judged = JUDGED[one.limit]
    result = found.result(judged.check)
    limit = " to ".join(figure(bound) for bound in (one.low, one.high) if bound is not None)
    came_out = "not judged" if result is None else _CAME_OUT[result.ok]
    return {"words": judged.words, "measured": figure(one.measured), "limit": limit, "came_out": came_out}
