import csv
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import codes
from expectations.base import signatures
from expectations.base.digests import of_file
from expectations.base.duck import DuckSettings, parquet, session
from expectations.base.errors import BadInput, Fault, SluicegateError
from expectations.contracts.lists import Outcome
from expectations.contracts.package import RELEASE
from expectations.contracts.stages import ACCOUNTED, OUTCOME
from expectations.instruments import Agreement
from pipelines import lake, release, sealing, validate
from pipelines.context import BatchContext
from pipelines.release.accounting import tally
from tests.factories import matched

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HOLDERS = [signatures.public_line(KEY)]
CHECK, REQUESTER, HOLDER = sealing.new_identity(), sealing.new_identity(), sealing.new_identity()


@dataclass
class Made:
    context: BatchContext
    outcomes: lake.Manifest
    package: release.Package


def seal(context: BatchContext, outcomes: lake.Manifest) -> release.Package:
    return release.seal(
        context,
        outcomes,
        holder_key=KEY,
        check_recipient=CHECK.recipient,
        instruments={context.agreement.id: "d" * 64},
        register_version="v1",
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sandbox: Agreement) -> Iterator[Made]:
    """The batch of `tests.factories.matched`, released once for all tests that only look."""
    keys = sandbox.keys.model_copy(update={"recipient": REQUESTER.recipient})
    context = matched.made(tmp_path_factory.mktemp("release"), sandbox.model_copy(update={"keys": keys}))
    validate.run(context)
    outcomes = release.outcomes(context)
    yield Made(context, outcomes, seal(context, outcomes))


@pytest.fixture
def again(made: Made, tmp_path: Path) -> BatchContext:
    """A copy of the same batch, to spoil."""
    shutil.copytree(made.context.root, tmp_path / "batch")
    return replace(made.context, root=tmp_path / "batch")


def ends(manifest: lake.Manifest) -> dict[int, tuple[str, list[str]]]:
    return {r["ordinal"]: (r["outcome"], r["codes"]) for r in matched.rows_of(manifest, "outcomes")}


def test_every_submitted_row_has_its_one_end(made: Made) -> None:
    rows = matched.rows_of(made.outcomes, "outcomes")
    assert [r["ordinal"] for r in rows] == sorted(matched.ENDS)
    assert ends(made.outcomes) == matched.ENDS
    assert all(pq.read_schema(p).equals(OUTCOME) for p in made.outcomes.paths("outcomes"))
    told = {r["ordinal"]: r["told"] for r in rows}
    assert told[0] == [] and told[6] == ["NO_NUMBER"] and told[9] == ["RAGGED_ROW"]
    assert all(told[o] == ["NOT_CONFIRMED"] for o in (1, 2, 3, 4, 5, 11, 12))
    assert {r["ordinal"] for r in rows if r["person_key"]} == {0, 10}
    assert sum(made.outcomes.count(o) for o in {e for e, _ in matched.ENDS.values()}) == len(rows)


def test_the_last_known_address_is_the_latest_that_is_still_on_file(made: Made) -> None:
    found = {r["ordinal"]: r["street"] for r in matched.rows_of(made.outcomes, "eligible")}
    assert found == {0: "1 OAK ST", 10: "500 OAK ST"}


def test_dropped_and_lost_rows_are_not_released(again: BatchContext) -> None:
    dropped, lost = again.root / "dropped.parquet", again.root / "lost.parquet"
    pq.write_table(pa.table({"ordinal": [6]}), dropped)
    pq.write_table(pa.table({"request_key": ["key-10"]}), lost)
    manifest = release.outcomes(again, dropped=dropped, lost=lost)
    assert ends(manifest) == {
        **matched.ENDS,
        6: ("dropped", ["NO_NUMBER"]),
        10: ("already_disclosed", ["ALREADY_DISCLOSED"]),
    }
    assert [r["ordinal"] for r in matched.rows_of(manifest, "eligible")] == [0]
    assert seal(again, manifest).rows == 1
    reached = {outcome for outcome, _ in ends(manifest).values()}
    reached |= {outcome for outcome, _ in ends(release.refused_outcomes(again, ["COURT_ORDER"])).values()}
    assert reached == set(Outcome), "an outcome of the closed list that no row comes to"


