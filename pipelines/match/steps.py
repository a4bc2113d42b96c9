"""SQL as a list of named steps, so that a plan can be read, printed and timed."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Step:
    """One temporary table. `why` says what it is for; `ends` are tables that nothing reads after it."""

    name: str
    why: str
    sql: str
    ends: tuple[str, ...] = ()


def execute(connection: duckdb.DuckDBPyConnection, steps: Iterable[Step]) -> None:
    """Makes the table of each step, in order."""
    for step in steps:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {step.name} AS {step.sql}")
        for table in step.ends:
            connection.execute(f"DROP TABLE {table}")


def printed(steps: Iterable[Step]) -> str:
    """The plan for people."""
    return "\n\n".join(f"-- {s.name}: {s.why}\nCREATE TEMP TABLE {s.name} AS{s.sql.rstrip()};" for s in steps)
