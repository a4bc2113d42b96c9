"""A GX project with a file context: our checkpoints as GX users know them, to be run where nothing of ours is.

It lies in one folder: `gx` is the context, `sluicegate_gates` the files of `portable`, `data` a DuckDB file for each
checkpoint and batch. Whoever runs it needs GX, DuckDB and its SQLAlchemy dialect (`requirements.txt`).
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from expectations.gx import declare
from expectations.gx.checks import Check
from expectations.gx.evaluate import library, quiet_gx

PACKAGE, DATA = "sluicegate_gates", "data"
VARIABLE = "GATES_DATA"  # names the folder of the batch that is looked at
_NEEDED = ("great_expectations", "duckdb", "duckdb-sqlalchemy")
_INIT = '''"""The checkpoints of Sluicegate: importing this makes their expectations, dialect and action known to GX."""

import os
from pathlib import Path

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # before GX is imported: it is read there

from . import buffered, custom, decide  # noqa: E402, F401

os.environ.setdefault("GATES_DATA", str(Path(__file__).resolve().parent.parent / "data" / "good"))
'''
_RUN = '''"""Runs the checkpoints that are named, or all, and prints the verdict of each: `python run.py [NAME …]`.

The environment variable GATES_DATA names the folder of the batch; data/good if it is not set.
"""

import sys
from pathlib import Path

import great_expectations

import sluicegate_gates  # noqa: F401

context = great_expectations.get_context(mode="file", project_root_dir=Path(__file__).resolve().parent)
for name in sys.argv[1:] or [checkpoint.name for checkpoint in context.checkpoints.all()]:
    checkpoint = context.checkpoints.get(name)
    checkpoint.run()
    verdict = checkpoint.actions[0].verdict(name)
    print(name, verdict["status"], *verdict["codes"])
'''
_README = """# The checkpoints of Sluicegate as a Great Expectations project

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python run.py                          # a good batch: each passes
    GATES_DATA=data/bad venv/bin/python run.py      # a bad batch: each holds

`import sluicegate_gates` first; then `context.checkpoints.get("eligibility").run()` works as with any GX project.
`data/expected.json` holds the verdicts that Sluicegate itself gave. All rows are made up.
"""


def write(folder: Path, checkpoints: Mapping[str, tuple[Mapping[str, Sequence[Check]], int]]) -> None:
    """Writes the project beside `folder`/data/good, where a file NAME.duckdb for each checkpoint lies already.

    `checkpoints`: of each its checks by table, and the rows of its main table.
    """
    _files(folder)
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder / DATA / "good")
    try:
        with quiet_gx():
            context = library().get_context(mode="file", project_root_dir=folder)
            _without_bars(context)
            for name, (checks, rows) in checkpoints.items():
                _add(context, name, checks, rows)
    finally:
        os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


def _files(folder: Path) -> None:
    package = folder / PACKAGE
    package.mkdir(parents=True)
    for source in files("expectations.gx.portable").iterdir():
        if source.name.endswith(".py") and source.name != "__init__.py":
            (package / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    (package / "__init__.py").write_text(_INIT, encoding="utf-8")
    (folder / "run.py").write_text(_RUN, encoding="utf-8")
    (folder / "README.md").write_text(_README, encoding="utf-8")
    (folder / "requirements.txt").write_text("".join(f"{name}=={version(name)}\n" for name in _NEEDED))
    for place in (folder, package):
        (place / "LICENSE").write_text(_licence(), encoding="utf-8")


def _licence() -> str:
    """The text of our licence: beside the packages in a checkout, with the metadata in an installation."""
    beside = Path(str(files("expectations"))).parent / "LICENSE"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    from importlib.metadata import distribution

    installed = distribution("sluicegate")
    return str(installed.read_text("licenses/LICENSE") or installed.read_text("LICENSE"))


def _without_bars(context: Any) -> None:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.variables.save()


def _add(context: Any, name: str, checks: Mapping[str, Sequence[Check]], rows: int) -> None:
    from great_expectations import Checkpoint

    from expectations.gx.portable import buffered  # noqa: F401  makes the dialect known
    from expectations.gx.portable.decide import Decide

    placed = declare.placed(checks)
    source = declare.add_source(context, name, f"duckdb+sluicegate:///${{{VARIABLE}}}/{name}.duckdb", placed)
    definitions = [_define(context, source, name, table, own) for table, own in placed.items()]
    declared = {check.id: check.said for own in checks.values() for check in own}
    decide = Decide(name="verdict", declared=declared, rows=rows)
    made = Checkpoint(name=name, validation_definitions=definitions, actions=[decide], result_format=declare.FORMAT)
    context.checkpoints.add(made)
    source.get_engine().dispose()


def _define(context: Any, source: Any, name: str, table: str, checks: Sequence[Check]) -> Any:
    expectations = [one for check in checks for one in declare.expectations(check, table)]
    suite = context.suites.add(declare.suite(name, table, expectations))
    definition = library().ValidationDefinition(name=suite.name, data=declare.batch(source, table), suite=suite)
    return context.validation_definitions.add(definition)


def clear(folder: Path) -> bool:
    """Deletes a project that stands there; False, and nothing is deleted, if the folder holds anything else."""
    if not folder.exists() or not any(folder.iterdir()):
        return True
    if not (folder / PACKAGE).is_dir() or not (folder / "gx").is_dir():
        return False
    shutil.rmtree(folder)
    return True
