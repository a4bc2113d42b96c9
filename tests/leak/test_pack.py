"""Whatever a table holds, and whatever the facts of a letter, what `submission pack` prints holds no value of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.base import forms, signatures
from flows.cli import main
from tests.factories.submissions import encode
from tests.leak.test_canaries import CANARY, good, leaks, spoilt

FACTS = {
    "requester": "department-of-examples",
    "agreement": "sandbox-2026",
    "statute": "8 USC 1253(a)(1)",
    "purpose": "Criminal proceeding",
    "signatory": {"name": CANARY, "office": "Head of agency"},
    "attestations": {"solely": True},
    "officers": [{"id": "officer-1", "name": CANARY}],
}
HEAD = encode([good(1)]).split(b"\n")[0] + b"\n"
TABLES = {
    "good.csv": (encode([good(n) for n in range(1, 4)] + [spoilt(4)]), 0),
    "ragged.csv": (HEAD + f"{CANARY},x,{CANARY}\n".encode(), 5),
    "control.csv": (encode([good(1), {**good(2), "city": f"{CANARY}\x01"}]), 5),
    "encoding.csv": (encode([good(1)]).replace(CANARY.encode(), CANARY.encode() + b"\xff"), 5),
    "header.csv": (f"{CANARY},{CANARY}\n1,2\n".encode(), 5),
    "line.jsonl": (f'{{"request_id": "{CANARY}"'.encode(), 5),
    "not.parquet": (f"PAR1 {CANARY} PAR1".encode(), 5),
    "not.csv.gz": (CANARY.encode(), 5),
}
LETTERS = {
    "list.toml": f'requester = ["{CANARY}"]\n' + forms.document({k: v for k, v in FACTS.items() if k != "requester"}),
    "key.toml": f'"{CANARY}\\n" = 1\n' + forms.document(FACTS),
    "torn.toml": f'requester = "{CANARY}\n',
    "office.toml": forms.document({**FACTS, "signatory": {"name": CANARY, "office": CANARY}}),
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    signatures.generate(tmp_path / "key", "signatory")
    (tmp_path / "facts.toml").write_text(forms.document(FACTS))


def pack(table: str, letter: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main.run(["submission", "pack", table, "--letter", letter, "--key", "key", "--out", f"{table}-{letter}"])
    said = capfd.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_packed_or_not_is_quoted_nowhere(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, ends = TABLES[name]
    Path(name).write_bytes(data)
    code, said = pack(name, "facts.toml", capfd)
    assert code == ends and leaks(said.encode()) == [] and "fault" not in said, said


@pytest.mark.parametrize("name", LETTERS)
def test_the_facts_of_a_letter_are_quoted_nowhere(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("t.csv").write_bytes(encode([good(1)]))
    Path(name).write_text(LETTERS[name])
    code, said = pack("t.csv", name, capfd)
    assert code == 5 and leaks(said.encode()) == [] and "fault" not in said, said
