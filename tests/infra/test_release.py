"""`make release`: what the folder holds, that it is signed, that the same commit gives the same bytes, and that what a
recipient installs works far from the source, by the commands of the Containerfile."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.paths import ROOT

CONTAINERFILE = ROOT / "infra" / "Containerfile"
NOT_INSTALLED = (
    "infra/docs/",
    "infra/flink/",
    "infra/grafana/",
    "infra/release/",
    "infra/systemd/",
    "infra/Containerfile",
)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed"),
]


def built(place: Path, key: Path, umask: int) -> Path:
    """The release folder of this commit, from a clone of its own."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place / "clone")], check=True)
    environment = {**os.environ, "PYTHON": sys.executable, "RELEASE_KEY": str(key)}
    build = [str(place / "clone/infra/release/build"), str(place / "dist")]
    done = subprocess.run(build, env=environment, capture_output=True, text=True, umask=umask)
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "dist" / f"sluicegate-{VERSION}"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    return built(tmp_path_factory.mktemp("one"), key, 0o022)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, release: Path) -> Path:
    """The bin folder of an environment that the RUN lines of the Containerfile made from the release. The packages of
    this environment stand in for those of the index, and are found to be the ones that are locked."""
    place = tmp_path_factory.mktemp("image")
    there = {"/opt/sluicegate": f"{place}/env", "/tmp/": f"{place}/tmp/", "/srv/sluicegate": f"{place}/home"}
    text = CONTAINERFILE.read_text()
    (place / "tmp").mkdir()
    for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.M):
        for source in release.glob(words.split()[0]):
            shutil.copy(source, place / "tmp")
    commands = re.findall(r"^RUN (.+)$", text, re.M)
    assert len(commands) == 5
    for command in commands:
        command = re.sub("|".join(there), lambda found: there[found[0]], command)
        if command.startswith("install ") and os.geteuid():
            continue  # gives the folder to another user
        command = re.sub(r"^python ", f"{sys.executable} ", command)
        done = subprocess.run(command, shell=True, cwd=place, env=alone(), capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        packages = next((place / "env" / "lib").glob("python*/site-packages"))
        (packages / "shared.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return place / "env" / "bin"


def alone() -> dict[str, str]:
    """An environment that knows nothing of this checkout."""
    ours = ("PYTHONPATH", "SLUICEGATE_", "PREFECT_")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(ours)}, "PIP_NO_INDEX": "1"}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_commit_gives_the_same_bytes(release: Path, key: Path, tmp_path: Path) -> None:
    assert digests(built(tmp_path, key, 0o077)) == digests(release)  # Ed25519 signs alike, too


def test_the_digests_are_of_every_file_and_signed(release: Path, key: Path, tmp_path: Path) -> None:
    listed = dict(reversed(line.split("  ")) for line in (release / "SHA256SUMS").read_text().splitlines())
    assert listed == {name: one for name, one in digests(release).items() if not name.startswith("SHA256SUMS")}
    (tmp_path / "keys").write_text(f"release {key.with_suffix('.pub').read_text()}")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "keys"), "-I", "release", "-n", "sluicegate-release"]
    command += ["-s", str(release / "SHA256SUMS.sig")]
    data = (release / "SHA256SUMS").read_bytes()
    assert subprocess.run(command, input=data, capture_output=True).returncode == 0
    assert subprocess.run(command, input=data + b"x", capture_output=True).returncode != 0


def test_nothing_is_released_without_a_key(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable, "RELEASE_KEY": str(tmp_path / "none")}
    done = subprocess.run([ROOT / "infra/release/build", tmp_path], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "RELEASE_KEY" in done.stderr and list(tmp_path.iterdir()) == []


def test_the_bill_of_materials_is_what_is_locked_and_nothing_for_developers(release: Path) -> None:
    bill = json.loads((release / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "sluicegate")
    parts = {(one["name"], one["version"]) for one in bill["components"]}
    pinned = re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", (release / "requirements.txt").read_text(), re.M)
    assert parts == set(pinned) and len(parts) > 100
    assert {"prefect", "apache-beam", "asyncpg", "psycopg-binary"} <= dict(pinned).keys()
    assert not {"pytest", "ruff", "moto", "cyclonedx-bom"} & dict(pinned).keys()
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])


def test_the_wheel_holds_what_the_packages_read(release: Path) -> None:
    listed = ["git", "ls-files", "expectations", "pipelines", "flows", "infra"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    with zipfile.ZipFile(next(release.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    assert [f for f in tracked if f not in held and not f.startswith(NOT_INSTALLED)] == []


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("elsewhere")


@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "init --sandbox --register register",
        "simulate register --rows 3000 --seed 1 --out register",
        "doctor",
    ],
)
def test_what_is_installed_works_far_from_the_source(installed: Path, elsewhere: Path, line: str) -> None:
    environment = {**alone(), "SLUICEGATE_HOME": str(elsewhere / "home")}
    done = subprocess.run(
        [installed / "sluicegate", *line.split()], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert line != "--version" or done.stdout.strip() == f"sluicegate {VERSION}"


def test_it_is_the_wheel_that_was_used(installed: Path, tmp_path: Path) -> None:
    program = [installed / "python", "-c", "import flows; print(flows.__file__)"]
    done = subprocess.run(program, cwd=tmp_path, env=alone(), capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)
