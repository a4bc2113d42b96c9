"""The benches themselves: that each runs and prints what it promises, at a scale that shows nothing."""

from __future__ import annotations

import re
import subprocess
import sys

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
        ("rules", r"rules, \d+ on 300 rows: [\d.]+ s on 2 threads .*, [\d.]+ x the bare scan"),
    ],
)
def test_bench(bench: str, wanted: str) -> None:
    command = [sys.executable, "-m", "tests.bench", bench, "--register", "3000", "--requests", "300"]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert re.search(wanted, found), found
