"""The four stages for real, on a few rows: what each part makes is what the next one reads."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.instruments import Agreement
from pipelines import ingest, lake, match, register, release, sealing, validate
from pipelines.context import BatchContext
from tests.factories import matched, submissions
from tests.factories.contexts import hash_key
from tests.factories.match_inputs import raw_register, record

BORN = date(1980, 5, 17)


def home(number: int, unit: str | None = "APT 4") -> dict[str, str | None]:
    return {"street": f"{number} OAK ST", "unit": unit, "city": "SACRAMENTO", "state": "CA", "zip": "95814"}


# the request of row n gives "100+n Oak Street Apt 4"; each person is the only one of its name
RECORDS = [
    record(1, "Maria", "Lopez Garcia", middle_name="L", birth_date=BORN, homes=[home(101), home(900)]),
    record(2, "Bruno", "Eastabrook", tin="512345131", birth_date=BORN, home=home(999)),
    record(3, "Carl", "Fennimore", tin="512345141", birth_date=BORN, home=home(103, None)),
]
ROWS = [
    submissions.row(1),
    submissions.row(2, first_name="Bruno", middle_name="", last_name="Eastabrook", tin="512-34-5131"),
    submissions.row(3, first_name="Carl", middle_name="", last_name="Fennimore", tin="512-34-5141"),
    submissions.row(4, first_name="Nobody", middle_name="", last_name="Known"),
    submissions.row(5, street="Failed to provide", unit=""),
]
ENDS = [
    ("released", []),
    ("held", ["NOT_CORROBORATED"]),  # number and name agree, and that stands in for nothing
    ("held", ["NOT_CORROBORATED"]),
    ("unmatched", ["NO_CANDIDATE"]),
    ("held", ["PLACEHOLDER"]),
]


def context(root: Path, agreement: Agreement) -> BatchContext:
    taken = ingest.take_in(submissions.write(root / "inbox", ROWS, agreement=agreement), root / "batch" / "submission")
    register.build(raw_register(root / "raw", RECORDS), root / "register")
    (root / "batch" / "earlier.json").write_text('{"rows": 0, "incomplete": 0}')
    made = BatchContext(
        taken.batch,
        root / "batch",
        taken.digest,
        taken.letter,
        agreement,
        (),
        date(2026, 6, 2),
        date(2026, 6, 2),
        root / "register",
        hash_key(root),
        determinations=(submissions.determined(),),
    )
    pq.write_table(pa.table({"request_key": pa.array([], pa.string())}), made.disclosed)
    matched.write_tries(made, [])
    return made


def test_rows_and_control_rows_end_as_they_must(tmp_path: Path, sandbox: Agreement) -> None:
    ctx = context(tmp_path, sandbox)
    ingest.run(ctx)
    match.run(ctx)
    verdicts = validate.run(ctx)
    outcomes = release.outcomes(ctx)
    ends = [(r["outcome"], r["codes"]) for r in matched.rows_of(outcomes, "outcomes")]
    assert [(o, c) for o, c in ends[:4]] == ENDS[:4]
    assert ends[4][0] == "held" and "PLACEHOLDER" in ends[4][1]

    judged = {r["ordinal"]: r for r in matched.rows_of(verdicts, "verdicts")}
    expected = matched.rows_of(lake.committed(ctx.step("ingest.decoys")), "expected")
    for control in expected:
        found = judged.get(control["ordinal"])
        if control["expected"] == "eligible":
            assert found and found["outcome"] is None, control
        elif found:
            assert found["outcome"] == "held" and control["code"] in found["codes"], control
    assert {"NOT_CORROBORATED", "UNIT_NEEDED"} <= {d["code"] for d in expected}

    key, check = Ed25519PrivateKey.generate(), sealing.new_identity()
    package = release.seal(
        ctx,
        outcomes,
        holder_key=key,
        check_recipient=check.recipient,
        instruments={sandbox.id: "d" * 64},
        register_version=register.version(ctx.register),
    )
    release.open_package(package.folder, check, tmp_path / "opened", [signatures.public_line(key)])
    released = pq.read_table(tmp_path / "opened" / "addresses.parquet").to_pylist()
    assert [(r["request_id"], r["street"]) for r in released] == [("R-000001", "900 OAK ST")]

    holder = sealing.new_identity()
    sealing.open_file(
        release.seal_evidence(ctx, holder.recipient, tmp_path / "e.age").path, tmp_path / "evidence", holder
    )
    kept = {r["ordinal"]: r for r in pq.read_table(tmp_path / "evidence").to_pylist()}
    assert len(kept) == len(ROWS) + len(expected)
    assert kept[1]["person"]["s_last"] == "EASTABROOK" and kept[1]["candidate"]["tier"] == "A"
