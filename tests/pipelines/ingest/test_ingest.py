"""The stage as a whole: every submitted row has one place, its codes and its end, however the batch is cut."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.base import digests, duck
from expectations.base.algorithms import Scheme
from expectations.base.errors import BadInput, Fault
from expectations.base.keyed import Generation
from expectations.contracts.request import RAW_NAMES
from expectations.contracts.stages import CANONICAL
from expectations.instruments import Agreement
from flows.batch import checkpoints
from pipelines import ingest, lake
from pipelines.context import BatchContext
from tests.factories import submissions
from tests.factories.contexts import HASH_KEY, taken
from tests.factories.submissions import DataFile, encode, row


def read(manifest: lake.Manifest) -> list[dict]:
    """The requests (not the control rows) by ordinal."""
    table = pa.concat_tables([pq.read_table(p) for p in manifest.paths("rows")])
    assert table.schema.equals(CANONICAL)
    return sorted((r for r in table.to_pylist() if r["origin"] == "request"), key=lambda r: r["ordinal"])


def key(agreement: Agreement, request_id: str) -> str:
    return Generation(Scheme.SHA256, HASH_KEY).keyed_hash(
        f"request|{agreement.requester.id}|{agreement.id}|{request_id}"
    )


def mixed(folder: Path) -> Path:
    """Two files: good rows, a duplicate id, one answered before, deficient rows, hostile text, a ragged row."""
    first = [
        row(1),
        row(2, street="", address=""),
        row(3, request_id="TWICE"),
        row(4, officer="x"),
        row(5, first_name="=cmd|' /C calc'!A0", reason="'); DROP TABLE judged; --"),
    ]
    second = [
        row(6, request_id="TWICE", zip=""),
        row(7, request_id="BEFORE"),
        row(8, tin="000-00-0000", birth_date="x"),
    ]
    data = encode(second) + b"R-9,too short\n"
    return submissions.write_files(
        folder, [DataFile("a.jsonl", encode(first, "jsonl"), 5, "jsonl"), DataFile("b.csv", data, 4)]
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, sandbox: Agreement) -> tuple[BatchContext, lake.Manifest]:
    """The mixed batch, ingested once for all tests that only look."""
    folder = tmp_path_factory.mktemp("whole")
    context = taken(folder, mixed(folder / "in"), sandbox, disclosed=[key(sandbox, "BEFORE")])
    return context, ingest.run(context)


def test_each_row_has_its_codes_and_its_end(whole: tuple[BatchContext, lake.Manifest], sandbox: Agreement) -> None:
    context, manifest = whole
    found = read(manifest)
    assert [(r["ordinal"], r["file"], r["row"], r["outcome"], r["codes"]) for r in found] == [
        (0, 1, 1, None, []),
        (1, 1, 2, "held", ["NO_ADDRESS"]),
        (2, 1, 3, "duplicate", ["DUPLICATE_REQUEST_ID"]),
        (3, 1, 4, "held", ["OFFICER_NOT_IN_LETTER"]),
        (4, 1, 5, None, []),
        (5, 2, 1, "duplicate", ["DUPLICATE_REQUEST_ID", "NO_ZIP"]),
        (6, 2, 2, "already_disclosed", ["ALREADY_DISCLOSED"]),
        (7, 2, 3, "held", ["BAD_BIRTH_DATE", "BAD_TIN"]),
    ]
    assert {n: manifest.count(n) for n in ("open", "held", "duplicate", "already_disclosed")} == {
        "open": 2,
        "held": 3,
        "duplicate": 2,
        "already_disclosed": 1,
    }
    assert found[4]["reason"] == "'); DROP TABLE judged; --" and found[4]["first_name"] == "=cmd|' /C calc'!A0"
    assert found[0]["request_key"] == key(sandbox, "R-000001")
    decoded = lake.read_manifest(context.step("ingest.decode"))
    assert decoded is not None
    rejects = pa.concat_tables([pq.read_table(p) for p in decoded.paths("rejects")]).to_pylist()
    assert [(r["ordinal"], r["file"], r["row"], r["code"]) for r in rejects] == [(8, 2, 4, "RAGGED_ROW")]


def test_the_control_rows_are_judged_with_the_rest_and_come_out_as_expected(
    whole: tuple[BatchContext, lake.Manifest],
) -> None:
    context, manifest = whole
    table = pa.concat_tables([pq.read_table(p) for p in manifest.paths("rows")])
    found = {r["ordinal"]: r for r in table.to_pylist() if r["origin"] == "decoy"}
    made = lake.read_manifest(context.step("ingest.decoys"))
    assert made is not None
    expected = pq.read_table(made.paths("expected")[0]).to_pylist()
    assert {e["ordinal"] for e in expected} == set(found)
    for end in expected:
        if end["expected"] != "held":
            assert (found[end["ordinal"]]["outcome"], found[end["ordinal"]]["codes"]) == (None, [])
    held = [e for e in expected if found[e["ordinal"]]["outcome"] == "held"]
    assert held and all(e["expected"] == "held" and e["code"] in found[e["ordinal"]]["codes"] for e in held)


def test_the_size_of_parts_changes_nothing(
    whole: tuple[BatchContext, lake.Manifest], tmp_path: Path, sandbox: Agreement
) -> None:
    source = whole[0].root / "in"
    cut = taken(tmp_path, source, sandbox, disclosed=[key(sandbox, "BEFORE")], part_rows=3)
    results = []
    for manifest in (whole[1], ingest.run(cut)):
        with duck.session() as connection:
            relation = duck.parquet(manifest.paths("rows"))
            results.append(digests.content_digest(connection, relation, CANONICAL.names, "ordinal"))
    assert results[0] == results[1]


def test_a_batch_that_is_planned_as_a_large_one_ends_the_same(
    whole: tuple[BatchContext, lake.Manifest], tmp_path: Path, sandbox: Agreement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duck, "FEW", 0)
    context = taken(tmp_path, whole[0].root / "in", sandbox, disclosed=[key(sandbox, "BEFORE")])
    assert read(ingest.run(context)) == read(whole[1])


def test_sessions_are_planned_for_as_many_rows_as_were_read(
    whole: tuple[BatchContext, lake.Manifest], tmp_path: Path, sandbox: Agreement, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, read_already = whole[0].root / "in", whole[0]
    assert (read_already.planned.few, read_already.planned.threads) == (True, 1)
    decoded = lake.committed(read_already.step("ingest.decode"))
    rows = decoded.rows("raw") + decoded.rows("rejects")
    assert decoded.rows("raw") and decoded.rows("rejects")
    for limit, few in ((rows, True), (rows - 1, False)):
        monkeypatch.setattr(duck, "FEW", limit)
        assert read_already.planned.few is few
    unread = taken(tmp_path, source, sandbox)
    assert unread.planned == unread.duck


@pytest.mark.slow
def test_a_crowd_is_held_wherever_its_rows_stand(tmp_path: Path, sandbox: Agreement) -> None:
    limit = 4
    limits = sandbox.thresholds.model_copy(update={"persons_per_address": limit})
    agreement = sandbox.model_copy(update={"thresholds": limits})
    homes = {"1 Elm St": limit, "2 Elm St": limit + 1, "3 Elm St": 1}  # at the limit, one more, nobody else
    rows = [(street, n) for street, persons in homes.items() for n in range(persons)]
    rows.insert(0, rows.pop())  # the part of this one has no crowd in it
    sent = [row(i, street=street, first_name="ABCDE"[n] * 4) for i, (street, n) in enumerate(rows)]
    sent[-1] |= {"street": "Two Elm Street", "officer": "nobody"}
    context = taken(tmp_path, submissions.write(tmp_path / "in", sent), agreement, part_rows=4)
    manifest = ingest.run(context)
    held = {(r["street"], r["outcome"], *r["codes"]) for r in read(manifest)}
    assert held == {
        ("1 Elm St", None),
        ("2 Elm St", "held", "CROWDED"),
        ("3 Elm St", None),
        ("Two Elm Street", "held", "CROWDED", "OFFICER_NOT_IN_LETTER"),
    }
    assert {n: manifest.count(n) for n in ("open", "held")} == {"open": limit + 1, "held": limit + 1}
    assert all(("CROWDED" in r["a_codes"]) == ("CROWDED" in r["codes"]) for r in read(manifest))
    # where nobody is crowded a part is not written again, and a list that allows more is another step
    judged = lake.committed(context.step("ingest.judged")).paths("rows")
    same = [Path(a).stat().st_ino == Path(b).stat().st_ino for a, b in zip(judged, manifest.paths("rows"), strict=True)]
    assert same[0] and not all(same)
    wider = replace(context, agreement=sandbox)
    assert ingest.run(wider).count("held") == 1 and ingest.run(context).digest == manifest.digest


def test_a_second_run_finds_the_work_done_and_other_disclosures_do_it_again(tmp_path: Path, sandbox: Agreement) -> None:
    context = taken(tmp_path, submissions.write(tmp_path / "in", submissions.rows(2)), sandbox)
    first = ingest.run(context)
    written = Path(first.paths("rows")[0]).stat().st_mtime_ns
    assert ingest.run(context) == first and Path(first.paths("rows")[0]).stat().st_mtime_ns == written
    pq.write_table(pa.table({"request_key": [key(sandbox, "R-000001")]}), context.disclosed)
    assert [r["outcome"] for r in read(ingest.run(context))] == ["already_disclosed", None]


@pytest.mark.slow
def test_the_list_beside_the_batch_decides(tmp_path: Path, sandbox: Agreement) -> None:
    context = taken(tmp_path, submissions.write(tmp_path / "in", submissions.rows(2)), sandbox)
    (context.root / "facilities.csv").write_text('address\n"101 Oak St, Sacramento, CA 95814"\n')
    assert [r["codes"] for r in read(ingest.run(context))] == [["FACILITY"], []]
    verdict = checkpoints.intake.check(
        checkpoints._intake(context, checkpoints.letter_facts(context), None), context.duck
    )
    shares = {"incomplete_share", "incomplete_share_per_file", "incomplete_share_30_days"}
    assert {r.check for r in verdict.failed} == {f"authority.{share}" for share in shares}
    context.facilities.unlink()  # another list, another step: a committed one of other inputs is not taken for it
    assert [r["codes"] for r in read(ingest.run(context))] == [[], []]


@pytest.mark.slow
def test_the_agreement_may_let_the_state_be_left_out(tmp_path: Path, sandbox: Agreement) -> None:
    sent = [row(1, state=""), row(2, state="XX"), row(3, city="")]
    context = taken(tmp_path, submissions.write(tmp_path / "in", sent), sandbox)
    found = [(r["a_state"], r["codes"]) for r in read(ingest.run(context))]
    assert found == [(None, ["STATE_LEFT_OUT"]), (None, ["NO_STATE"]), ("CA", ["NO_CITY"])]
    allowed = replace(context, agreement=sandbox.model_copy(update={"may_be_left_out": ("state", "city")}))
    found = [(r["a_state"], r["codes"]) for r in read(ingest.run(allowed))]
    assert found == [("CA", []), (None, ["NO_STATE"]), ("CA", [])]
    verdict = checkpoints.intake.check(
        checkpoints._intake(allowed, checkpoints.letter_facts(allowed), None), context.duck
    )
    assert "VERDICT_DIFFERS" not in verdict.codes


def test_a_bad_file_stops_the_stage_with_its_own_error(tmp_path: Path, sandbox: Agreement, caplog) -> None:
    data = encode(submissions.rows(2))
    source = submissions.write_files(tmp_path / "in", [DataFile("a.csv", data, 3)])
    context = taken(tmp_path, source, sandbox)
    with pytest.raises(BadInput) as caught:
        ingest.run(context)
    assert (caught.value.code, caught.value.where) == ("COUNT_DIFFERS", "a.csv")
    assert lake.read_manifest(context.step("ingest.decode")) is None and not context.step("ingest.rows").exists()
    assert "Lopez" not in caplog.text


def test_without_the_list_of_earlier_disclosures_nothing_is_judged(tmp_path: Path, sandbox: Agreement) -> None:
    context = taken(tmp_path, submissions.write(tmp_path / "in", submissions.rows(1)), sandbox)
    context.disclosed.unlink()
    with pytest.raises(Fault, match="NO_EARLIER_DISCLOSURES"):
        ingest.run(context)


def test_values_stay_as_they_were_sent(tmp_path: Path, sandbox: Agreement) -> None:
    sent = [row(1, last_name="  O’Brien-Núñez ", city="ﬁne\u200bcity"), row(2, unit=None)]
    source = submissions.write(tmp_path / "in", sent, kind="parquet", compression="zstd")
    found = read(ingest.run(taken(tmp_path, source, sandbox)))
    assert [{n: r[n] for n in RAW_NAMES} for r in found] == [{n: r.get(n) for n in RAW_NAMES} for r in sent]
