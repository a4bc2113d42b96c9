"""A recall from the day it is found until it is closed: what is frozen, what is sent out, what counts as proof, and
what an order forbids."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.algorithms import FIRST, Scheme
from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Fault, Forbidden, Usage
from flows.audit import sealed
from flows.cases import Step, documents, opening, watching
from flows.cases.advancing import advance, issue
from flows.cases.opening import Chosen, open_cases
from flows.cases.steps import HandedIn, by_key
from flows.evidence.shred import keeps
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.lifecycles.cases import CaseReason, CaseState
from flows.sandbox import home
from flows.sandbox.home import REQUESTER_AGE
from flows.schedule.waiting import everything
from pipelines import sealing
from pipelines.recall.listing import open_recall
from tests.factories import installations, recalls
from tests.factories.installations import Installation
from tests.flows.conftest import Run

GOLDEN = Path(__file__).parent / "golden"
CLOCK = Clock()


@pytest.fixture(scope="module")
def batch(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A batch that released the rows 0 to 49."""
    return recalls.publish(installation, tmp_path_factory.mktemp("submission"), range(1, 51))


@dataclass
class Case:
    """A case opened on rows of its own, and what people do with it."""

    installation: Installation
    folder: Path
    opened: CaseRecord

    def go(
        self,
        step: Step,
        data: bytes | None = None,
        key: str | Ed25519PrivateKey | None = "operator-1",
        clock: Clock = CLOCK,
    ) -> CaseRecord:
        file = None
        if data is not None:
            file = self.folder / "handed in.csv"
            file.write_bytes(data)
        private = recalls.operator(self.installation.home, key) if isinstance(key, str) else key
        return advance(self.installation.home, clock, self.opened.id, step, HandedIn.of(step, file), by_key(private))

    def to(self, state: CaseState) -> CaseRecord:
        """Brings the case to this state, the usual way."""
        found = self.go(Step.NOTIFIED, f"receipts of {self.opened.id}".encode())
        if state is not CaseState.NOTIFIED:
            found = self.go(Step.COPIES, recalls.COPIES)
        if state in (CaseState.DISPOSED, CaseState.ATTESTED):
            found = self.go(Step.DISPOSED, recalls.log("package-1", "db-1", "derived-1"))
        if state is CaseState.ATTESTED:
            self.go(Step.PERSONS, recalls.persons(self.opened.rows))
            found = self.go(Step.ATTESTED, recalls.attestation(self.installation.home, self.opened.id))
        assert found.state is state
        return found

    def document(self, name: str) -> str:
        return (self.installation.home.root / "recalls" / self.opened.id / name).read_text()


@pytest.fixture(scope="module")
def unused() -> list[int]:
    """Ordinals that no case recalls yet."""
    return list(range(50))


Opener = Callable[..., Case]


@pytest.fixture
def open_case(installation: Installation, batch: str, unused: list[int], tmp_path: Path) -> Opener:
    """Opens a case on so many rows that no other case recalls."""

    def opener(rows: int = 2, clock: Clock = CLOCK) -> Case:
        taken = [unused.pop(0) for _ in range(rows)]
        (tmp_path / "rows.txt").write_text("".join(f"{n}\n" for n in taken))
        chosen = Chosen(batch, tmp_path / "rows.txt")
        (opened,) = open_cases(installation.home, clock, chosen, CaseReason.INCOMPLETE_ADDRESS, "operator-1")
        return Case(installation, tmp_path, opened)

    return opener


def problems(installation: Installation) -> list[object]:
    with Ledger.open(installation.home.ledger_url, CLOCK) as ledger:
        return list(ledger.verify())


def shown(case: Case, clock: Clock = CLOCK) -> dict[str, Any]:
    with Ledger.open(case.installation.home.ledger_url, clock) as ledger:
        return watching.one(case.installation.home, ledger, case.opened.id)


def listed(installation: Installation) -> list[dict[str, Any]]:
    with Ledger.open(installation.home.ledger_url, CLOCK) as ledger:
        return watching.every(installation.home, ledger)


