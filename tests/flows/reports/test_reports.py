"""Accounting by person, the declaration of a batch, the annual report: each number that of the ledger, and only what
was published was disclosed."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock, legal_date
from expectations.base.digests import of_json
from expectations.base.errors import BadInput, Fault, Usage
from flows.batch import publication
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.events.batch import Accounted
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.lifecycles.states import State
from flows.ledger.looks import LookReason, Why
from flows.ledger.recalls import NewCase
from flows.reports.accounting import person
from flows.reports.annual import annual
from flows.reports.declaration import declaration
from flows.reports.render import Format, render
from flows.sandbox.home import enrol, init
from tests.factories import installations, submissions
from tests.factories.installations import Installation
from tests.factories.law import no_law
from tests.factories.ledgers import package, sha
from tests.flows.conftest import Run

AGENCY, AGREEMENT = "department-of-examples", "sandbox-2026"


@dataclass(frozen=True)
class Ran:
    """A home in which batches ended in every way; their names by state."""

    installation: Installation
    batches: dict[State, str]

    @property
    def published(self) -> str:
        return self.batches[State.PUBLISHED]


@pytest.fixture(scope="module")
def ran(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("submissions")
    given = {
        "published": installation.submit(folder / "a", installations.mixed(30)),
        "refused": installation.submit(
            folder / "b", [installations.request(60)], installations.agreement(installation, "irs-ice-2025")
        ),
        "held": installation.submit(
            folder / "c", [installations.request(n, request_id=f"H-{n}", street="NA NA") for n in range(1, 9)]
        ),
        "broken": installation.submit(folder / "d", [installations.request(61)]),
    }
    (given["broken"] / "letter.toml").write_text("requester = [")
    ends: dict[State, str] = {}
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        for submission in given.values():
            try:
                name = receive(installation.home, ledger, Clock(), submission)
            except BadInput:
                continue
            advance(BatchSteps(installation.home, ledger, name))
        ends = {b.state: b.name for b in ledger.batches()}
    assert set(ends) == {State.PUBLISHED, State.REFUSED, State.HELD, State.UNREADABLE}
    return Ran(installation, ends)


@pytest.fixture
def me(ran: Ran) -> tuple[str, ...]:
    """Who looks."""
    return "--key", str(ran.installation.home.keys / "operator-1"), "--reason", "person_asks"


def events(home: Home) -> dict[int, dict[str, Any]]:
    with sqlite3.connect(home.root / "ledger.db") as ledger:
        rows = ledger.execute("SELECT seq, hash, batch, kind, facts FROM events").fetchall()
    return {seq: {"hash": h, "batch": b, "kind": k, "facts": json.loads(f)} for seq, h, b, k, f in rows}


def test_a_person_is_told_what_was_disclosed_to_whom(ran: Ran, command: Run, me: tuple[str, ...]) -> None:
    code, out, err = command("accounting", "person", "7", *me, "--json")
    assert code == 0, err
    today = legal_date(Clock().now(), ran.installation.agreement.zone).isoformat()
    assert json.loads(out) == [
        {
            "date": today,
            "batch": ran.published,
            "requests": 1,
            "recalls": {},
            "agreement": AGREEMENT,
            "statute": "8 USC 1253(a)(1)",
            "nature": ["street", "unit", "urbanization", "city", "state", "zip"],
            "purpose": "Criminal proceeding",
            "recipient": "Department of Examples (fictional)",
            "address": "1000 Example Ave, Washington DC 20001",
            "kept_from_person": False,
        }
    ]
    code, out, _ = command("accounting", "person", "7", *me)
    assert code == 0 and "1000 Example Ave" in out and "1 disclosures." in out


@pytest.mark.parametrize("record", [31, 33, 60, 61, 79, 10_000, 0, -1])
def test_what_was_asked_and_not_published_is_no_disclosure(ran: Ran, record: int) -> None:
    assert person(ran.installation.home, Clock(), str(record), "operator-1", Why(LookReason.PERSON_ASKS)) == []


def test_each_look_is_an_audit_event_that_names_nobody(
    ran: Ran, command: Run, me: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(events(ran.installation.home))
    monkeypatch.setattr("sys.stdin", io.StringIO("7\n"))
    assert command("accounting", "person", "-", *me, "--json")[0] == 0
    assert command("accounting", "person", "10000", *me)[0] == 0
    after = events(ran.installation.home)
    looks = [after[seq] for seq in sorted(set(after) - before)]
    assert [(e["kind"], e["batch"], e["facts"]["what"], e["facts"]["who"]) for e in looks] == [
        ("view", None, "person", "operator-1")
    ] * 2
    assert looks[0]["facts"]["person"] != looks[1]["facts"]["person"]
    assert all(
        set(e["facts"]) == {"what", "who", "person", "reason"} and len(e["facts"]["person"]) == 64 for e in looks
    )
    assert command("ledger", "verify")[0] == 0


@pytest.mark.parametrize("given", ["CANARY", "", "1.5", "٣", "1; DROP"])
def test_what_is_no_record_id_is_said_and_not_repeated(ran: Ran, command: Run, me: tuple[str, ...], given: str) -> None:
    code, out, err = command("accounting", "person", given, *me)
    assert (code, out) == (2, "") and "RECORD_ID" in err and not (given and given in err)


def test_the_accounting_of_a_batch_says_what_the_law_asks_for(ran: Ran, command: Run) -> None:
    shown = json.loads(command("accounting", "show", ran.published, "--json")[1])
    assert (shown["rows"], shown["disclosed"], shown["outcomes"]) == (
        38,
        30,
        {"held": 6, "released": 30, "unmatched": 2},
    )
    header = shown["header"]
    assert (
        header["recipient"]["address"] == "1000 Example Ave, Washington DC 20001"
        and header["holder"]["id"] == "register-office"
    )
    with Ledger.open(ran.installation.home.ledger_url) as ledger:
        assert header["agreement"]["digest"] == ledger.versions(AGREEMENT)[-1].digest
        assert header["submission"] == ledger.batch(ran.published).submission  # type: ignore[union-attr]
    assert len(header["letter"]) == 64 and header["purpose"] == "Criminal proceeding" and header["received_on"]
    refused = json.loads(command("accounting", "show", ran.batches[State.REFUSED], "--json")[1])
    assert (refused["disclosed"], refused["disclosed_on"], refused["outcomes"]) == (0, None, {"refused": 1})
    assert refused["header"]["recipient"]["id"] == "ice"
    assert "1000 Example Ave" in command("accounting", "show", ran.published)[1]
    assert list(ran.installation.home.lake.glob(".view-*")) == []


def test_the_accounting_is_exported_with_reason_period_and_officer(
    ran: Ran, command: Run, me: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "export.csv"
    asked = (*me, "--out", str(out), "--agency-code", "FED1", "--purpose-code", "19")
    code, said, err = command("accounting", "export", ran.published, *asked)
    assert (code, said.split()[0]) == (0, "30"), err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert out.stat().st_mode & 0o077 == 0
    first = next(row for row in rows if row["request_id"] == "R-000007")
    assert (first["reason"], first["taxable_period"]) == (submissions.row(7)["reason"], "2024")
    assert first["officer"] == submissions.row(7)["officer"] and first["date_of_request"] == first["date_of_disclosure"]
    assert (first["agency_code"], first["purpose_code"], first["authority"]) == ("FED1", "19", "26 USC 6103(i)(2)")
    assert command("accounting", "export", ran.published, "--all", *asked[:6])[1].split()[0] == "38"
    refused = ran.batches[State.REFUSED]
    assert command("accounting", "export", refused, *asked[:6])[1].split()[0] == "0"  # nothing was disclosed
    assert command("accounting", "export", refused, "--all", *asked[:6])[1].split()[0] == "1"
    assert next(csv.DictReader(out.read_text().splitlines()))["reason"]
    looks = [e["facts"]["what"] for e in events(ran.installation.home).values() if e["kind"] == "view"]
    assert looks.count("accounting") == 4


@pytest.mark.parametrize("which", [State.HELD, State.UNREADABLE])
def test_a_batch_without_an_accounting_says_so(ran: Ran, command: Run, which: State) -> None:
    code, _, err = command("accounting", "show", ran.batches[which])
    assert code == 2 and "NOT_ACCOUNTED" in err


def test_every_number_of_a_declaration_stands_in_the_event_that_it_names(ran: Ran, command: Run) -> None:
    said = json.loads(command("report", ran.published, "--format", "json")[1])
    assert {f["figure"].split(" ")[0]: f["rows"] for f in said["figures"]} == {
        "asked": 38,
        "rejected": 0,
        "looked": 33,
        "matched": 31,
        "disclosed": 30,
        "withheld": 8,
    }
    assert {c["code"]: c["rows"] for c in said["codes"]} == {
        "PLACEHOLDER": 1,
        "NO_NUMBER": 1,
        "ZIP_NOT_IN_STATE": 1,
        "NOT_CORROBORATED": 1,
        "FINAL_ORDER_TOO_RECENT": 1,
        "OFFICER_NOT_IN_LETTER": 1,
        "NO_CANDIDATE": 2,
        "CITY_NOT_IN_ZIP": 1,
    }
    assert [(c["checkpoint"], c["verdict"]) for c in said["checkpoints"]] == [
        (c, "passed") for c in ("intake", "matching", "eligibility", "disclosure")
    ]
    chain = events(ran.installation.home)
    for line in (*said["figures"], *said["checkpoints"], said["accounting"]):
        assert chain[line["event"]]["hash"] == line["hash"] and chain[line["event"]]["batch"] == ran.published
    by = {f["figure"].split(" ")[0]: (chain[f["event"]], f["rows"]) for f in said["figures"]}
    accounted = chain[said["accounting"]["event"]]["facts"]
    for name, fact in {"asked": "rows", "looked": "looked_up", "matched": "matched"}.items():
        assert by[name][0]["facts"][fact] == by[name][1]
    assert (
        by["rejected"][0]["facts"] == by["withheld"][0]["facts"] == accounted
        and "rejected" not in accounted["outcomes"]
    )
    assert by["disclosed"][0]["kind"] == "published" and by["disclosed"][1] == accounted["outcomes"]["released"]
    assert by["withheld"][1] == accounted["rows"] - accounted["outcomes"]["released"]
    root = chain[said["accounting"]["event"]]["facts"]["merkle_root"]
    assert said["accounting"]["merkle_root"] == root and {i["id"] for i in said["instruments"]} >= {AGREEMENT}


@pytest.mark.parametrize("which", [State.PUBLISHED, State.REFUSED, State.UNREADABLE])
@pytest.mark.parametrize("form", ["md", "html"])
def test_a_declaration_can_be_read(ran: Ran, command: Run, tmp_path: Path, which: State, form: str) -> None:
    out = tmp_path / f"report.{form}"
    code, said, err = command("report", ran.batches[which], "--format", form, "--out", str(out))
    assert code == 0 and str(out) in said, err
    text = out.read_text()
    assert ran.batches[which] in text and which.value in text
    if form == "html":  # one file, which asks nothing of anybody
        assert "<script" not in text and "http" not in text and "src=" not in text and "url(" not in text


def test_what_is_under_way_is_not_declared(ran: Ran, command: Run) -> None:
    code, _, err = command("report", ran.batches[State.HELD])
    assert code == 2 and "NOT_ACCOUNTED" in err


@pytest.mark.parametrize(
    "arguments",
    [(), ("b-1", "--year", "2026"), ("b-1", "--agency", "x"), ("b-1",), ("--year", "2026", "--agency", "x")],
)
def test_a_report_of_nothing_is_wrong_usage(ran: Ran, command: Run, arguments: tuple[str, ...]) -> None:
    assert command("report", *arguments)[0] == 2
    assert command("report", ran.published, "--format", "pdf")[0] == 2


def test_the_annual_report_counts_each_agency(ran: Ran, command: Run) -> None:
    year = str(Clock().today(ran.installation.agreement.zone).year)
    said = json.loads(command("report", "--year", year, "--format", "json")[1])
    found = {a["id"]: a for a in said["agencies"]}
    ours = found[AGENCY]
    assert (ours["requests"], ours["disclosures"], ours["taxpayers"]) == (46, 30, 30)
    assert (ours["requests_withheld"], ours["requests_pending"]) == (
        8,
        8,
    )  # the held batch is pending, as its letter says
    assert (found["ice"]["requests"], found["ice"]["disclosures"], found["ice"]["withheld_by_outcome"]) == (
        1,
        0,
        {"refused": 1},
    )
    assert (found["unknown"]["unreadable_submissions"], found["unknown"]["requests"]) == (1, 0)
    alone = json.loads(command("report", "--year", year, "--agency", AGENCY, "--format", "json")[1])
    assert alone["agencies"] == [ours]
    for form in ("md", "html"):
        code, text, _ = command("report", "--year", year, "--format", form)
        assert code == 0 and "Department of Examples" in text


# Below: made-up batches in a ledger of their own, at times that a test chooses.


EARLY = Clock(datetime(2024, 12, 1, tzinfo=UTC))  # before the first of the books


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = init(tmp_path_factory.mktemp("books"), sandbox=True, settings={}, clock=EARLY)
    with installations.at_home(made):
        yield made


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def book(
    home: Home,
    folder: Path,
    batch: str,
    received: str,
    left: str | None,
    persons: list[int],
    *,
    prepared: bool = True,
    withheld: int = 2,
    first: int = 0,
) -> None:
    """A batch received and published at these times, which disclosed these persons (each `withheld` rows more were
    not)."""
    at = Clock(utc(received), leap=timedelta.max)
    with Ledger.open(home.ledger_url, at) as ledger:
        digest = ledger.versions(AGREEMENT)[-1].digest
        ledger.receive(
            batch,
            submission=sha(batch),
            requester=AGENCY,
            agreement=AGREEMENT,
            received_at=at.now(),
            decided_on=date(2026, 1, 1),
            instruments={AGREEMENT: digest},
            register="r",
            rows=len(persons) + withheld,
        )
        for state in (State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED):
            ledger.advance(batch, state, facts={"declared": 1, "evaluated": 1, "rows": 1})
        for root in ("first", "second"):  # sealed twice: the newest accounting counts
            ledger.account(
                batch,
                Accounted(
                    rows=len(persons) + withheld,
                    outcomes={"held": withheld, "released": len(persons)},
                    codes={"NO_NUMBER": withheld},
                    merkle_root=sha(f"{batch} {root}"),
                    accounting=sha(root),
                    evidence=sha("e"),
                ),
            )
    if not prepared:
        return
    made = package(folder / batch, batch)
    with Ledger.open(home.ledger_url, Clock(utc(left or received), leap=timedelta.max)) as ledger:
        keys = [(sha(f"{batch} {first + n}"), sha(f"person {p}")) for n, p in enumerate(persons)]
        publication.prepare(
            ledger,
            batch,
            keys=keys,
            package=made,
            merkle_root=sha(f"{batch} second"),
            content_digest=sha("c"),
            law=no_law,
        )
        if left:
            publication.publish(ledger, batch, package=made, outbox=folder / "outbox", law=no_law)


def time_goes_on(home: Home) -> None:
    """To today, for the commands that go by the machine's clock."""
    with Ledger.open(home.ledger_url, Clock(leap=timedelta.max)) as ledger:
        assert ledger.tick()


