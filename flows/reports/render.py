"""A report as Markdown, HTML or JSON, from templates beside this file: HTML is escaped, a missing name fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, assert_never

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from flows.reports import Format


def render(report: dict[str, Any], form: Format) -> str:
    """The text of a report of `declaration` or `annual`."""
    match form:
        case Format.JSON:
            return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        case Format.MD | Format.HTML:
            return _filled(f"{report['report']}.{form}", report)
        case _:
            assert_never(form)


def _filled(template: str, report: dict[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(n=_number, cell=_cell)
    return environment.get_template(template).render(report)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _cell(value: object) -> str:
    """Text that stands in a cell of a Markdown table."""
    return " ".join(str(value).replace("|", "\\|").split())
