"""Lists of formats, compressions and runners are total: each member has its behaviour, and what is no member is
refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.base.errors import Usage
from expectations.instruments import Compression, FileFormat
from pipelines.lake import runner
from pipelines.read.formats import PACKED_SUFFIXES, READERS, SUFFIXES, of_name


def test_each_format_has_a_reader_of_its_own() -> None:
    assert len({READERS[form] for form in FileFormat}) == len(FileFormat)


@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("compression", Compression)
def test_each_format_and_compression_is_known_by_its_name(form: FileFormat, compression: Compression) -> None:
    assert of_name(Path(f"a.b{SUFFIXES[form]}{PACKED_SUFFIXES[compression]}")) == (form, compression)


@pytest.mark.parametrize("name", ["a", "a.gz", "csv", ".csv", "a.xlsx", "a.csv.zip", "a.CSV"])
def test_any_other_name_is_of_no_format(name: str) -> None:
    assert of_name(Path(name))[0] is None


@pytest.mark.parametrize("name", runner.Runner)
def test_each_runner_has_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_FLINK_JOB_ENDPOINT", "localhost:8099")
    assert runner.options(name).get_all_options(drop_default=True)["runner"]


def test_an_unknown_runner_and_flink_without_an_address_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICEGATE_FLINK_JOB_ENDPOINT", raising=False)
    with pytest.raises(Usage, match=r"UNKNOWN_RUNNER: no such runner.* Choose one of: embedded, flink\."):
        runner.options("prism")
    with pytest.raises(Usage, match="NO_JOB_SERVER"):
        runner.options("flink")
