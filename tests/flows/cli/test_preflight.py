"""The command `preflight`: what it prints, its exit codes, and that it needs nothing of the holder's."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from expectations import codes
from expectations.base import signatures
from expectations.base.clock import Clock
from flows.cli import main
from tests.factories import submissions

ROWS = submissions.rows(12)
ROWS[1]["street"] = "FAILED TO PROVIDE"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No home, and nothing set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "no home"))


@pytest.fixture
def submission(tmp_path: Path) -> str:
    return str(submissions.write(tmp_path / "s", ROWS, date=Clock().today("America/New_York")))  # the agreement's zone


@pytest.fixture
def agreement(tmp_path: Path) -> str:
    text = (submissions.INSTRUMENTS / "sandbox-2026.toml.in").read_text()
    text = text.replace("{signing_key}", signatures.public_line(submissions.KEY))
    path = tmp_path / "agreement.toml"
    path.write_text(text.replace("{recipient}", str(submissions.RECIPIENT.to_public())))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main.run(["preflight", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_table_of_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text('id,address\n1,"1425 N Alder St, Houston, TX 77002"\n2,"Unknown"\n')
    code, out, _ = run(capsys, "a.csv", "--out", "v.csv")
    assert code == 0
    assert "50.00%" in out and "PLACEHOLDER" in out and codes.code("PLACEHOLDER").fix in out and "v.csv" in out
    assert (tmp_path / "v.csv").read_text().splitlines()[1] == '"1",true,"",1,,'
    code, out, err = run(capsys, "a.csv", "--out", "v.parquet", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "rows": 2, "complete": 1, "incomplete_share": 0.5, "agreement": None, "verdicts": "v.parquet",
        "codes": {"NO_CITY": 1, "NO_STATE": 1, "NO_ZIP": 1, "PLACEHOLDER": 1},
    }  # fmt: skip
    assert pq.read_table("v.parquet")["complete"].to_pylist() == [True, False]


def test_a_submission_without_problems(submission: str, agreement: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, submission, "--out", "v.csv", "--agreement", agreement)
    assert code == 0
    assert "No problems found in the letter or the batch." in out and "Not checked" not in out
    shown = json.loads(run(capsys, submission, "--out", "v.csv", "--agreement", agreement, "--json")[1])
    assert shown["findings"] == [] and shown["agreement"] == "sandbox-2026"
    assert (shown["rows"], shown["complete"], shown["codes"]) == (12, 11, {"PLACEHOLDER": 1})


def test_a_submission_that_is_not_signed_yet(
    submission: str, agreement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(submission) / "letter.toml.sig").unlink()
    for more in ([], ["--agreement", agreement]):
        code, out, _ = run(capsys, submission, "--out", "v.csv", *more)
        assert code == 5 and "SIGNATURE_MISSING (letter.toml.sig)" in out and Path("v.csv").exists()
        assert ("Not checked without --agreement" in out) == (not more)
    finding = json.loads(run(capsys, submission, "--out", "v.csv", "--json")[1])["findings"]
    signature = codes.code("SIGNATURE_MISSING")
    assert finding == [
        {"code": signature.name, "message": signature.message, "where": "letter.toml.sig", "fix": signature.fix, "source": signature.source}
    ]  # fmt: skip


def test_what_cannot_be_read_is_exit_code_5_and_leaves_no_verdicts(
    submission: str, agreement: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(submission) / "requests.csv").write_text("changed")
    code, out, _ = run(capsys, submission, "--out", "v.csv")
    assert code == 5 and "DIGEST_DIFFERS (requests.csv)" in out
    assert json.loads(run(capsys, submission, "--out", "v.csv", "--json")[1])["verdicts"] is None
    (Path(submission) / "letter.toml").write_text("x")
    (tmp_path / "a.csv").write_text("street\n1 Oak St\n")
    order = str(submissions.INSTRUMENTS / "stay-2025-11-21-ddc.toml")
    for arguments, error in {
        (submission, "--out", "v.csv"): "LETTER_UNREADABLE",
        ("a.csv", "--out", "v.csv"): "MISSING_COLUMN",
        ("a.csv", "--out", "v.xlsx"): "UNKNOWN_FORMAT",
        ("no such thing", "--out", "v.csv"): "FILE_MISSING",
        ("a.csv", "--out", "v.csv", "--agreement", "none.toml"): "FILE_UNREADABLE",
        ("a.csv", "--out", "v.csv", "--agreement", order): "INSTRUMENT_KIND",
        ("a.csv", "--out", "v.csv", "--agreement", "a.csv"): "INSTRUMENT_UNREADABLE",
    }.items():
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (5, "") and error in err, arguments
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "agreement.toml", "s"]
    assert run(capsys, "a.csv")[0] == 2  # where to?