def enrol(installation: Installation, name: str, text: str) -> None:
    """A court order against the sandbox's agreement."""
    body = (
        f'kind = "court_order"\nid = "{name}"\ncourt = "c"\ndocket = "d"\ntitle = "t"\nsource = "fictional"\n{text}\n'
    )
    with Ledger.open(installation.home.ledger_url, CLOCK) as ledger:
        home.enrol(installation.home, ledger, body.encode(), name)


def test_opening_freezes_at_once_and_the_recipient_can_tell_which_rows(
    open_case: Opener, batch: str, tmp_path: Path
) -> None:
    case = open_case(3)
    assert case.opened.state is CaseState.FROZEN and case.opened.rows == 3
    home = case.installation.home
    holder = (home.keys / "holder-signing.pub").read_text()
    manifest, rows = open_recall(
        home.outbox / f"recall-{case.opened.id}",
        sealing.load_identity(home.keys / REQUESTER_AGE),
        [holder],
        tmp_path / "opened",
        home.duck,
    )
    assert manifest["order"] == "freeze" and manifest["case"] == case.opened.id
    with Ledger.open(home.ledger_url, CLOCK) as ledger:
        record = ledger.batch(batch)
        assert record is not None and manifest["batches"] == {batch: record.package_digest}
    asked = {installations.request(n + 1)["request_id"] for n in affected(case)["ordinal"].to_pylist()}
    assert {(r["batch"], r["request_id"]) for r in pq.read_table(rows).to_pylist()} == {(batch, id) for id in asked}
    assert problems(case.installation) == []


def affected(case: Case) -> pa.Table:
    """The sealed list of affected persons, opened by the holder."""
    home, plain = case.installation.home, case.folder / "affected.parquet"
    sealed = home.root / "recalls" / case.opened.id / documents.AFFECTED
    sealing.open_file(sealed, plain, sealing.load_identity(home.keys / "holder-age"))
    return pq.read_table(plain)


def test_the_list_of_affected_persons_names_their_records_to_the_holder_only(open_case: Opener) -> None:
    rows = affected(open_case()).to_pylist()
    assert [r["record_id"] for r in rows] == [r["ordinal"] + 1 for r in rows]


def test_the_incident_is_driven_to_its_end(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.DISPOSED)
    case.go(Step.ATTESTED, recalls.attestation(case.installation.home, case.opened.id))
    with pytest.raises(Usage, match="PERSONS_NOT_NOTIFIED"):
        case.go(Step.CLOSED)
    assert case.go(Step.PERSONS, recalls.persons(case.opened.rows)).state is CaseState.ATTESTED
    assert case.go(Step.CLOSED).state is CaseState.ATTESTED
    assert case.go(Step.CLOSED, key="operator-2").state is CaseState.CLOSED
    found = shown(case)
    assert {d["status"] for d in found["deadlines"]} == {"met"}
    assert {d["lies there"] for d in found["documents"]} == {"unchanged"}
    assert problems(case.installation) == [] and not list(case.installation.home.lake.glob(".view-*"))


def test_disposal_comes_in_parts_and_must_cover_every_copy(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.ENUMERATED)
    assert case.go(Step.DISPOSED, recalls.log("db-1")).state is CaseState.ENUMERATED
    before = case.go(Step.DISPOSED, recalls.log("db-1"))  # the same log again changes nothing
    assert before.state is CaseState.ENUMERATED and before.steps[-1].facts["disposed"] == 1
    with pytest.raises(BadInput, match="disposed of already"):
        case.go(Step.DISPOSED, recalls.log("package-1", "db-1"))
    assert case.go(Step.RETURNED, recalls.log("package-1", returned=True)).state is CaseState.ENUMERATED
    assert case.go(Step.DISPOSED, recalls.log("derived-1")).state is CaseState.DISPOSED
    for digest in (s.rests_on for s in case.go(Step.FROZEN).steps if s.proof in ("part", "log")):
        assert digest and digest in case.document(ATTESTATION)


