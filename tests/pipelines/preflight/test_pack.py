"""A table and the facts of a letter to a signed submission: as the holder takes it in, or not there at all."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import forms, signatures
from expectations.base.clock import Clock
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput, Usage
from expectations.instruments import Agreement
from pipelines import preflight
from pipelines.ingest import take_in
from pipelines.ingest.submission import verify_signature
from pipelines.preflight import Packer, example
from tests.factories import submissions
from tests.factories.submissions import KEY, encode, row

CLOCK = Clock(datetime(2026, 6, 1, 16, tzinfo=UTC))
DUCK = DuckSettings(threads=1, memory="1GB")
FACTS: dict[str, Any] = {
    "requester": "department-of-examples",
    "agreement": "sandbox-2026",
    "statute": "8 USC 1253(a)(1)",
    "purpose": "Criminal proceeding",
    "signatory": {"name": "A. Signatory (fictional)", "office": "Head of agency"},
    "attestations": {"solely": True},
    "officers": [{"id": name, "name": f"Officer {name}"} for name in submissions.OFFICERS],
}


def packed(
    folder: Path,
    data: bytes,
    name: str = "t.csv",
    facts: str | None = None,
    key: Ed25519PrivateKey = KEY,
    under: Agreement | None = None,
    clock: Clock = CLOCK,
) -> preflight.Report:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    (folder / "facts.toml").write_text(forms.document(FACTS) if facts is None else facts)
    return preflight.pack(folder / name, folder / "facts.toml", folder / "out", Packer(key, clock, DUCK, under))


@pytest.mark.parametrize(
    ("name", "kind", "compression"),
    [("t.csv.gz", "csv", "gzip"), ("t.jsonl", "jsonl", "none"), ("t.parquet", "parquet", "none")],
)
def test_what_was_packed_is_taken_in_as_it_is(
    tmp_path: Path, sandbox: Agreement, name: str, kind: str, compression: str
) -> None:
    data = encode(submissions.rows(12), kind, compression)
    report = packed(tmp_path / "p", data, name, under=sandbox)
    assert report.findings == () and report.tally is not None and report.tally.rows == 12
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == ["facts.toml", "out", name]
    taken = take_in(tmp_path / "p" / "out", tmp_path / "copy")
    assert verify_signature(taken, sandbox) and taken.letter.date == submissions.LETTER_DATE
    (file,) = taken.letter.files
    assert (file.rows, file.path, (taken.folder / file.path).read_bytes()) == (
        12,
        name.replace("t", "requests", 1),
        data,
    )


def test_the_letter_says_what_the_facts_say(tmp_path: Path) -> None:
    awkward = {
        **FACTS,
        "officers": [{"id": "officer-1", "name": 'B. "Bé" \\ O\'Hara # 1'}, {"id": "officer-2", "name": "C"}],
    }
    packed(tmp_path / "p", encode(submissions.rows(12)), facts=forms.document(awkward))
    letter = tomllib.loads((tmp_path / "p" / "out" / "letter.toml").read_text())
    assert {k: v for k, v in letter.items() if k not in ("date", "files")} == awkward


def test_without_an_agreement_a_letter_is_never_dated_after_its_receipt(tmp_path: Path) -> None:
    night = Clock(datetime(2026, 6, 1, 3, tzinfo=UTC))  # 31 May in every zone of the United States
    packed(tmp_path / "p", encode(submissions.rows(12)), clock=night)
    assert "date = 2026-05-31" in (tmp_path / "p" / "out" / "letter.toml").read_text()


def lacking(name: str) -> str:
    return forms.document({k: v for k, v in FACTS.items() if k != name})


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no officers": ({"facts": lacking("officers")}, "LETTER_INVALID", "officers: Field required (facts.toml)"),
    "no office": (
        {"facts": lacking("signatory") + '[signatory]\nname = "Canary"\n'},
        "LETTER_INVALID",
        "signatory.office: Field required (facts.toml)",
    ),
    "files": ({"facts": 'files = []\n' + forms.document(FACTS)}, "LETTER_INVALID", "facts of the letter list files"),
    "a key that is none": (
        {"facts": '"a\\nb" = 1\n' + forms.document(FACTS)}, "LETTER_INVALID", "a key: Extra inputs are not permitted"
    ),
    "no toml": ({"facts": "requester = [canary"}, "LETTER_UNREADABLE", "facts.toml"),
    "no name of a format": ({"name": "t.xlsx"}, "UNKNOWN_FORMAT", "t.xlsx"),
    "no rows": ({"data": encode([row(1)]).split(b"\n")[0] + b"\n"}, "NO_ROWS", "t.csv"),
    "no column": ({"data": b"request_id,last_name\n1,Canary\n"}, "MISSING_COLUMN", "t.csv"),
    "a row cut short": (
        {"data": encode(submissions.rows(3)) + b"Canary,x\nCanary,y\n"},
        "RAGGED_ROW",
        "1 more rows cannot be read (t.csv, row 4)",
    ),
    "a control character": (
        {"data": encode([row(1), row(2, city="Canary\x01")])}, "CONTROL_CHARACTER", "(t.csv, row 2, field city)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_by_its_place_and_nothing_is_made(tmp_path: Path, case: str) -> None:
    changes, code, said = WRONG[case]
    with pytest.raises(BadInput) as raised:
        packed(tmp_path / "p", **{"data": encode(submissions.rows(3)), **changes})
    assert raised.value.code == code and said in str(raised.value) and "anary" not in str(raised.value)
    assert not (tmp_path / "p" / "out").exists() and len(list((tmp_path / "p").iterdir())) == 2


def stopped(folder: Path, **how: Any) -> list[str]:
    report = packed(folder, encode(submissions.rows(12)), **how)
    assert not (folder / "out").exists()
    return [finding.code for finding in report.findings]


FOUND: dict[str, tuple[Callable[[Agreement], dict[str, Any]], str]] = {
    "another's key": (lambda a: {"key": Ed25519PrivateKey.generate(), "under": a}, "LETTER_KEY_UNKNOWN"),
    "not solely": (lambda a: {"facts": lacking("attestations") + "[attestations]\n"}, "NOT_SOLELY"),
    "an old date": (lambda a: {"facts": "date = 2026-01-01\n" + forms.document(FACTS), "under": a}, "LETTER_TOO_OLD"),
}


@pytest.mark.parametrize("case", FOUND)
def test_with_a_finding_there_is_no_submission(tmp_path: Path, sandbox: Agreement, case: str) -> None:
    how, code = FOUND[case]
    assert code in stopped(tmp_path / "p", **how(sandbox))


def test_nothing_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "p" / "out").mkdir(parents=True)
    with pytest.raises(Usage, match="FOLDER_EXISTS"):
        packed(tmp_path / "p", encode(submissions.rows(3)))
    with pytest.raises(Usage, match="FOLDER_EXISTS"):
        example.write(tmp_path / "p")


def test_the_shipped_example_is_what_its_signature_proves(tmp_path: Path) -> None:
    example.write(tmp_path / "x")
    (key,) = signatures.public_lines(tmp_path / "x" / example.SIGNATORY)
    sample = tmp_path / "x" / example.SAMPLE
    text = (submissions.INSTRUMENTS / "sandbox-2026.toml.in").read_text().replace("{signing_key}", key)
    from expectations.instruments import parse_instrument

    under = parse_instrument(text.encode(), "sandbox-2026.toml.in")
    assert isinstance(under, Agreement)
    assert verify_signature(take_in(sample, tmp_path / "copy"), under)
    out = tmp_path / "verdicts.csv"
    report = preflight.check_submission(sample, out, agreement=under, clock=CLOCK, duck=DUCK)
    assert report.findings == () and report.tally is not None and report.tally.rows == report.tally.complete == 40
    letter = tomllib.loads((sample / "letter.toml").read_text())
    facts = tomllib.loads((tmp_path / "x" / example.FACTS).read_text())
    assert {k: v for k, v in letter.items() if k not in ("date", "files")} == facts
    (sample / example.TABLE).write_bytes(b"changed")
    with pytest.raises(BadInput, match="DIGEST_DIFFERS"):
        take_in(sample, tmp_path / "again")
