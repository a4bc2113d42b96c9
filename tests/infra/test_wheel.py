"""What a recipient installs: the wheel holds every file that the packages read."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.test_readme import ROOT

NOT_INSTALLED = ("infra/docs/", "infra/flink/", "infra/prefect.yaml")


@pytest.mark.slow
def test_the_wheel_holds_what_the_packages_read(tmp_path: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "expectations", "pipelines", "flows", "infra"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tmp_path / "clone")], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*build, str(tmp_path / "clone")], check=True, timeout=200)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    assert [f for f in tracked if f not in held and not f.startswith(NOT_INSTALLED)] == []