def test_what_is_returned_whole_ends_as_returned(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.ENUMERATED)
    returned = recalls.log("package-1", "db-1", "derived-1", returned=True)
    assert case.go(Step.RETURNED, returned).state is CaseState.RETURNED


def test_a_copy_that_comes_to_light_leads_back(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.DISPOSED)
    first = case.document(ATTESTATION)
    with pytest.raises(BadInput, match="left out"):
        case.go(Step.COPIES, b"\n".join(recalls.COPIES.splitlines()[:2]))
    more = recalls.COPIES + b"backup-1,backup,tapes,5,db-1,dispose\n"
    assert case.go(Step.COPIES, more).state is CaseState.ENUMERATED
    with pytest.raises(Usage, match="NO_SUCH_STEP"):
        case.go(Step.ATTESTED, recalls.attestation(case.installation.home, case.opened.id))
    last = recalls.log("db-1").replace(b"db-1", b"backup-1")
    assert case.go(Step.DISPOSED, last).state is CaseState.DISPOSED
    assert case.document(ATTESTATION) != first


def test_a_form_at_fault_changes_nothing(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.ENUMERATED)
    before = case.go(Step.FROZEN)
    with pytest.raises(BadInput, match="FORM_INVALID"):
        case.go(Step.DISPOSED, recalls.log("db-1").replace(b"db-1", b"db-7"))
    assert case.go(Step.FROZEN) == before and case.go(Step.DISPOSED, recalls.log("db-1")).seq > before.seq


def test_the_same_file_is_proof_of_one_step_only(open_case: Opener) -> None:
    case = open_case()
    case.go(Step.NOTIFIED, recalls.COPIES)
    assert case.go(Step.NOTIFIED, recalls.COPIES).state is CaseState.NOTIFIED
    assert case.go(Step.COPIES, recalls.COPIES).state is CaseState.ENUMERATED


def test_forms_may_be_toml(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.NOTIFIED)
    rows = list(csv.DictReader(recalls.COPIES.decode().splitlines()))
    toml = "".join(
        "[[copies]]\n" + "".join(f"{k} = {v if k == 'rows' else json.dumps(v)}\n" for k, v in row.items())
        for row in rows
    )
    assert case.go(Step.COPIES, toml.encode()).steps[-1].facts["copies"] == 3
    assert case.go(Step.DISPOSED, recalls.log("db-1")).state is CaseState.ENUMERATED


def test_a_kept_proof_that_was_changed_is_found_before_anything_rests_on_it(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.ENUMERATED)
    case.go(Step.DISPOSED, recalls.log("db-1"))
    home = case.installation.home
    digest = case.go(Step.FROZEN).steps[-1].rests_on
    assert digest
    kept = home.root / "recalls" / case.opened.id / f"proof-{digest[:16]}.age"
    whole = kept.read_bytes()
    other = case.folder / "other"
    other.write_bytes(recalls.log("db-1", "derived-1"))  # sealed well, but another log
    sealing.seal_file(other, kept, [sealing.load_identity(home.keys / "holder-age").recipient])
    with pytest.raises(Fault, match="PROOF_CHANGED"):
        case.go(Step.DISPOSED, recalls.log("package-1"))
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        case.go(Step.DISPOSED, recalls.log("package-1"))
    kept.write_bytes(whole)
    assert case.go(Step.DISPOSED, recalls.log("package-1", "derived-1")).state is CaseState.DISPOSED


def test_an_attestation_of_another_case_or_with_another_key_does_not_count(open_case: Opener) -> None:
    one, other = open_case(), open_case()
    for case in (one, other):
        case.to(CaseState.DISPOSED)
    home = one.installation.home
    for signature in (
        recalls.attestation(home, other.opened.id),
        recalls.attestation(home, one.opened.id, recalls.operator(home)),
        recalls.attestation(home, one.opened.id, namespace=signatures.LETTER),
    ):
        with pytest.raises(BadInput, match="NOT_ATTESTED"):
            one.go(Step.ATTESTED, signature)
    text = home.root / "recalls" / one.opened.id / ATTESTATION
    whole = text.read_bytes()
    text.write_bytes(whole.replace(b"nothing", b"hardly anything"))
    with pytest.raises(BadInput, match="OTHER_TEXT"):
        one.go(Step.ATTESTED, recalls.attestation(home, one.opened.id))
    text.write_bytes(whole)
    assert one.go(Step.ATTESTED, recalls.attestation(home, one.opened.id)).state is CaseState.ATTESTED


