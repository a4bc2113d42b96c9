"""The exported GX project gives our verdicts, in an environment that has nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from expectations.base.errors import BadInput
from expectations.gx.project import PACKAGE
from expectations.suites import exported, selftest

NAMES = [module.NAME for module in selftest.SUITES]
# As a GX user would write it, beside the project's own run.py.
ASKED = """
import sys
import great_expectations, sluicegate_gates

context = great_expectations.get_context(mode="file", project_root_dir=".")
for name in sys.argv[1:]:
    checkpoint = context.checkpoints.get(name)
    result = checkpoint.run()
    print(name, checkpoint.actions[0].verdict(name)["status"], result.success)
assert not [name for name in sys.modules if name.split(".")[0] in ("expectations", "pipelines", "flows")]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, dict[str, str]]]]:
    folder = tmp_path_factory.mktemp("exported") / "gates"
    yield folder, exported.export(folder)


def _run(python: str, folder: Path, which: str, names: list[str]) -> Mapping[str, tuple[str, bool]]:
    environment = {"GATES_DATA": str(folder / "data" / which), "GX_ANALYTICS_ENABLED": "false", "PATH": ""}
    command = [python, "-c", ASKED, *names]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split() for line in done.stdout.splitlines() if line.split()[:1] and line.split()[0] in names]
    return {name: (status, success == "True") for name, status, success in lines}


@pytest.mark.slow
def test_our_own_verdicts_are_pass_and_hold(project: tuple[Path, dict[str, dict[str, str]]]) -> None:
    folder, verdicts = project
    assert verdicts == {"good": dict.fromkeys(NAMES, "PASS"), "bad": dict.fromkeys(NAMES, "HOLD")}
    assert json.loads((folder / "data" / "expected.json").read_text()) == verdicts
    for place in (folder, folder / PACKAGE):
        assert "license" in (place / "LICENSE").read_text().lower()


@pytest.mark.slow
def test_what_is_no_exported_project_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="GATES_TARGET"):
        exported.export(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_fresh_environment_gives_the_same_verdicts(
    project: tuple[Path, dict[str, dict[str, str]]], tmp_path: Path
) -> None:
    """With GX, DuckDB and its dialect alone, as requirements.txt has them."""
    folder, verdicts = project
    venv.create(tmp_path / "fresh", with_pip=True)
    python = str(tmp_path / "fresh" / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "-r", str(folder / "requirements.txt")]
    subprocess.run(install, check=True, timeout=900)
    # -I: what PYTHONPATH names is not of that environment
    alone = [python, "-I", "-c", "import expectations"]
    assert subprocess.run(alone, cwd=tmp_path, capture_output=True).returncode != 0
    for which, wanted in verdicts.items():
        found = _run(python, folder, which, NAMES)
        assert {name: status for name, (status, _) in found.items()} == wanted
        assert {success for _, success in found.values()} == {which == "good"}


@pytest.mark.slow
def test_a_checkpoint_that_lost_a_table_is_an_error(project: tuple[Path, dict[str, dict[str, str]]]) -> None:
    """Here, in an environment that has the libraries: the project does not import ours."""
    import duckdb  # a file that was changed by other hands

    folder, _ = project
    with duckdb.connect(str(folder / "data" / "good" / "matching.duckdb")) as connection:
        connection.execute("DELETE FROM claims")
    assert _run(sys.executable, folder, "good", ["matching"])["matching"][0] == "ERROR"
