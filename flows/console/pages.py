"""Templates into pages: everything is escaped, a name that is missing fails, nothing is fetched from elsewhere."""

from collections.abc import Mapping
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
    return environment


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


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