def test_ssh_keygen_signs_an_attestation_too(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.DISPOSED)
    text = case.folder / ATTESTATION
    text.write_text(case.document(ATTESTATION))
    key = case.installation.home.keys / home.REQUESTER_SIGNING
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", signatures.ATTESTATION, "-f", key, text], check=True, capture_output=True
    )
    assert case.go(Step.ATTESTED, text.with_name(f"{ATTESTATION}.sig").read_bytes()).state is CaseState.ATTESTED


def test_an_order_that_preserves_forbids_disposal_from_its_day_on_until_another_allows_it(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.ENUMERATED)
    tomorrow = CLOCK.today("America/New_York") + timedelta(days=1)
    then = Clock(CLOCK.now() + timedelta(days=1), pretended=True)
    scope = '[scope]\nagreements = ["sandbox-2026"]\n'
    enrol(case.installation, "keep", f'effective_on = {tomorrow}\neffect = "forbid"\npreserve = true\n{scope}')
    try:
        assert case.go(Step.DISPOSED, recalls.log("db-1")).state is CaseState.ENUMERATED  # not before its day
        rest = recalls.log("package-1", "derived-1")
        with pytest.raises(Forbidden, match=r"DISPOSAL_FORBIDDEN.*keep") as caught:
            case.go(Step.DISPOSED, rest, clock=then)
        assert caught.value.exit_code == 4
        with pytest.raises(Forbidden):
            case.go(Step.RETURNED, recalls.log("derived-1", returned=True), clock=then)
        assert documents.PRESERVE in issue(case.installation.home, then, case.opened.id).steps[-1].documents
        (disposal,) = [d for d in shown(case, then)["deadlines"] if d["deadline"] == "disposal"]
        assert disposal["status"] == "waits" and disposal["waits_for"] == ["keep"]
        allowed = (
            f'effective_on = {tomorrow}\neffect = "restrict"\ndisposal_despite = ["keep"]\nonly = {{ fields = ["zip"]'
            f" }}\n{scope}"
        )
        enrol(case.installation, "allow", allowed)
        assert documents.DISPOSE in issue(case.installation.home, then, case.opened.id).steps[-1].documents
        assert case.go(Step.DISPOSED, rest, clock=then).state is CaseState.DISPOSED
    finally:
        enrol(
            case.installation,
            "lift",
            f'effective_on = {tomorrow - timedelta(days=2)}\neffect = "lift"\nlifts = ["keep", "allow"]',
        )
    assert problems(case.installation) == []


def test_under_an_order_that_preserves_no_disposal_is_asked_for(open_case: Opener) -> None:
    """The notice that goes out with the list of copies says to keep everything, and names the order."""
    case = open_case()
    case.to(CaseState.NOTIFIED)
    day = CLOCK.today("America/New_York")
    order = f'effective_on = {day}\neffect = "forbid"\npreserve = true\n[scope]\nagreements = ["sandbox-2026"]\n'
    enrol(case.installation, "keep-2", order)
    try:
        found = case.go(Step.COPIES, recalls.COPIES)
        assert set(found.steps[-1].documents) == {documents.PRESERVE} and "keep-2" in case.document(documents.PRESERVE)
    finally:
        enrol(case.installation, "lift-2", f'effective_on = {day}\neffect = "lift"\nlifts = ["keep-2"]')
    assert set(issue(case.installation.home, CLOCK, case.opened.id).steps[-1].documents) == {
        documents.DISPOSE,
        documents.DISPOSALS,
    }
    assert issue(case.installation.home, CLOCK, case.opened.id).steps[-1].proof is None
    head = len(issue(case.installation.home, CLOCK, case.opened.id).steps)
    assert len(issue(case.installation.home, CLOCK, case.opened.id).steps) == head  # once


