"""`gates export`: the four checkpoints as a GX project that runs elsewhere, with made-up batches, a good and a bad one.

The good batch is the self-test's clean one. In the bad one a row of each checkpoint is poisoned for one of its checks.
What our own checkpoint says of both stands beside them in `data/expected.json`.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from expectations.base.duck import DuckSettings, quote, session
from expectations.base.errors import BadInput
from expectations.gx import checkpoint, project
from expectations.gx.checks import Check, Suite, row_count
from expectations.gx.tables import prepare
from expectations.names import standard
from expectations.suites import made, made_letter, selftest

GOOD, BAD = "good", "bad"
# The check that a row of the bad batch is poisoned for, of each checkpoint.
POISONED = {
    "intake": "intake.codes_again",
    "matching": "matching.one_record",
    "eligibility": "disclosure.corroborated",
    "disclosure": "disclosure.own_request",
}


def export(folder: Path, duck: DuckSettings | None = None) -> dict[str, dict[str, str]]:
    """Writes the project to `folder`, replacing one that stands there; returns our verdicts by batch and checkpoint.

    Takes some seconds. Raises BadInput for a folder that holds anything else.
    """
    if not project.clear(folder):
        raise BadInput("GATES_TARGET", "the folder is not empty and holds no exported gates", remedy="Name another.")
    folder = folder.resolve()
    letter, checkpoints = made_letter.letter_facts(), {}
    verdicts: dict[str, dict[str, str]] = {GOOD: {}, BAD: {}}
    with tempfile.TemporaryDirectory(prefix="sluicegate-gates-") as work:
        for module in selftest.SUITES:
            suite, batch = selftest.declared(module), made.Batch(Path(work) / module.NAME, letter, {})
            rows = getattr(batch, module.NAME)().committed
            tables = _tables(module, suite, batch, duck)
            for which, chosen in ((GOOD, None), (BAD, POISONED[suite.name])):
                place = folder / project.DATA / which / f"{suite.name}.duckdb"
                kept = _database(suite, tables, chosen, place, Path(work) / which / suite.name, duck)
                verdicts[which][suite.name] = str(checkpoint.run(suite, kept, rows=rows, duck=duck).status)
            checkpoints[suite.name] = _by_table(suite, rows), rows
    (folder / project.DATA / "expected.json").write_text(json.dumps(verdicts, indent=2) + "\n")
    project.write(folder, checkpoints)
    return verdicts


def _by_table(suite: Suite, rows: int) -> Mapping[str, Sequence[Check]]:
    checks = (row_count(f"{suite.name}.rows", suite.main, rows), *suite.checks)
    return {table: [c for c in checks if c.table == table] for table in dict.fromkeys(c.table for c in checks)}


def _tables(module: ModuleType, suite: Suite, batch: made.Batch, duck: DuckSettings | None) -> dict[str, str]:
    """The tables that the checks look at, worked out, as Parquet."""
    with session(duck) as connection:
        prepare(connection, suite.setup, module.tables(getattr(batch, module.NAME)()), batch.folder)
        return {name: _copy(connection, name, batch.folder) for name in dict.fromkeys(c.table for c in suite.checks)}


def _copy(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> str:
    path = quote(str(folder / f"looked-at-{table}.parquet"))
    connection.execute(f'COPY (FROM "{table}") TO {path} (FORMAT parquet)')
    return f"read_parquet({path})"


def _database(
    suite: Suite, tables: Mapping[str, str], poisoned: str | None, place: Path, work: Path, duck: DuckSettings | None
) -> dict[str, str]:
    """Writes a DuckDB file with the tables, and the macros that predicates use; gives the same tables as Parquet."""
    place.parent.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True)
    with session(duck) as connection:
        standard.setup(connection)
        connection.execute(f"ATTACH {quote(str(place))} AS gates")
        for name, parameters, body in standard.MACROS:
            connection.execute(f"CREATE MACRO gates.main.{name}({parameters}) AS {body}")
        for name, table in tables.items():
            connection.execute(f'CREATE TABLE gates.main."{name}" AS FROM {table}')
        for check in suite.checks:
            if check.id == poisoned:
                _poison(connection, check)
        kept = {}
        for name in tables:
            connection.execute(f'CREATE VIEW "{name}" AS FROM gates.main."{name}"')
            kept[name] = _copy(connection, name, work)
        connection.execute("DETACH gates")
    return kept


def _poison(connection: duckdb.DuckDBPyConnection, check: Check) -> None:
    changed: Mapping[str, Any] = check.poison
    columns = ", ".join(f'"{column}" = ?' for column in changed)
    connection.execute(f'UPDATE gates.main."{check.table}" SET {columns} WHERE rowid = 0', [*changed.values()])
