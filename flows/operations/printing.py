"""Printing on stdout: tables for people, JSON for machines."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table on stdout; numbers to the right. Cells are shown as they are, no markup."""
    rows = [list(r) for r in rows]
    table = Table(title=title, title_justify="left", header_style="bold", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(r[index], int | float) for r in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(c) for c in row))
    Console().print(table, markup=False)


def cited(cites: Iterable[dict[str, Any]]) -> str:
    """Instruments as `grounds.Cited.to_dict` gives them, for people: id, number of the version, start of its digest."""
    return ", ".join(f"{c['id']}{' v' + str(c['version']) if c['version'] else ''} ({c['digest'][:12]})" for c in cites)


def flat(value: Any) -> Any:
    """A list as one line; anything else as it is."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _cell(value: Any) -> str:
    from rich.markup import escape

    return escape(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))
