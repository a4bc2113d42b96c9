"""Templates into pages: everything is escaped, a name that is missing fails, nothing is fetched from elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from flows.console.links import anchor

HERE = Path(__file__).parent
STATIC = ("console.css", "console.js")


def page(template: str, **given: Any) -> str:
    """One page. `given`: what the template names; see each."""
    return _environment().get_template(template).render(given)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"n": _number, "share": _share, "when": _when, "bars": bars, "anchor": anchor}
    environment.filters |= {"columns": columns, "figure": figure}
    return environment


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def figure(value: float | None) -> str:
    """A count, which is a whole number, or a share."""
    return _number(value) if isinstance(value, int) else _share(value)


def _when(value: str | datetime | None) -> str:
    """A time in UTC; a script sets the reader's own beside it."""
    if value is None:
        return ""
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(at.isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M}")


_WIDTH, _BAR, _GAP = 640, 26, 10  # of a picture, in its own units; a label stands before each bar, a number after it
_LABEL, _NUMBER = 150, 90
_LETTER = 9  # the width of one of a label


def bars(counts: Mapping[str, int | None], title: str) -> Markup:
    """A picture of counts, one bar each, in their order; what is not known yet has none. The same numbers stand in a
    table beside it: it says nothing more."""
    most = max((n for n in counts.values() if n), default=1)
    start = max(_LABEL, *(_LETTER * len(label) + 8 for label in counts)) if counts else _LABEL
    parts, y = [], 0
    for label, count in counts.items():
        length = round((_WIDTH - start - _NUMBER) * (count or 0) / most)
        parts.append(
            f'<text class="label" x="{start - 8}" y="{y + 18}">{escape(label)}</text>'
            f'<rect x="{start}" y="{y}" width="{max(length, 1)}" height="{_BAR}"/>'
            f'<text x="{start + length + 8}" y="{y + 18}">{_number(count) or "not yet"}</text>'
        )
        y += _BAR + _GAP
    inside = Markup("".join(parts))
    return Markup('<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, max(y - _GAP, 1), title, inside
    )


_HIGH, _WIDE, _APART = 90, 18, 3  # of a picture of columns


def columns(values: Sequence[float | None], title: str, limit: float | None = None) -> Markup:
    """A picture of what one figure was over time, a column each, the oldest first; what is not known has none; a line
    where its limit is. The same figures stand in a table beside it."""
    most = max([*(value for value in values if value is not None), limit or 0], default=0) or 1
    parts = []
    for place, value in enumerate(values):
        if value is not None:
            height = max(round(_HIGH * value / most), 1)
            parts.append(f'<rect x="{place * _WIDE}" y="{_HIGH - height}" width="{_WIDE - _APART}" height="{height}"/>')
    wide = max(len(values), 1) * _WIDE
    if limit is not None:
        y = _HIGH - round(_HIGH * limit / most)
        parts.append(f'<line x1="0" y1="{y}" x2="{wide}" y2="{y}"/>')
    return Markup('<svg class="columns" viewBox="0 -2 {} {}" width="{}" role="img" aria-label="{}">{}</svg>').format(
        wide, _HIGH + 4, wide, title, Markup("".join(parts))
    )