def test_rows_of_another_case_are_left_out_and_nothing_is_recalled_twice(
    open_case: Opener, installation: Installation, batch: str, unused: list[int], tmp_path: Path
) -> None:
    first = open_case(2)
    rows = tmp_path / "more.txt"
    more = [*affected(first)["ordinal"].to_pylist(), unused.pop(0)]
    rows.write_text("ordinal\n" + "".join(f"{n}\n" for n in more))
    (second,) = open_cases(installation.home, CLOCK, Chosen(batch, rows), CaseReason.LOOKBACK, "operator-1")
    assert second.rows == 1 and second.id != first.opened.id
    with pytest.raises(Usage, match="RECALLED_ALREADY"):
        open_cases(installation.home, CLOCK, Chosen(batch, rows), CaseReason.LOOKBACK, "operator-1")
    assert {p.name for p in (installation.home.root / "recalls").iterdir()} == {c["case"] for c in listed(installation)}


def test_files_of_a_case_that_are_missing_or_changed_are_found(open_case: Opener) -> None:
    case = open_case()
    case.to(CaseState.ENUMERATED)
    home = case.installation.home
    folder, listed = home.root / "recalls" / case.opened.id, home.outbox / f"recall-{case.opened.id}"
    proof = next(folder.glob("proof-*"))

    def places() -> list[str]:
        with Ledger.open(home.ledger_url, CLOCK) as ledger:
            return [p.place for p in sealed.problems(home, ledger)]

    assert places() == []
    for path, place in (
        (folder / documents.FREEZE, f"recalls/{case.opened.id}/{documents.FREEZE}"),
        (folder / documents.AFFECTED, f"recalls/{case.opened.id}/{documents.AFFECTED}"),
        (listed / "recall.csv.age", listed.name),
    ):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert places() == [place]
        path.write_bytes(whole)
    for path, place in ((proof, f"recalls/{case.opened.id}/{proof.name}"), (listed, listed.name)):
        path.rename(case.folder / "away")
        assert places() == [place]
        (case.folder / "away").rename(path)
    (home.outbox / "recall-c-0000000000000000").mkdir()
    assert places() == ["outbox/recall-c-0000000000000000"]
    (home.outbox / "recall-c-0000000000000000").rmdir()


def test_evidence_is_kept_while_a_case_is_open(open_case: Opener, batch: str) -> None:
    case = open_case()
    with Ledger.open(case.installation.home.ledger_url, CLOCK) as ledger:
        record = ledger.batch(batch)
        assert record is not None
        assert f"recall case {case.opened.id} is not closed" in keeps(
            ledger, record, [b for *_, b in ledger.instruments()]
        )
    case.to(CaseState.ATTESTED)
    for who in ("operator-1", "operator-2"):
        case.go(Step.CLOSED, key=who)
    with Ledger.open(case.installation.home.ledger_url, CLOCK) as ledger:
        assert f"recall case {case.opened.id} is not closed" not in keeps(ledger, record, [])


ROWS = {
    "no number": ("1\nx\n", "ORDINAL_UNREADABLE.*entry 2"),
    "negative": ("-1\n", "ORDINAL_UNREADABLE.*entry 1"),
    "twice": ("49\n49\n", "ROW_TWICE"),
    "not released": ("50\n", "NOT_RELEASED: 1 of the 1"),
    "of nobody": ("49\n4000\n", "NOT_RELEASED: 1 of the 2"),
    "empty": ("", "NO_ROWS"),
}


@pytest.mark.parametrize(("text", "said"), ROWS.values(), ids=ROWS)
def test_rows_that_were_not_released_open_no_case(
    installation: Installation, batch: str, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "rows.txt").write_text(text)
    before = listed(installation)
    with pytest.raises(BadInput, match=said):
        open_cases(installation.home, CLOCK, Chosen(batch, tmp_path / "rows.txt"), CaseReason.LOOKBACK, "operator-1")
    assert listed(installation) == before


