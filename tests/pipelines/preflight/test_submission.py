"""Pre-flight of a submission: what the real ingest stage and its batch rules say of it, before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import codes
from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.instruments import Agreement
from pipelines import ingest, preflight
from tests.factories import submissions
from tests.factories.contexts import taken
from tests.factories.submissions import LETTER_DATE, DataFile, encode, row
from tests.test_readme import ROOT

CLOCK = Clock(datetime(LETTER_DATE.year, LETTER_DATE.month, LETTER_DATE.day, 16, tzinfo=UTC))
DUCK = DuckSettings(threads=1, memory="1GB")


def check(source: Path, agreement: Agreement | None = None, **how: Any) -> preflight.Report:
    out = source.parent / "v.parquet"
    return preflight.check_submission(source, out, agreement=agreement, clock=CLOCK, duck=DUCK, **how)


def verdicts(source: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(source.parent / "v.parquet").to_pylist()
    return found


def found(report: preflight.Report) -> list[str]:
    return [f.code for f in report.findings]


def mixed(folder: Path) -> Path:
    """Two files with rows of every kind."""
    first = [
        row(1),
        row(2, street="FAILED TO PROVIDE"),
        row(3, request_id="TWICE"),
        row(4, officer="x"),
        row(5, tin="1"),
    ]
    second = [row(6, request_id="TWICE", zip=""), row(7, first_name=None), row(8, city="a\tb"), row(9, request_id=" ")]
    data = encode(second) + b"R-9,too short\n"
    return submissions.write_files(
        folder, [DataFile("a.jsonl", encode(first, "jsonl", "gzip"), 5, "jsonl", "gzip"), DataFile("b.csv", data, 5)]
    )


@pytest.mark.slow
@pytest.mark.parametrize("part_rows", [2, 1000])
def test_every_row_has_the_codes_that_ingest_gives_it(tmp_path: Path, sandbox: Agreement, part_rows: int) -> None:
    source = mixed(tmp_path / "in")
    report = check(source, sandbox, part_rows=part_rows)
    context = taken(tmp_path / "real", source, sandbox)
    rows = pa.concat_tables(pq.read_table(p) for p in ingest.run(context).paths("rows")).to_pylist()
    decoded = ingest.lake.committed(context.step("ingest.decode"))
    rejects = pa.concat_tables(pq.read_table(p) for p in decoded.paths("rejects")).to_pylist()
    expected = {(r["file"], r["row"]): (r["request_id"], r["codes"]) for r in rows if r["origin"] == "request"}
    expected |= {(r["file"], r["row"]): (None, [r["code"]]) for r in rejects}
    ends = verdicts(source)
    assert [((r["file"], r["row"]), (r["id"], r["codes"])) for r in ends] == sorted(expected.items())
    assert [r["complete"] for r in ends] == [True, False, True, True, True, False, True, False, False, False]
    assert report.tally is not None and (report.tally.rows, report.tally.complete) == (10, 5)
    assert {c for r in ends for c in r["codes"]} == {
        "PLACEHOLDER",
        "DUPLICATE_REQUEST_ID",
        "OFFICER_NOT_IN_LETTER",
        "BAD_TIN",
        "NO_ZIP",
        "NO_NAME",
        "CONTROL_CHARACTER",
        "NO_REQUEST_ID",
        "RAGGED_ROW",
    }
    for r in ends:
        for what in ("message", "fix"):
            assert r[what] == (" ".join(getattr(codes.code(c), what) for c in r["codes"]) or None)


def test_nothing_is_left_but_the_verdicts_and_nothing_is_sent_from(tmp_path: Path) -> None:
    source = mixed(tmp_path / "in")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.iterdir()}
    assert found(check(source)) == []
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "v.parquet"]


def unsigned(folder: Path) -> None:
    (folder / "letter.toml.sig").unlink()


def resigned(key: Ed25519PrivateKey, namespace: str) -> Callable[[Path], None]:
    def sign(folder: Path) -> None:
        letter = (folder / "letter.toml").read_bytes()
        (folder / "letter.toml.sig").write_text(signatures.sign(letter, key, namespace))

    return sign


def changed(**letter: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        submissions.write(folder, submissions.rows(4), **letter)

    return write


OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
LETTERS = {
    # what is done to a good submission, what is found without the agreement, and with it
    "good": (lambda _: None, [], []),
    "not signed yet": (unsigned, ["SIGNATURE_MISSING"], ["SIGNATURE_MISSING"]),
    "another key": (resigned(OTHER, signatures.LETTER), [], ["LETTER_KEY_UNKNOWN"]),
    "another use": (resigned(submissions.KEY, signatures.DECISION), ["LETTER_UNSIGNED"], ["LETTER_UNSIGNED"]),
    "letter changed since": (
        lambda f: (f / "letter.toml").write_text((f / "letter.toml").read_text() + "\n"),
        ["LETTER_UNSIGNED"],
        ["LETTER_UNSIGNED"],
    ),
    "no signature at all": (
        lambda f: (f / "letter.toml.sig").write_text("hello"),
        ["LETTER_UNSIGNED"],
        ["LETTER_UNSIGNED"],
    ),
    "no officers": (changed(officers=[]), ["NO_OFFICERS"], ["NO_OFFICERS"]),
    "tomorrow": (changed(date=LETTER_DATE + timedelta(days=1)), ["LETTER_IN_FUTURE"], ["LETTER_IN_FUTURE"]),
    "statute": (
        changed(statute="civil"),
        ["STATUTE_NOT_DESIGNATED"],
        ["STATUTE_NOT_DESIGNATED"],
    ),
    "all else at once": (
        changed(
            attestations={"solely": False},
            date=LETTER_DATE - timedelta(days=31),
            signatory={"name": "x", "office": "Attorney General"},
            requester="somebody-else",
        ),
        ["NOT_SOLELY"],
        [
            "LETTER_TOO_OLD",
            "NOT_SOLELY",
            "OFFICE_MAY_NOT_SIGN",
            "REQUESTER_NOT_PARTY",
        ],
    ),
}


EACH_TIME = {"good", "another use", "all else at once"}


@pytest.mark.parametrize("name", [n if n in EACH_TIME else pytest.param(n, marks=pytest.mark.slow) for n in LETTERS])
def test_what_is_wrong_with_the_letter_is_found(tmp_path: Path, sandbox: Agreement, name: str) -> None:
    spoil, alone, under = LETTERS[name]
    source = submissions.write(tmp_path / "in", submissions.rows(4))
    spoil(source)
    assert sorted(found(check(source))) == sorted(alone)
    report = check(source, sandbox)
    assert sorted(found(report)) == sorted(under)
    assert all(f.message and f.where and f.fix and f.source for f in report.findings)
    assert len(verdicts(source)) == 4


@pytest.mark.slow
def test_what_the_agreement_tolerates(tmp_path: Path, sandbox: Agreement) -> None:
    def limited(**limits: Any) -> Agreement:
        return sandbox.model_copy(update={"thresholds": sandbox.thresholds.model_copy(update=limits)})

    rows = [*submissions.rows(8), row(9, zip=""), row(10, reason=row(1)["reason"])]
    source = submissions.write(tmp_path / "in", rows)
    assert found(check(source)) == []
    assert found(check(source, limited(identical_reason_share=1.0))) == []
    assert found(check(source, sandbox)) == ["BOILERPLATE_REASONS"]
    for name, limits in {
        "TOO_MANY_ROWS": {"rows_per_batch": 9},
        "OFFICER_OVERLOADED": {"matters_per_officer": 4},
        "TOO_MANY_INCOMPLETE": {"incomplete_share": 0.09},
    }.items():
        assert found(check(source, limited(identical_reason_share=1.0, **limits))) == [name]


def test_a_crowded_address_is_no_address(tmp_path: Path, sandbox: Agreement) -> None:
    limits = sandbox.thresholds.model_copy(
        update={"persons_per_address": 3, "incomplete_share": 1.0, "incomplete_share_per_file": 1.0}
    )
    under = sandbox.model_copy(update={"thresholds": limits})
    crowd = [
        row(n, street="100 Oak Street", first_name=name) for n, name in enumerate(("Ana", "Berta", "Carla", "Dora"), 1)
    ]
    source = submissions.write(tmp_path / "in", [*crowd, row(9)])
    check(source, under)
    context = taken(tmp_path / "real", source, under)
    rows = pa.concat_tables(pq.read_table(p) for p in ingest.run(context).paths("rows")).to_pylist()
    expected = [r["codes"] for r in sorted(rows, key=lambda r: r["ordinal"]) if r["origin"] == "request"]
    assert expected == [["CROWDED"]] * 4 + [[]]
    assert [r["codes"] for r in verdicts(source)] == expected
    assert [r["complete"] for r in verdicts(source)] == [False] * 4 + [True]
    check(source)  # how many are a crowd, the agreement says
    assert [r["codes"] for r in verdicts(source)] == [[]] * 5


def test_the_requesters_own_premises_are_no_address(tmp_path: Path, sandbox: Agreement) -> None:
    own = row(2, street="1000 Example Ave", unit="", city="Washington", state="DC", zip="20001")
    source = submissions.write(tmp_path / "in", [row(1), own])
    check(source, sandbox)
    assert [r["codes"] for r in verdicts(source)] == [[], ["REQUESTER_ADDRESS"]]


def test_all_files_that_cannot_be_read_are_named_at_once(tmp_path: Path, sandbox: Agreement) -> None:
    data = encode(submissions.rows(2))
    files = [DataFile("a.csv", data, 2), DataFile("b.csv", data, 3), DataFile("c.csv", b"hello\n", 1)]
    source = submissions.write_files(tmp_path / "in", files, statute="civil")
    report = check(source, sandbox)
    assert [(f.code, f.where) for f in report.findings] == [
        ("COUNT_DIFFERS", "b.csv"),
        ("UNKNOWN_COLUMN", "c.csv, column 1"),
        ("STATUTE_NOT_DESIGNATED", "letter.toml"),
    ]
    assert report.tally is None
    (source / "a.csv").write_bytes(data + b"x")
    (source / "b.csv").unlink()
    report = check(source)
    assert [(f.code, f.where) for f in report.findings] == [
        ("DIGEST_DIFFERS", "a.csv"),
        ("FILE_MISSING", "b.csv"),
        ("STATUTE_NOT_DESIGNATED", "letter.toml"),  # there are no rules for it, whatever the agreement says
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("letter.toml", None, "LETTER_MISSING"),
        ("letter.toml", b"x = \n", "LETTER_UNREADABLE"),
        ("letter.toml", b"requester = 'x'\n", "LETTER_INVALID"),
        ("letter.toml.sig", b"x" * (2 << 20), "TOO_LARGE"),
    ],
)
def test_without_a_letter_there_is_nothing_to_check(tmp_path: Path, name: str, data: bytes | None, code: str) -> None:
    source = submissions.write(tmp_path / "in", submissions.rows(1))
    (source / name).unlink()
    if data is not None:
        (source / name).write_bytes(data)
    with pytest.raises(BadInput) as caught:
        check(source)
    assert caught.value.code == code and caught.value.where and caught.value.remedy
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_who_signed_can_be_known_without_the_agreement() -> None:
    signature = signatures.sign(b"x", submissions.KEY, signatures.LETTER)
    assert signatures.made_by(b"x", signature, signatures.LETTER) == signatures.public_line(submissions.KEY)
    assert signatures.made_by(b"y", signature, signatures.LETTER) is None
    assert signatures.made_by(b"x", signature, signatures.DECISION) is None
    for broken in ("", "hello", signature[:80], signature.replace("A", "B", 9)):
        assert signatures.made_by(b"x", broken, signatures.LETTER) is None


def test_pre_flight_needs_neither_beam_nor_prefect_nor_gx() -> None:
    import subprocess
    import sys

    look = (
        "import sys, flows.cli.main, pipelines.preflight; print([m for m in ('apache_beam', 'prefect',"
        " 'great_expectations') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