def test_a_refused_batch_ends_whole_and_has_nothing_to_seal(again: BatchContext) -> None:
    manifest = release.refused_outcomes(again, ["COURT_ORDER"])
    rows = matched.rows_of(manifest, "outcomes")
    assert [r["ordinal"] for r in rows] == sorted(matched.ENDS)
    assert {r["outcome"] for r in rows} == {"refused"}
    assert all("COURT_ORDER" in r["told"] for r in rows)
    assert rows[6]["told"] == ["COURT_ORDER", "NO_NUMBER"]
    with pytest.raises(Fault, match="NO_PARTS"):
        seal(again, manifest)


@pytest.mark.parametrize("spoil", ["lost", "doubled"])
def test_a_row_without_a_verdict_or_with_two_stops_the_release(again: BatchContext, spoil: str) -> None:
    verdicts = lake.committed(again.step("validate.verdicts"))
    tables = [pq.read_table(p) for p in verdicts.paths("verdicts")]
    changed = [t.slice(0, t.num_rows - 1) for t in tables] if spoil == "lost" else [*tables, *tables]
    shutil.rmtree(again.step("validate.verdicts"))
    matched.commit(again.step("validate.verdicts"), {"verdicts": changed})
    with pytest.raises(SluicegateError):
        release.outcomes(again)
    assert not (again.step("release.outcomes") / "manifest.json").exists()


def test_both_forms_hold_exactly_the_eligible_rows(made: Made, tmp_path: Path) -> None:
    opened = release.open_for_check(made.package.folder, CHECK, tmp_path / "open", HOLDERS, DuckSettings())
    with session() as connection:
        for form in (opened.parquet, opened.csv):
            assert release.eligible_digest(connection, parquet([form])) == made.package.content_digest
            assert connection.execute(f"SELECT * FROM {parquet([form])}").to_arrow_table().column_names == RELEASE.names
    assert [r["request_id"] for r in pq.read_table(opened.parquet).to_pylist()] == [matched.FORMULA_ID, "R010"]
    assert pq.read_table(opened.parquet).to_pylist() == pq.read_table(opened.csv).to_pylist()
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o700


def test_the_recipient_opens_it_with_its_own_key_alone(made: Made, tmp_path: Path) -> None:
    manifest = release.open_package(made.package.folder, REQUESTER, tmp_path, HOLDERS)
    assert manifest["counts"] == {"submitted": 13, "released": 2, "returned": 11}
    assert manifest["returned_by_code"] == {
        "ALREADY_DISCLOSED": 1,
        "DUPLICATE_REQUEST_ID": 1,
        "NOT_CONFIRMED": 7,
        "NO_NUMBER": 1,
        "RAGGED_ROW": 1,
    }
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        release.open_package(made.package.folder, HOLDER, tmp_path / "no", HOLDERS)


def test_no_cell_of_the_csv_starts_a_formula(made: Made, tmp_path: Path) -> None:
    release.open_package(made.package.folder, REQUESTER, tmp_path, HOLDERS)
    for name in ("addresses.csv", "returns.csv.gz", "codes.csv"):
        cells = [c for line in read_csv(tmp_path / name) for c in line.values()]
        assert not [c for c in cells if c[:1] in tuple("=+-@\t\r\n")]
    assert read_csv(tmp_path / "addresses.csv")[0]["request_id"] == "'" + matched.FORMULA_ID


def test_the_return_file_tells_each_row_what_to_mend(made: Made, tmp_path: Path) -> None:
    release.open_package(made.package.folder, REQUESTER, tmp_path, HOLDERS)
    lines = read_csv(tmp_path / "returns.csv.gz")
    assert len(lines) == 11
    words = [(line["code"], line["message"], line["fix"]) for line in read_csv(tmp_path / "codes.csv")]
    assert all(all(said) for said in words)
    assert words == sorted(codes.words())  # the words of pre-flight, of every code
    assert {line["code"] for line in lines} <= {code for code, _, _ in words}
    rejected = next(line for line in lines if line["code"] == "RAGGED_ROW")
    assert (rejected["file"], rejected["row"], rejected["request_id"]) == ("2", "3", "")


