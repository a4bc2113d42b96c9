"""The lock file against what there was when the time frame for updates began, by what uv says (`--exclude-newer`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from infra.release import updates
from tests.factories.paths import ROOT

TODAY = Clock().today("UTC")
LOCKED = {name: max(found) for name, found in updates.pins((ROOT / "requirements.lock").read_text()).items()}
Says = Callable[..., Path]


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """Puts a `uv` in front that says this, and notes what it was asked."""

    def says(text: str, code: int = 0) -> Path:
        (tmp_path / "said").write_text(text)
        program = tmp_path / "uv"
        lines = f'echo "$@" > {tmp_path}/asked', f"cat > {tmp_path}/given", f"cat {tmp_path}/said", f"exit {code}"
        program.write_text("\n".join(("#!/bin/sh", *lines, "")))
        program.chmod(0o700)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path

    return says


def run(folder: Path, accepted: str = "", *more: str) -> int:
    (folder / "accepted.toml").write_text(accepted)
    return updates.main(["--accepted", str(folder / "accepted.toml"), *more])


def test_what_is_as_new_as_it_could_be_passes(uv: Says, capsys: pytest.CaptureFixture[str]) -> None:
    folder = uv("\n".join(f"{name}=={version}" for name, version in LOCKED.items()))
    assert run(folder) == 0
    assert capsys.readouterr().out == f"{len(LOCKED)} packages compared with what there was 180 days ago: 0 late\n"
    asked, given = (folder / "asked").read_text(), (folder / "given").read_text().split()
    assert f"--exclude-newer {TODAY - timedelta(days=180)}" in asked and "--upgrade" in asked
    assert {"duckdb", "pwdlib[argon2]", "pip-audit"} <= set(given) and not re.search(r"[=<>]", " ".join(given))


def test_an_update_that_was_there_and_is_not_taken_fails(uv: Says, capsys: pytest.CaptureFixture[str]) -> None:
    folder = uv("jinja2==99.1\nrich==0.1\n# of one platform\ntyper==98.0 ; sys_platform == 'win32'")
    assert run(folder) == 1
    said = capsys.readouterr().out
    assert f"jinja2 {LOCKED['jinja2']}: 99.1 has been there for 180 days: LATE\n" in said
    assert "typer" in said and "rich" not in said and "2 late" in said
    uv(f"jinja2==99.1 ; python_version > '3.12'\njinja2=={LOCKED['jinja2']} ; python_version <= '3.12'")
    assert run(folder) == 0


def test_what_is_accepted_is_so_until_its_day(uv: Says, capsys: pytest.CaptureFixture[str]) -> None:
    folder = uv("jinja2==99.1")
    text = '[[accepted]]\nid = "update"\npackage = "jinja2"\nreason = "99 has no autoescape"\nuntil = {}\n'
    assert run(folder, text.format(TODAY)) == 0
    assert f"accepted until {TODAY}: 99 has no autoescape" in capsys.readouterr().out
    assert run(folder, text.format(TODAY - timedelta(days=1))) == 1
    assert run(folder, text.format(TODAY).replace("update", "PYSEC-2026-1")) == 1


@pytest.mark.parametrize(("said", "code"), [("", 0), ("jinja2==99.1", 1)], ids=["nothing", "an error"])
def test_what_cannot_be_compared_is_said_and_is_no_pass(
    uv: Says, capsys: pytest.CaptureFixture[str], said: str, code: int
) -> None:
    folder = uv(said, code)
    assert run(folder) == 2 and run(folder, "", "--unless-unreachable") == 0
    assert capsys.readouterr().err == "not compared with updates: uv is not there, or finds no registry\n" * 2


def test_without_uv_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(tmp_path) == 2
