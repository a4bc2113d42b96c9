"""The demo as a stranger runs it: refused, held, dropped by two, released; and what left is counted against the truth."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_readme import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_releases_rightly_and_shows_what_the_old_check_would_have_done(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli.main", "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "SLUICEGATE_"))}
        | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = done.stdout + done.stderr
    for part in ("refused at intake, COURT_ORDER", "is held at intake, TOO_MANY_INCOMPLETE", "is published"):
        assert part in told
    counted = {}
    for line in told.splitlines():
        if name := re.match(r"(old check: not blank|Sluicegate) +│", line):
            counted[name[1]] = [int(n.replace(",", "")) for n in re.findall(r"[\d,]+", line.split("│", 1)[1])]
    released, *wrongly, rightly = counted["Sluicegate"]
    assert released == rightly > 6_000 and wrongly == [0, 0, 0]
    released, *wrongly, rightly = counted["old check: not blank"]
    assert released == sum(wrongly) + rightly and wrongly[0] > 1_000
