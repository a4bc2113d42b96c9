"""Every command of an `sh` block is run, in order, in one folder: the README's, then those of the pages in PAGES."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from pipelines.simulate.profiles import table
from tests.factories.paths import ROOT

README = (ROOT / "README.md").read_text()
# Pages of infra/docs: they go on in the home and with the files that the README's commands made.
PAGES = ("by-hand", "preflight", "register", "backup")
TEXT = "\n".join([README, *((ROOT / f"infra/docs/{page}.md").read_text() for page in PAGES)])
OURS = {k for k in os.environ if k.startswith("SLUICEGATE_")} - {"SLUICEGATE_THREADS"}
# In a process each, as a person runs them: one that only prints, one that works, one that stays. The others run in this
# one, since a process imports for seconds.
OF_THEIR_OWN = {"init", "run", "watch"}
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S) for line in block.splitlines() if line.strip()]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_commands_work_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(COMMANDS) > 10
    for name, text in re.findall(r"```(?:csv|toml) (\S+)\n(.*?)```", TEXT, re.S):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in OURS:
        monkeypatch.delenv(name)
    for line in COMMANDS:
        name, *arguments = shlex.split(line, comments=True)
        assert name == "sluicegate"
        if arguments[0] in OF_THEIR_OWN:
            inherited = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
            done = subprocess.run(
                [sys.executable, "-m", "flows.cli.main", *arguments],
                capture_output=True,
                text=True,
                timeout=200,
                env={**inherited, "PYTHONPATH": str(ROOT)},
            )
            assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        else:
            code = main.run(arguments)
            said = capsys.readouterr()
            assert code == 0, f"{line}\n{said.out[-3000:]}\n{said.err[-3000:]}"


def test_the_table_of_profiles_is_the_simulators_own() -> None:
    assert table() in (ROOT / "infra/docs/simulation.md").read_text()


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150