def sealed_list(installation: Installation, folder: Path, rows: list[dict[str, object]]) -> Path:
    """A lookback's list, sealed to the holder."""
    plain, target = folder / "plain.parquet", folder / "list.parquet.age"
    pq.write_table(pa.Table.from_pylist(rows), plain)
    sealing.seal_file(plain, target, [sealing.load_identity(installation.home.keys / "holder-age").recipient])
    return target


def test_a_lookbacks_list_opens_a_case_with_its_codes(
    open_case: Opener, installation: Installation, batch: str, unused: list[int], tmp_path: Path
) -> None:
    known = affected(open_case(1)).to_pylist()[0]
    ordinal = unused.pop(0)
    with pytest.raises(BadInput, match="OTHER_ROWS"):
        wrong = {
            "batch": batch,
            "ordinal": ordinal,
            "request_key": known["request_key"],
            "person_key": None,
            "codes": [],
        }
        open_cases(
            installation.home,
            CLOCK,
            Chosen(listed=sealed_list(installation, tmp_path, [wrong])),
            CaseReason.LOOKBACK,
            "operator-1",
        )
    good = {"batch": batch, "ordinal": ordinal, "codes": ["NO_NUMBER", "NOT_CORROBORATED"]}
    (case,) = open_cases(
        installation.home,
        CLOCK,
        Chosen(listed=sealed_list(installation, tmp_path, [good])),
        CaseReason.LOOKBACK,
        "operator-1",
    )
    assert dict(case.codes) == {"NO_NUMBER": 1, "NOT_CORROBORATED": 1}
    report = (installation.home.root / "recalls" / case.id / documents.INCIDENT).read_text()
    assert "| Rows by code NO_NUMBER | 1 |" in report
    with pytest.raises(BadInput, match="NO_LIST"):
        open_cases(
            installation.home,
            CLOCK,
            Chosen(listed=sealed_list(installation, tmp_path, [{"x": 1}])),
            CaseReason.LOOKBACK,
            "operator-1",
        )


