"""A report as Markdown, HTML or JSON, from templates beside this file. Jinja2: HTML is escaped, and a name that is missing fails."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape


class Format(StrEnum):
    """How a report is written."""

    MD = "md"
    HTML = "html"
    JSON = "json"


def render(report: dict[str, Any], form: Format) -> str:
    """The text of a report of `declaration` or `annual`."""
    if form is Format.JSON:
        return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(n=_number, cell=_cell)
    return environment.get_template(f"{report['report']}.{form}").render(report)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _cell(value: object) -> str:
    """Text that stands in a cell of a Markdown table."""
    return " ".join(str(value).replace("|", "\\|").split())
