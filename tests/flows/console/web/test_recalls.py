"""Recalls at the console: opened, taken from step to step by passkeys, and closed by two; what is handed in is judged
by the same code as for a command, lies sealed until it is signed, and is quoted nowhere."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from expectations.base.digests import of_bytes
from flows.audit import export, sealed
from flows.cases import advancing, places
from flows.console.web.app import make
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.lifecycles.cases import CaseState
from flows.sandbox import home as sandbox
from tests.factories import consoles, recalls
from tests.factories.authenticator import Authenticator
from tests.factories.consoles import ORIGIN, Browser, password_for
from tests.flows.console.web.test_passkeys import answer, enrolled

CANARY = "Zebulon Quartermain"


@pytest.fixture
def case(batches: dict[str, str]) -> str:
    return batches["case"]


class Person:
    """Somebody signed in, with a passkey."""

    def __init__(self, app: FastAPI, name: str) -> None:
        self.browser, self.phone = Browser(app), Authenticator(origin=ORIGIN)
        enrolled(app, self.phone, name)
        self.browser.sign_in(name)

    def fields(self, path: str) -> dict[str, str]:
        """What the form of the page at `path` sends, once the passkey has signed."""
        page = self.browser.get(path).text
        (nonce,), (seen,) = (re.findall(f'name="{name}" value="([^"]+)"', page) for name in ("nonce", "seen"))
        (options,) = re.findall(r'data-ask="([^"]+)"', page)
        asked = signatures.base64.urlsafe_b64decode(json.loads(html.unescape(options))["challenge"] + "=")
        return {"form": self.browser.token(), "nonce": nonce, "seen": seen, "answer": answer(self.phone, asked)}

    def sign(self, path: str) -> Any:
        return self.browser.post(path, self.fields(path))

    def step(self, case: str, step: str, data: bytes) -> Any:
        handed = self.browser.upload(f"/recalls/{case}/{step}", data)
        assert handed.status_code == 303, handed.text
        assert handed.headers["location"] == f"/recalls/{case}/{step}/{of_bytes(data)}"
        return self.sign(handed.headers["location"])


@pytest.fixture
def people(app: FastAPI, full: None) -> list[Person]:
    return [Person(app, name) for name in ("operator-1", "operator-2")]


def now(app: FastAPI, case: str) -> CaseRecord:
    found: CaseRecord = app.state.console.ledger.case(case)
    return found


def folder(app: FastAPI, case: str) -> Path:
    return places.folder(app.state.console.home, case)


def waiting(app: FastAPI, case: str) -> list[str]:
    return [path.name for path in folder(app, case).iterdir() if path.name.startswith("handed-")]


def problems(app: FastAPI) -> list[object]:
    console = app.state.console
    return [*console.ledger.verify(), *sealed.problems(console.home, console.ledger)]


def to_disposed(person: Person, case: str) -> None:
    person.step(case, "notified", b"receipts")
    person.step(case, "copies", recalls.COPIES)
    log = recalls.log("package-1", "db-1", "derived-1")
    page = person.browser.get(person.browser.upload(f"/recalls/{case}/disposed", log).headers["location"]).text
    assert "Copies on the list: 3." in page and "destroyed or returned so far, with this log: 3." in page
    person.step(case, "disposed", log)


def test_a_case_goes_to_its_end_by_passkeys(app: FastAPI, people: list[Person], case: str, tmp_path: Path) -> None:
    ada, ben = people
    to_disposed(ada, case)
    home = app.state.console.home
    assert ada.browser.upload(f"/recalls/{case}/attested", recalls.attestation(home, case)).status_code == 303
    assert "is not recorded who notified" in ada.browser.get(f"/recalls/{case}/closed").text
    page = ben.browser.get(ben.browser.upload(f"/recalls/{case}/persons", recalls.persons(2)).headers["location"]).text
    assert "it stays there." in page and "Recalled rows: 2." in page
    assert "Of these, rows whose persons were notified; of the rest no notice is due: 0." in page
    ben.step(case, "persons", recalls.persons(2))
    assert "Two different operators sign the same." in ada.browser.get(f"/recalls/{case}/closed").text
    assert ada.sign(f"/recalls/{case}/closed").headers["location"] == f"/recalls/{case}"
    assert now(app, case).state is CaseState.ATTESTED
    page = ben.browser.get(f"/recalls/{case}").text
    assert "One operator has signed that it is closed" in page and "you are one of them" not in page
    assert "operator-1" not in page and "you are one of them" in ada.browser.get(f"/recalls/{case}").text
    assert "have signed</dt><dd>1 of 2" in ben.browser.get("/recalls").text
    assert "has signed this step already" in ada.sign(f"/recalls/{case}/closed").text
    assert ben.sign(f"/recalls/{case}/closed").status_code == 303
    assert now(app, case).state is CaseState.CLOSED and waiting(app, case) == [] and problems(app) == []
    signed = [e["facts"] for e in app.state.console.ledger.events() if e["kind"] == "recall_signed"]
    by = [(one["proof"], one["by"]) for one in signed]
    assert by == [
        ("notice", "operator-1"),
        ("copies", "operator-1"),
        ("log", "operator-1"),
        ("attestation", now(app, case).requester),
        ("persons", "operator-2"),
        ("review", "operator-1"),
        ("review", "operator-2"),
    ]
    assert "Nothing: the case is closed" in ada.browser.get(f"/recalls/{case}").text
    export.write(app.state.console.ledger, tmp_path / "chain.jsonl")  # whoever has that alone verifies it as well
    assert export.verify(tmp_path / "chain.jsonl", [], home.holders)[0] == []


def test_what_is_shown_names_what_is_signed_and_nothing_stale_is(app: FastAPI, people: list[Person], case: str) -> None:
    ada, ben = people
    ada.step(case, "notified", b"receipts")
    path = ada.browser.upload(f"/recalls/{case}/copies", recalls.COPIES).headers["location"]
    page = ada.browser.get(path).text
    assert "The case stands at: notified; by this it comes to: copies enumerated." in page
    assert "Copies on the list, those of an earlier list too: 3." in page
    assert "Recalled rows in them, each counted once for each copy that has it: 13." in page
    assert "Copies that were made from another copy: 2." in page
    assert of_bytes(recalls.COPIES) in page and "One operator signs." in page
    assert "what was recalled leaves no second time" in page and "releases a row" not in page
    fields = ada.fields(path)
    ben.step(case, "persons", recalls.persons(2))  # the case stays where it is, and another event brought it there
    before = app.state.console.ledger.head()
    answered = ada.browser.post(path, fields)
    assert answered.status_code == 409 and "does not wait any more" in answered.text
    again = ada.browser.upload(f"/recalls/{case}/copies", recalls.COPIES).headers["location"]
    answered = ada.browser.post(again, fields)
    assert answered.status_code == 409 and "has changed since, and nothing was signed" in answered.text
    assert app.state.console.ledger.head() == before and now(app, case).state is CaseState.NOTIFIED
    assert ada.sign(again).status_code == 303 and now(app, case).state is CaseState.ENUMERATED


def test_a_signature_for_another_file_does_not_count(app: FastAPI, people: list[Person], case: str) -> None:
    ada, _ = people
    one, other = (ada.browser.upload(f"/recalls/{case}/notified", d).headers["location"] for d in (b"one", b"other"))
    fields, seen = ada.fields(one), ada.fields(other)["seen"]
    answered = ada.browser.post(other, {**fields, "seen": seen})
    assert answered.status_code == 409 and "not over this" in answered.text
    assert now(app, case).state is CaseState.FROZEN


def test_nobody_signs_with_anothers_passkey(app: FastAPI, people: list[Person], case: str) -> None:
    ada, ben = people
    path = ada.browser.upload(f"/recalls/{case}/notified", b"receipts").headers["location"]
    fields = {**ben.fields(path), "form": ada.browser.token()}
    answered = ada.browser.post(path, fields)
    assert answered.status_code == 409 and "no signature of one of your passkeys" in answered.text
    assert now(app, case).state is CaseState.FROZEN


def test_two_clicks_at_a_time_take_one_step(app: FastAPI, people: list[Person], case: str) -> None:
    ada, _ = people
    path = ada.browser.upload(f"/recalls/{case}/notified", b"receipts").headers["location"]
    fields = ada.fields(path)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: ada.browser.post(path, fields), range(2)))
    assert {a.status_code for a in answers} <= {303, 409} and 303 in {a.status_code for a in answers}
    assert ada.browser.post(path, fields).headers["location"] == f"/recalls/{case}"
    assert [s.proof for s in now(app, case).steps if s.proof == "notice"] == ["notice"] and problems(app) == []


def test_a_file_waits_sealed_over_a_restart_and_a_fault_and_no_longer_than_the_next_step(
    app: FastAPI, people: list[Person], case: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ada, ben = people
    path = ada.browser.upload(f"/recalls/{case}/notified", CANARY.encode()).headers["location"]
    for n in range(places.MOST_WAITING + 3):
        ben.browser.upload(f"/recalls/{case}/notified", b"%d" % n)
        folder(app, case).joinpath(f"handed-{of_bytes(CANARY.encode())[:16]}.age").touch()
    assert len(waiting(app, case)) == places.MOST_WAITING
    assert all(CANARY.encode() not in p.read_bytes() for p in app.state.console.home.root.rglob("*") if p.is_file())
    with monkeypatch.context() as patched:  # the proof is stored, and then something breaks

        def breaks(*_: object, **__: object) -> None:
            raise RuntimeError(CANARY)

        patched.setattr(advancing.Desk, "agreement", breaks)
        patched.setattr("flows.ledger.recalls.Recalls.take", breaks)
        assert ada.sign(path).status_code == 500
    assert now(app, case).state is CaseState.FROZEN and CANARY not in "".join(capfd.readouterr())
    again = make(app.state.console.home)
    later = Browser(again)
    password_for(again.state.console, "operator-1")
    later.sign_in()
    assert later.get(path).status_code == 200
    again.state.console.ledger.close()
    ada.browser.sign_in()
    assert ada.sign(path).status_code == 303
    assert now(app, case).state is CaseState.NOTIFIED and waiting(app, case) == [] and problems(app) == []
    assert ben.browser.get(f"/recalls/{case}/notified/{of_bytes(b'9')}").status_code == 409


WRONG: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("notified", b"", "The file is empty (the file)"),
    "no CSV": ("persons", CANARY.encode() + b"\xff", "The file is no CSV in UTF-8"),
    "no column of the form": ("persons", f"{CANARY},b\n1,2\n".encode(), "A column is missing: notifies"),
    "a value of another form": (
        "persons",
        recalls.persons(2).replace(b"nobody", CANARY.encode()),
        "notifies",
    ),
    "not all rows": ("persons", recalls.persons(7), "The entries are not of all recalled rows"),
    "no TOML": ("persons", f"[[persons]]\n{CANARY} = \n".encode(), "The file is not TOML (the file, line 2)"),
    "a formula": ("persons", b'notifies,person,rows\n"=cmd()",x,2\n', "(the file, entry 1)"),
}


@pytest.mark.parametrize(("step", "data", "said"), WRONG.values(), ids=WRONG)
def test_a_form_at_fault_names_its_place_and_no_value(
    app: FastAPI, people: list[Person], case: str, step: str, data: bytes, said: str
) -> None:
    ada, _ = people
    if step == "persons":
        ada.step(case, "notified", b"receipts")
    before = app.state.console.ledger.head()
    answered = ada.browser.upload(f"/recalls/{case}/{step}", data, f"{CANARY}.csv")
    assert answered.status_code == 422 and said in html.unescape(answered.text), answered.text
    assert CANARY not in answered.text and "cmd()" not in answered.text
    assert waiting(app, case) == [] and app.state.console.ledger.head() == before


def test_a_step_that_the_case_does_not_wait_for_is_not_taken(ada: Browser, app: FastAPI, case: str) -> None:
    for step, data in (("copies", recalls.COPIES), ("disposed", recalls.log("db-1")), ("attested", b"x")):
        answered = ada.upload(f"/recalls/{case}/{step}", data)
        assert answered.status_code == 409 and "does not wait for" in answered.text
    assert ada.get(f"/recalls/{case}/closed").status_code == 409 and waiting(app, case) == []
    frozen = ada.post(f"/recalls/{case}/frozen", {"form": ada.token()})
    assert frozen.status_code == 303 and now(app, case).state is CaseState.FROZEN


def test_no_attestation_counts_but_the_recipients(app: FastAPI, people: list[Person], case: str) -> None:
    ada, _ = people
    to_disposed(ada, case)
    home = app.state.console.home
    for wrong in (CANARY.encode(), recalls.attestation(home, case, recalls.operator(home)), b"\xff"):
        answered = ada.browser.upload(f"/recalls/{case}/attested", wrong)
        assert answered.status_code == 422 and CANARY not in answered.text
        assert "no key of the agreement signed this attestation" in answered.text.lower()
    assert now(app, case).state is CaseState.DISPOSED and waiting(app, case) == []


def test_an_order_that_preserves_forbids_a_disposal_before_it_is_signed(
    app: FastAPI, people: list[Person], case: str
) -> None:
    ada, _ = people
    ada.step(case, "notified", b"receipts")
    ada.step(case, "copies", recalls.COPIES)
    console = app.state.console
    order = (
        'kind = "court_order"\nid = "keep"\ncourt = "c"\ndocket = "d"\ntitle = "t"\nsource = "fictional"\n'
        'effective_on = 2026-01-01\neffect = "forbid"\npreserve = true\n[scope]\nagreements = ["sandbox-2026"]\n'
    )
    sandbox.enrol(console.home, console.ledger, order.encode(), "keep")
    answered = ada.browser.upload(f"/recalls/{case}/disposed", recalls.log("db-1"))
    assert answered.status_code == 409 and "must be kept" in answered.text and waiting(app, case) == []
    assert ada.browser.post(f"/recalls/{case}/documents", {"form": ada.browser.token()}).status_code == 303
    page = ada.browser.get(f"/recalls/{case}").text
    assert "preservation_notice.md" in page and "waits: keep" in page


def test_documents_are_given_out_as_they_were_issued_or_not_at_all(ada: Browser, app: FastAPI, case: str) -> None:
    page, place = ada.get(f"/recalls/{case}").text, folder(app, case)
    for name in ("freeze_notice.md", "incident_report.md", "copies.csv"):
        got = ada.get(f"/recalls/{case}/documents/{name}")
        assert got.content == (place / name).read_bytes() and f"/documents/{name}" in page
        assert got.headers["content-disposition"] == f'attachment; filename="{case}-{name}"'
    assert "affected.age" in page and "documents/affected.age" not in page
    for name in ("affected.age", "list", ATTESTATION, "..%2f..%2fkeys%2fhash", "proof-0.age"):
        assert ada.get(f"/recalls/{case}/documents/{name}").status_code == 404
    (place / "freeze_notice.md").write_text(CANARY)
    changed = ada.get(f"/recalls/{case}/documents/freeze_notice.md")
    assert changed.status_code == 409 and CANARY not in changed.text
    assert "<strong>changed</strong>" in ada.get(f"/recalls/{case}").text
    for name in ("copies.csv", "disposal_log.csv", "persons.csv"):
        form = ada.get(f"/forms/{name}")
        assert form.status_code == 200 and form.text.endswith("\n") and len(form.text.splitlines()) == 1


@pytest.fixture
def opening(ada: Browser, batches: dict[str, str]) -> Iterator[dict[str, str]]:
    """A form that names rows."""
    page = ada.get(f"/batches/{batches['published']}/recall").text
    (at,) = re.findall(r'name="discovered" type="datetime-local" value="([^"]+)"', page)
    yield {"form": ada.token(), "reason": "no_authority", "which": "these", "rows": "3\n4", "discovered": at}


def test_a_case_is_opened_once_it_was_looked_at_and_once_only(
    app: FastAPI, ada: Browser, batches: dict[str, str], opening: dict[str, str], case: str
) -> None:
    path, ledger = f"/batches/{batches['published']}/recall", app.state.console.ledger
    assert f'href="{path}"' in ada.get(f"/batches/{batches['published']}").text
    before = ledger.head()
    foreseen = ada.post(path, opening)
    assert foreseen.status_code == 200 and "2 rows would be frozen at once" in foreseen.text
    assert ledger.head() == before and len(ledger.cases()) == 1
    fields = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', foreseen.text.split("<main")[1]))
    assert fields == {**opening, "sure": "yes"}
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: ada.post(path, fields), range(2)))
    (opened,) = [one for one in ledger.cases() if one.id != case]
    assert [a.headers["location"] for a in answers] == [f"/recalls/{opened.id}"] * 2
    assert (opened.state, opened.rows, opened.reason) == (CaseState.FROZEN, 2, "no_authority")
    (event,) = [e["facts"] for e in ledger.events() if e["kind"] == "recall" and e["facts"]["case"] == opened.id][:1]
    assert event["by"] == "operator-1" and problems(app) == []
    assert opened.id in ada.post(path, opening).text  # the next who looks is told
    every = ada.post(path, {**opening, "which": "all", "sure": "yes", "rows": ""})
    rest = ledger.case(every.headers["location"].removeprefix("/recalls/"))
    assert rest.rows == 20 - 2 - 2 and problems(app) == []
    again = ada.post(path, {**opening, "which": "all", "sure": "yes"})
    assert again.status_code == 409 and "every one of these rows is in a recall case already" in again.text.lower()
    assert len(ledger.cases()) == 3


def test_rows_may_be_handed_in_as_a_file(ada: Browser, batches: dict[str, str], opening: dict[str, str]) -> None:
    more = {name: opening[name] for name in ("reason", "which", "discovered")}
    found = ada.upload(f"/batches/{batches['published']}/recall", b"ordinal\r\n5\r\n6\r\n7\r\n", **more)
    assert "3 rows would be frozen at once" in found.text


OPENINGS: dict[str, tuple[dict[str, str], int, str]] = {
    "no rows": ({"rows": ""}, 422, "name 1 to 5,000 rows"),
    "too many": ({"rows": "\n".join(map(str, range(5_001)))}, 422, "name 1 to 5,000 rows"),
    "no number": ({"rows": f"3\n{CANARY}"}, 422, "an entry is no ordinal (the rows, entry 2)"),
    "not released": ({"rows": "3\n999"}, 422, "1 of the 2 rows were not released"),
    "twice": ({"rows": "3\n3"}, 422, "1 of the rows are duplicates"),
    "no time": ({"discovered": CANARY}, 422, "the time of discovery is no time"),
    "later": ({"discovered": "2199-01-01T00:00"}, 409, "lies in the future"),
    "no reason": ({"reason": CANARY}, 400, ""),
    "neither all nor these": ({"which": CANARY}, 400, ""),
}


@pytest.mark.parametrize("sure", ["", "yes"])
@pytest.mark.parametrize(("wrong", "status", "said"), OPENINGS.values(), ids=OPENINGS)
def test_what_is_wrong_opens_no_case(
    app: FastAPI,
    ada: Browser,
    batches: dict[str, str],
    opening: dict[str, str],
    wrong: dict[str, str],
    status: int,
    said: str,
    sure: str,
) -> None:
    before = app.state.console.ledger.head()
    answered = ada.post(f"/batches/{batches['published']}/recall", {**opening, **wrong, "sure": sure})
    assert answered.status_code == status and said in answered.text.replace("An entry", "an entry").replace(
        "Name 1", "name 1"
    ).replace("The time", "the time")
    assert CANARY not in answered.text and "Zebulon" not in answered.text
    assert app.state.console.ledger.head() == before


def test_what_was_not_released_has_nothing_to_recall(ada: Browser, batches: dict[str, str]) -> None:
    held = batches["held"]
    assert "Recall it" not in ada.get(f"/batches/{held}").text
    assert "nothing to recall" in ada.get(f"/batches/{held}/recall").text


def test_who_has_no_passkey_is_shown_the_command(ada: Browser, case: str) -> None:
    page = ada.get(ada.upload(f"/recalls/{case}/notified", b"receipts").headers["location"]).text
    assert "You have no passkey for this console" in page
    assert f"sluicegate recall advance {case} notified --file FILE --key KEY" in page


def test_each_look_is_in_the_audit_log(ada: Browser, app: FastAPI, case: str) -> None:
    for path in ("/recalls", f"/recalls/{case}", f"/recalls/{case}/documents/copies.csv"):
        assert ada.get(path).status_code == 200
    app.state.keeper.keep()
    ledger = app.state.console.ledger
    looked = [e["facts"] for e in ledger.events() if e["kind"] == "pages"]
    assert {(one["page"], one.get("case")) for one in looked} == {
        ("recalls", None),
        ("case", case),
        ("document", case),
    }
    assert ledger.verify() == []


def test_corrections_that_are_owed_are_shown_to_who_asks(
    ada: Browser, batches: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {"form": ada.token()}
    assert "No notices of corrections owed" in ada.post("/recalls/corrections", form).text
    one = {"agreement": "a-1", "recipient": "The <agency>", "address": "x", "disclosures": 1_234}
    owed = [{**one, "batches": {batches["published"]: 1_234}}]
    monkeypatch.setattr("flows.cases.corrections.due", lambda *_: owed)
    page = ada.post("/recalls/corrections", form).text
    assert "1 notice of corrections owed" in page and "1,234" in page and "The &lt;agency&gt;" in page
    assert "Send this notice" in page


def test_the_most_urgent_comes_first_and_what_has_passed_is_said(
    ada: Browser, app: FastAPI, people: list[Person], batches: dict[str, str], case: str
) -> None:
    other = recalls.opened(app.state.console.home, batches["published"], 9)
    people[0].step(case, "notified", b"receipts")
    page = ada.get("/recalls").text
    assert page.index(other) < page.index(case) and "2 open recalls" in page and "(23 h left)" in page
    consoles.later(app.state.console, hours=25)
    ada.sign_in()
    assert "<strong>passed</strong>" in ada.get("/recalls").text
    page = ada.get("/").text
    assert f'<a href="/recalls/{other}">{other}</a>' in page and "incident_report" not in page.split("<h3>")[0]


def test_a_thousand_cases_take_a_page_as_many_queries_as_one(app: FastAPI, ada: Browser) -> None:
    def asked(path: str) -> int:
        app.state.console.fresh.forget()
        with recalls.queries() as found:
            assert ada.get(path).status_code == 200
        return len(found)

    first, of_cases = asked("/"), asked("/recalls")
    recalls.multiplied(app.state.console.ledger, 999)
    assert asked("/recalls") == of_cases
    assert asked("/") <= first + 6  # names are looked up a thousand at a time, and a batch waits as well
    assert ada.get("/recalls").text.count('class="kind"') == 1_000
