"""The benches themselves: that each runs and prints what it promises, at a scale that shows nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("bench", "wanted"),
    [
        ("match", r"match, 3,000 on file, 300 requests: [\d.]+ s, [\d,]+ MB; the bare key joins [\d.]+ s"),
        ("splink", r"ours, same address .* false +0 "),
        ("linkage", r"linkage(, .*false +0,|: skipped)"),
        ("address", r"address, parts: +\d"),
        (
            "accounting",
            (
                r"accounting, person: .* \(1 disclosures\)(.|\n)*accounting, annual: .* taxpayers(.|\n)*accounting,"
                r" claim: "
            ),
        ),
        (
            "lookback",
            (
                r"lookback, 1 batches of 300 rows(.|\n)*lookback, lookback: [\d.]+ s .*\(0 of [1-9]\d*"
                r" disclosures(.|\n)*lookback, replay: .*\(0 of 300 rows"
            ),
        ),
        (
            "wrong-person",
            (
                r"now    all but beyond .* wrong +0 .*(.|\n)*clean, now: [\d,]+ rows truly releasable, [\d.]+ matched,"
                r" 0 to"
            ),
        ),
        ("rules", r"rules, \d+ on 300 rows: [\d.]+ s on 2 threads .*, [\d.]+ x the bare scan"),
    ],
)
def test_bench(bench: str, wanted: str) -> None:
    command = [sys.executable, "-m", "tests.bench", bench, "--register", "3000", "--requests", "300"]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert re.search(wanted, found), found


def test_the_console_is_measured_under_readers() -> None:
    command = [sys.executable, "-m", "tests.bench.console", "--held", "3", "--rows", "20", "--readers", "2"]
    done = subprocess.run(
        [*command, "--seconds", "25", "--pause", "0.1"], capture_output=True, text=True, timeout=300, check=True
    )
    for kind in ("an empty page", "what waits", "a held checkpoint", "what is signed"):
        assert re.search(rf"^{kind}: \d+, p50 [\d.]+ ms, p95 [\d.]+ ms; [\d.]+ x an empty page$", done.stdout, re.M)


def test_pages_are_measured_beside_an_empty_one() -> None:
    command = [sys.executable, "-m", "tests.bench.pages", "--held", "3", "--rows", "20", "--times", "2"]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for kind in ("what waits", "a held batch", "a released batch", "a held checkpoint", "a passed checkpoint"):
        line = rf"^{kind}: p50 [\d.]+ ms, p95 [\d.]+ ms, processor p50 [\d.]+ ms; [\d,]+ x an empty page$"
        assert re.search(line, found, re.MULTILINE), found


def test_whole_runs_go_on_where_they_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.national", str(tmp_path), "--persons", "3000", "--rows", "300"]
    first, again = (
        subprocess.run([*command, *more], check=True, stdout=subprocess.PIPE, text=True).stdout
        for more in (("--times", "0"), ("--times", "1", "--small", "30"))
    )
    assert re.search(r"batch-300-00, 3,000 persons: (.|\n)*published(.|\n)*another person's 0; without ground 0", first)
    assert first.splitlines()[-3:] == again.splitlines()[-6:-3]  # with its seconds: it was not run again
    assert "batch-30-01" in again