@pytest.fixture(scope="module")
def books(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """New York is five hours behind: its year begins at 05:00 UTC."""
    folder = tmp_path_factory.mktemp("packages")
    book(home, folder, "old", "2024-12-31T12:00", "2025-01-01T04:59", [1, 2, 3])  # all of 2024, there
    book(home, folder, "across", "2025-12-31T12:00", "2026-01-01T05:00", [1, 1, 4])
    book(home, folder, "same", "2026-03-01T12:00", "2026-03-02T12:00", [4, 5])
    book(home, folder, "prepared", "2026-03-03T12:00", None, [6, 7])
    book(home, folder, "sealed", "2026-03-04T12:00", None, [8], prepared=False)
    time_goes_on(home)
    return home


@pytest.mark.parametrize(
    ("year", "requests", "disclosed", "withheld", "pending", "disclosures", "taxpayers"),
    [(2024, 5, 3, 2, 0, 3, 3), (2025, 5, 3, 2, 0, 0, 0), (2026, 11, 2, 2, 7, 5, 3)],
)
def test_years_are_counted_in_the_agreements_zone(
    books: Home, year: int, requests: int, disclosed: int, withheld: int, pending: int, disclosures: int, taxpayers: int
) -> None:
    (a,) = annual(books, Clock(utc("2027-01-10T12:00"), pretended=True), year)["agencies"]
    assert (a["requests"], a["requests_disclosed"], a["requests_withheld"], a["requests_pending"]) == (
        requests,
        disclosed,
        withheld,
        pending,
    )
    assert (a["disclosures"], a["taxpayers"]) == (disclosures, taxpayers)


def test_it_says_when_it_is_due_and_when_it_is_early(books: Home) -> None:
    said = annual(books, Clock(utc("2026-12-31T23:00"), pretended=True), 2026)
    assert (said["due_on"], said["preliminary"]) == ("2027-03-31", True)
    assert not annual(books, Clock(utc("2027-01-01T12:00"), pretended=True), 2026)["preliminary"]
    assert annual(books, Clock(), 2020)["agencies"] == []
    assert "The year is not over" in render(said, Format.MD)


def test_prepared_is_not_disclosed(books: Home) -> None:
    rows = {f["figure"]: f["rows"] for f in declaration(books, Clock(), "prepared")["figures"]}
    assert (rows["disclosed"], rows["withheld"]) == (0, 4)


def test_persons_are_found_in_every_batch_that_left(books: Home) -> None:
    with Ledger.open(books.ledger_url) as ledger:
        found = {
            p: [(d.batch.name, d.requests) for d in ledger.disclosures_of(sha(f"person {p}"))] for p in range(1, 9)
        }
    assert found == {
        1: [("old", 1), ("across", 2)],
        2: [("old", 1)],
        3: [("old", 1)],
        4: [("across", 1), ("same", 1)],
        5: [("same", 1)],
        6: [],
        7: [],
        8: [],
    }


def test_what_is_recalled_is_a_disclosure_still_and_says_so(tmp_path: Path) -> None:
    """Of two requests for one person one is recalled; another person of the same batch is not."""
    other = init(tmp_path / "home", sandbox=True, settings={}, clock=EARLY)
    book(other, tmp_path, "b", "2026-03-01T12:00", "2026-03-02T12:00", [1, 1, 2])
    time_goes_on(other)
    with Ledger.open(other.ledger_url) as ledger:
        case = NewCase(
            "case-1", AGENCY, AGREEMENT, CaseReason.NO_AUTHORITY, utc("2026-04-01T12:00"), {"b": 1}, {}, sha("rows")
        )
        assert ledger.open_case(case, [(sha("b 0"), sha("person 1"))], "operator-1") == frozenset()
        found = {p: ledger.disclosures_of(sha(f"person {p}")) for p in (1, 2)}
        assert [(d.requests, d.recalls) for p in (1, 2) for d in found[p]] == [(2, {"case-1": "found"}), (1, {})]
        assert ledger.verify() == []


def test_the_newest_accounting_counts(books: Home) -> None:
    assert declaration(books, Clock(), "same")["accounting"]["merkle_root"] == sha("same second")


def test_events_that_do_not_add_up_are_no_report(home: Home, tmp_path: Path) -> None:
    other = init(tmp_path / "home", sandbox=True, settings={}, clock=EARLY)
    book(other, tmp_path, "b", "2026-03-01T12:00", "2026-03-02T12:00", [1, 2])
    time_goes_on(other)
    with sqlite3.connect(other.root / "ledger.db") as ledger:
        ledger.execute(
            """UPDATE events SET facts = replace(facts, '"released":2', '"released":3') WHERE kind = 'accounted'"""
        )
    with pytest.raises(Fault, match="REPORT_DIFFERS"):
        declaration(other, Clock(), "b")


def test_text_of_an_instrument_cannot_break_out_of_its_page(books: Home) -> None:
    said = declaration(books, Clock(), "same")
    said["agency"] = {"id": "x", "name": "<script>alert(1)</script> | a", "address": "x"}
    assert "<script" not in render(said, Format.HTML)
    with pytest.raises(Usage):
        declaration(books, Clock(), "nobody")


def test_a_declaration_is_the_same_each_time(books: Home) -> None:
    one, two = (declaration(books, Clock(utc("2027-01-01T12:00"), pretended=True), "same") for _ in range(2))
    assert of_json(one) == of_json(two) and Counter(o["outcome"] for o in one["outcomes"]) == {"held": 1, "released": 1}


def test_what_the_law_keeps_from_the_person_is_left_out(ran: Ran) -> None:
    """5 USC 552a(c)(3): an agreement that says so now covers what was disclosed under it before."""
    with Ledger.open(ran.installation.home.ledger_url) as ledger:
        body = next(body for id, _, body in ledger.instruments() if id == AGREEMENT).decode()
        kept = body.replace("[holder]", "kept_from_person = true\n\n[holder]", 1)
        enrol(ran.installation.home, ledger, kept.encode(), AGREEMENT)
    home = ran.installation.home
    why = Why(LookReason.PERSON_ASKS)
    assert person(home, Clock(), "7", "operator-1", why) == []
    (shown,) = person(home, Clock(), "7", "operator-1", why, every=True)
    assert shown["kept_from_person"] is True