def test_only_the_fields_of_the_agreement_leave(again: BatchContext, tmp_path: Path) -> None:
    context = matched.with_fields(again, "state", "zip")
    package = seal(context, release.outcomes(context))
    manifest = release.open_package(package.folder, CHECK, tmp_path / "open", HOLDERS)
    assert manifest["fields"] == ["request_id", "state", "zip"]
    rows = pq.read_table(tmp_path / "open" / "addresses.parquet").to_pylist()
    assert {name for row in rows for name, value in row.items() if value is not None} == {"request_id", "state", "zip"}
    assert b"OAK" not in (tmp_path / "open" / "addresses.csv").read_bytes()


def test_the_manifest_says_nothing_of_a_person_or_of_the_register(made: Made) -> None:
    text = (made.package.folder / "manifest.json").read_text()
    assert not [w for w in ("OAK", "R010", "held", "unmatched", "ambiguous", "near", "key-") if w in text]


def test_the_content_digest_is_the_same_each_time_and_the_sealing_is_not(again: BatchContext, made: Made) -> None:
    killed = again.root / f".sealing-{'0' * 32}"
    killed.mkdir()
    (killed / "plain").write_text("CANARY")
    package = seal(again, release.outcomes(again))
    assert package.content_digest == made.package.content_digest
    assert package.manifest_digest != made.package.manifest_digest
    assert [p.name for p in again.root.glob(".*")] == []


