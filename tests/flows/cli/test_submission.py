"""The commands `submission pack` and `example`: what they print, their exit codes, and that they need no home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from expectations.base import signatures
from flows.cli import main
from flows.sandbox.home import REQUESTER_SIGNING, init
from pipelines.preflight import example
from tests.factories import submissions


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No home yet, and a key of the requester's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "home"))
    signatures.generate(tmp_path / "key", "signatory")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main.run(["submission", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


PACK = ("pack", "x/requests.csv", "--letter", "x/facts.toml", "--key", "key")


def test_without_a_home_the_example_is_packed_with_a_key_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "example", "x")
    assert code == 0 and "submission is signed" not in out
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == [
        "facts.toml",
        "requests.csv",
        "sample",
        "signatory.pub",
    ]
    code, out, _ = run(capsys, *PACK, "--out", "out/s")
    assert code == 0 and "Submission: out/s" in out and "Not checked without --agreement" in out
    assert sorted(p.name for p in Path("out/s").iterdir()) == ["letter.toml", "letter.toml.sig", "requests.csv"]
    assert main.run(["preflight", "out/s", "--out", "v.csv"]) == 0
    assert run(capsys, *PACK, "--out", "out/s")[0] == 2 and run(capsys, "example", "x")[0] == 2


def test_what_stops_a_pack_is_printed_with_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = submissions.rows(12)
    rows[4]["street"] = rows[7]["street"] = "FAILED TO PROVIDE"
    example.write(tmp_path / "x")
    (tmp_path / "x" / "requests.csv").write_bytes(submissions.encode(rows))
    agreement = tmp_path / "agreement.toml"
    text = (submissions.INSTRUMENTS / "sandbox-2026.toml.in").read_text()
    agreement.write_text(text.replace("{signing_key}", (tmp_path / "key.pub").read_text().strip()))
    more = ("--agreement", "agreement.toml", "--out", "s", "--verdicts", "v.csv")
    code, out, _ = run(capsys, *PACK, *more)
    assert code == 5 and "TOO_MANY_INCOMPLETE" in out and "There is no submission" in out and not Path("s").exists()
    assert "PLACEHOLDER" in out and len(Path("v.csv").read_text().splitlines()) == 13
    shown = json.loads(run(capsys, *PACK, *more, "--json")[1])
    assert shown["submission"] is None and "TOO_MANY_INCOMPLETE" in [f["code"] for f in shown["findings"]]
    (tmp_path / "x" / "facts.toml").write_text("statute = 1\n")
    code, out, err = run(capsys, *PACK, *more)
    assert (code, out) == (5, "") and "requester: Field required (facts.toml). Write, for example: requester" in err


def test_in_a_sandbox_the_example_is_signed_today_and_the_holder_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = init(tmp_path / "home", sandbox=True, settings={})
    code, out, _ = run(capsys, "example", "x")
    assert code == 0 and "x/submission is signed" in out
    agreement = str(home.instruments / "sandbox-2026.toml")
    assert main.run(["preflight", "x/submission", "--out", "v.csv", "--agreement", agreement]) == 0
    code, out, _ = run(capsys, *PACK[:-1], str(home.keys / REQUESTER_SIGNING), "--agreement", agreement, "--out", "own")
    assert code == 0 and "Not checked" not in out
