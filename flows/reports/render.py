"""The report that was asked for, as Markdown, HTML or JSON: HTML is escaped, a name missing in a template fails."""

import json
from pathlib import Path
from typing import Any, assert_never

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from expectations.base.clock import Clock
from expectations.base.errors import Usage
from flows.home.tree import Home
from flows.reports import Format
from flows.reports.annual import annual
from flows.reports.declaration import declaration


def make(home: Home, clock: Clock, batch: str | None, year: int | None, agency: str | None) -> dict[str, Any]:
    """The declaration of `batch`, or the annual report of `year` (of one `agency`); raises Usage unless it is one."""
    if batch is not None and year is None and agency is None:
        return declaration(home, clock, batch)
    if batch is None and year is not None:
        return annual(home, clock, year, agency)
    raise Usage("WHICH_REPORT", "a report is of a batch, or of a year", remedy="Give BATCH, or --year (and --agency).")


def render(report: dict[str, Any], form: Format) -> str:
    """The text of a report of `declaration` or `annual`."""
    match form:
        case Format.JSON:
            return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        case Format.MD | Format.HTML:
            return _environment().get_template(f"{report['report']}.{form}").render(report)
        case _:
            assert_never(form)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["n"] = lambda value: "" if value is None else f"{value:,}"
    # text that stands in a cell of a Markdown table
    environment.filters["cell"] = lambda value: " ".join(str(value).replace("|", "\\|").split())
    return environment