def test_something_else_in_the_outbox_is_not_written_over(
    installation: Installation,
    batch: str,
    unused: list[int],
    tmp_path: Path,
    open_case: Opener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(opening, "freeze", lambda _desk, case: case)
        found = open_case(1)
    assert found.opened.state is CaseState.FOUND
    here = installation.home.outbox / f"recall-{found.opened.id}"
    here.mkdir()
    with pytest.raises(Fault, match="OUTBOX_TAKEN"):
        found.go(Step.FROZEN)
    other = next(p for p in installation.home.outbox.glob("recall-*") if p != here)
    for file in other.iterdir():  # good in itself, but another case's
        (here / file.name).write_bytes(file.read_bytes())
    with pytest.raises(Fault, match="OUTBOX_TAKEN"):
        found.go(Step.FROZEN)
    assert {p.name for p in here.iterdir()} == {p.name for p in other.iterdir()}
    shutil.rmtree(here)
    assert found.go(Step.FROZEN).state is CaseState.FROZEN


def test_the_commands_say_what_is_due_and_what_to_do_next(
    installation: Installation, batch: str, unused: list[int], tmp_path: Path, command: Run
) -> None:
    (tmp_path / "rows.txt").write_text(f"{unused.pop(0)}\n")
    yesterday = f"{CLOCK.now() - timedelta(hours=20):%Y-%m-%dT%H:%M}"
    code, out, err = command(
        "recall",
        "open",
        "--batch",
        batch,
        "--rows",
        str(tmp_path / "rows.txt"),
        "--reason",
        "not_corroborated",
        "--operator",
        "operator-1",
        "--discovered",
        yesterday,
        "--json",
    )
    assert code == 0, err
    assert "contact is not set" in err
    case = json.loads(out)[0]["case"]
    code, out, _ = command("recall", "list", "--json")
    (due,) = next(c["due"] for c in json.loads(out) if c["case"] == case)
    assert due["deadline"] == "incident_report" and due["status"] == "open"
    assert f"! {case}: incident_report is due" in command("recall", "list")[1]
    code, out, _ = command("recall", "show", case)
    assert code == 0 and "notified --file RECEIPTS" in re.sub(r"\s+", " ", out)
    assert command("recall", "advance", case, "notified", "--file", str(tmp_path / "rows.txt"))[0] == 2  # no key
    key = str(installation.home.keys / "operator-1")
    assert command("recall", "advance", case, "notified", "--file", str(tmp_path / "rows.txt"), "--key", key)[0] == 0
    assert command("recall", "advance", case, "everything")[0] == 2
    assert command("recall", "show", "c-unknown")[0] == 2
    assert command("recall", "open", "--batch", batch, "--reason", "lookback", "--operator", "operator-1")[0] == 2
    assert command("recall", "documents", case)[0] == 0
    (installation.home.root / "recalls" / case / documents.FREEZE).write_text("changed")
    code, out, _ = command("recall", "documents", case, "--json")
    assert code == 1 and [d["name"] for d in json.loads(out) if d["lies there"] == "changed"] == [documents.FREEZE]


def test_the_nightly_run_asks_for_people_before_a_deadline_passes(open_case: Opener) -> None:
    case = open_case()
    home = case.installation.home

    def told(hours: float) -> list[tuple[str, bool]]:
        clock = Clock(case.opened.discovered_at + timedelta(hours=hours), pretended=True)
        with Ledger.open(home.ledger_url, clock) as ledger:
            found = [one for one in everything(home, ledger) if one.id == case.opened.id]
        return [(*one.codes, one.told(clock.now())["late"]) for one in found]

    assert told(11) == [] and told(13) == [("incident_report", False)] and told(25) == [("incident_report", True)]
    case.to(CaseState.NOTIFIED)
    assert told(25) == []


@pytest.mark.parametrize(
    "name", [documents.FREEZE, documents.INCIDENT, documents.DISPOSE, ATTESTATION, documents.CLOSING]
)
def test_the_documents_are_those_that_were_read_and_approved(finished: Case, name: str) -> None:
    found = _same_each_time(finished, finished.document(name))
    if FIRST is not Scheme.SHA256:
        pytest.skip("the documents name SHA-256")
    golden = GOLDEN / f"{name}.golden"
    assert found == golden.read_text(), f"if the change is meant, write it to {golden.name}"


@pytest.fixture(scope="module")
def finished(
    installation: Installation, batch: str, unused: list[int], tmp_path_factory: pytest.TempPathFactory
) -> Case:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "rows.txt").write_text("".join(f"{unused.pop()}\n" for _ in range(3)))
    chosen = Chosen(batch, folder / "rows.txt")
    case = Case(
        installation, folder, open_cases(installation.home, CLOCK, chosen, CaseReason.NOT_CORROBORATED, "operator-1")[0]
    )
    case.to(CaseState.ATTESTED)
    case.go(Step.CLOSED)
    case.go(Step.CLOSED, key="operator-2")
    return case


def _same_each_time(case: Case, text: str) -> str:
    """Without what differs from run to run: digests, times, numbers of events, names of case and batch."""
    text = text.replace(case.opened.id, "CASE").replace(next(iter(case.opened.batches)), "BATCH")
    text = re.sub(r"[0-9a-f]{64}", "DIGEST", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", text)
    return re.sub(r"^\| \d+ \| TIME", "| N | TIME", text, flags=re.M)


def test_no_document_holds_a_value_of_a_row(finished: Case) -> None:
    """The person's name and address, and the requester's own id, stand in no document in clear."""
    folder = finished.installation.home.root / "recalls" / finished.opened.id
    for row in affected(finished).to_pylist():
        asked = installations.request(row["record_id"])
        for path in (p for p in folder.rglob("*") if p.is_file()):
            data = path.read_bytes()
            for value in (asked["request_id"], asked["last_name"], asked["street"], asked["tin"], row["person_key"]):
                assert value.encode() not in data, path.name
        assert not re.search("|".join([row["request_key"], row["request_id"]]), str(list(folder.iterdir())))