def read_csv(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def forge(package: Path) -> None:
    body = json.loads((package / "manifest.json").read_text())
    (package / "manifest.json").write_text(json.dumps({**body, "batch": "b-other"}))


def forge_and_sign(package: Path, key: Ed25519PrivateKey, namespace: str) -> None:
    forge(package)
    signature = signatures.sign((package / "manifest.json").read_bytes(), key, namespace)
    (package / "manifest.json.sig").write_text(signature)


TAMPERING: dict[str, tuple[Any, str]] = {
    "a bit of a sealed file": (lambda p: flip(p / "addresses.parquet.age"), "PACKAGE_CHANGED.*addresses.parquet.age"),
    "a bit of the return file": (lambda p: flip(p / "returns.csv.gz.age"), "PACKAGE_CHANGED.*returns.csv.gz.age"),
    "two files swapped": (lambda p: shutil.copy(p / "returns.csv.gz.age", p / "addresses.csv.age"), "PACKAGE_CHANGED"),
    "the manifest": (forge, "PACKAGE_UNSIGNED"),
    "the signature": (lambda p: flip(p / "manifest.json.sig"), "PACKAGE_UNSIGNED"),
    "signed by another": (
        lambda p: forge_and_sign(p, Ed25519PrivateKey.generate(), signatures.MANIFEST),
        "PACKAGE_UNSIGNED",
    ),
    "a signature made for another use": (lambda p: forge_and_sign(p, KEY, signatures.DECISION), "PACKAGE_UNSIGNED"),
    "a file is gone": (lambda p: (p / "addresses.csv.age").unlink(), "PACKAGE_INCOMPLETE.*addresses.csv.age"),
    "a file is added": (lambda p: (p / "CANARY").touch(), "PACKAGE_HAS_MORE"),
    "no package": (shutil.rmtree, "PACKAGE_INCOMPLETE"),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_and_located(made: Made, tmp_path: Path, how: str) -> None:
    package = tmp_path / "package"
    shutil.copytree(made.package.folder, package)
    assert release.verify(package, HOLDERS)["batch"] == "b-made"
    spoil, expected = TAMPERING[how]
    spoil(package)
    with pytest.raises(BadInput, match=expected) as caught:
        release.verify(package, HOLDERS)
    assert "CANARY" not in str(caught.value)


def test_the_evidence_holds_every_row_with_what_decided_it(made: Made, tmp_path: Path) -> None:
    sealed = release.seal_evidence(made.context, HOLDER.recipient, tmp_path / "evidence" / "b.age")
    sealing.open_file(sealed.path, tmp_path / "open", HOLDER)
    rows = {r["ordinal"]: r for r in pq.read_table(tmp_path / "open").to_pylist()}
    assert set(rows) == {*matched.ENDS, -1, -2} and sealed.rows == len(rows)
    assert rows[10]["verdict"]["addresses_on_file"][0]["street"] == "500 OAK ST"
    assert rows[10]["person"]["s_first"] == "ANA" and rows[10]["candidate"]["tier"] == "A"
    assert rows[3]["candidate"]["outcome"] == "unmatched" and rows[3]["verdict"] is None
    assert rows[6]["candidate"] is None and rows[9]["reject"]["code"] == "RAGGED_ROW"


def test_a_batch_that_stopped_early_has_its_evidence_too(again: BatchContext, tmp_path: Path) -> None:
    for step in ("match.candidates", *(f"validate.{n}" for n in ("matched", "tried", "tries", "facts", "verdicts"))):
        shutil.rmtree(again.step(step))
    sealed = release.seal_evidence(again, HOLDER.recipient, tmp_path / "b.age")
    sealing.open_file(sealed.path, tmp_path / "open", HOLDER)
    assert len(pq.read_table(tmp_path / "open")) == len(matched.ENDS) + 2


def test_the_accounting_carries_its_header(again: BatchContext, tmp_path: Path) -> None:
    from pipelines.release.accounting import read_header

    context = replace(matched.with_fields(again, "state", "zip"), instruments={again.agreement.id: "d" * 64})
    release.outcomes(context)
    sealed = release.seal_accounting(context, HOLDER.recipient, tmp_path / "a.age")
    sealing.open_file(sealed.path, tmp_path / "open", HOLDER)
    said = read_header(tmp_path / "open")
    assert said is not None and said["nature"] == ["state", "zip"] and said["agreement"]["digest"] == "d" * 64
    assert said["recipient"] == {
        "id": "department-of-examples",
        "name": "Department of Examples (fictional)",
        "address": "1000 Example Ave, Washington DC 20001",
    }
    assert said["purpose"] == context.letter.purpose and said["letter"] == of_file(context.files / "letter.toml")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "old")
    assert read_header(tmp_path / "old") is None


def test_the_accounting_holds_all_outcomes_under_one_root(made: Made, again: BatchContext, tmp_path: Path) -> None:
    sealed = release.seal_accounting(made.context, HOLDER.recipient, tmp_path / "a.age")
    sealing.open_file(sealed.path, tmp_path / "open", HOLDER)
    accounted = pq.read_table(tmp_path / "open")
    assert accounted.schema.names == ACCOUNTED.names
    assert accounted.select(OUTCOME.names).to_pylist() == matched.rows_of(made.outcomes, "outcomes")
    asked = {row["ordinal"]: row for row in matched.rows_of(lake.committed(made.context.step("ingest.rows")), "rows")}
    for row in accounted.to_pylist():
        said = asked.get(row["ordinal"], {})
        assert all(row[name] == said.get(name) for name in ("reason", "taxable_period", "officer"))
    old = tmp_path / "old.parquet"  # of format 1
    pq.write_table(accounted.select(OUTCOME.names), old)
    assert tally(old, made.context.duck).outcomes == sealed.outcomes
    pq.write_table(accounted.drop(["reason"]), old)
    with pytest.raises(BadInput, match="ACCOUNTING_FORMAT"):
        tally(old, made.context.duck)
    assert release.seal_accounting(again, HOLDER.recipient, tmp_path / "b.age").merkle_root == sealed.merkle_root
    release.refused_outcomes(again, ["HALTED"])
    assert release.seal_accounting(again, HOLDER.recipient, tmp_path / "b.age").merkle_root != sealed.merkle_root
    assert [p.name for p in tmp_path.glob(".*")] == []
