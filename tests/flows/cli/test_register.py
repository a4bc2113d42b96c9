"""`sluicegate register` and `doctor` on an extract in CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli import main
from tests.factories.installations import Installation

CSV = "record_id,last_name,street,zip\n1,Ulloa,12 OAK ST,77002\n2,Reyes,14 OAK ST,77002\n"
MAPPING = """
[persons]
files = "extract.csv"
[addresses]
files = "extract.csv"
defaults = { valid_from = 2023-12-31 }
"""


@pytest.fixture
def extract(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home's register as one CSV with its mapping."""
    (tmp_path / "extract.csv").write_text(CSV)
    (tmp_path / "mapping.toml").write_text(MAPPING)
    monkeypatch.setenv("SLUICEGATE_REGISTER_FOLDER", str(tmp_path))
    return tmp_path


def test_build_and_show_know_the_same_version_until_the_mapping_changes(
    extract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["register", "build"]) == 0
    built = capsys.readouterr().out
    assert built.startswith("2 persons, version ")
    assert main.run(["register", "show"]) == 0
    assert capsys.readouterr().out.endswith(built)
    (extract / "mapping.toml").write_text(MAPPING.replace("2023", "2022"))
    assert main.run(["register", "show"]) == 0
    assert not capsys.readouterr().out.endswith(built)


def test_doctor_sees_the_extract_and_a_mapping_that_cannot_be_read(
    extract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main.run(["doctor"])
    assert "register: raw" in capsys.readouterr().out
    (extract / "mapping.toml").write_text("[person]")
    assert main.run(["doctor"]) != 0
    assert "mapping.toml: person" in capsys.readouterr().out


def test_the_help_of_build_says_where_a_mapping_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    main.run(["register", "build", "--help"])
    assert "mapping.toml" in capsys.readouterr().out
