"""A recall in a real browser, from the page of its batch to its end: opened by one, taken on by the files that people
hand in and by passkeys, and closed by two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from flows.ledger.lifecycles.cases import CaseState
from tests.browser.chromium import CHROMIUM
from tests.browser.people import PEOPLE, Morning, Person
from tests.browser.test_console import Reader, Served, axe, serving
from tests.browser.test_site import LOOKS, each_look
from tests.factories import installations, recalls, runs
from tests.factories.consoles import password_for

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
CANARY = "Zebulon Quartermain"


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    installation = installations.make(tmp_path_factory.mktemp("recall") / "home")
    with installations.at_home(installation.home):
        batch = runs.released(installation, installation.home.inbox / "released", 1, 20)
    with serving(installation.home) as console:
        for name in PEOPLE:
            password_for(console, name)
        yield Morning(installation, Served(console, console.place.origin, batch), {"released": batch})


@pytest.fixture(scope="module")
def quiet(people: list[Person]) -> Iterator[list[Person]]:
    """No page breaks the policy on what it may ask for."""
    yield people
    for one in people:
        assert [said for said in one.complaints if "404" not in said and "422" not in said] == []


def hand_in(one: Person, title: str, data: bytes, name: str = "handed in.csv") -> None:
    one.click("link", f"{title}…")
    expect(one.heading()).to_have_text(title)
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
    one.page.locator("input[type=file]").set_input_files(file)
    one.click("button", "Hand it in")


def take(one: Person, case: str, title: str, data: bytes, state: str) -> None:
    """From the case's page and back to it, by one signature."""
    one.page.goto(f"/recalls/{case}")
    one.clicks = 0
    hand_in(one, title, data)
    expect(one.heading()).to_have_text(f"{title}: case {case}")
    assert axe(one.page) == []
    one.sign()
    expect(one.heading()).to_have_text(f"Recall {case} {state}")
    assert one.clicks == 3


def test_a_recall_from_the_batch_to_its_end(morning: Morning, quiet: list[Person]) -> None:
    ada, ben = quiet
    ledger, home = morning.ledger, morning.installation.home
    ada.page.goto(f"/batches/{morning.held['released']}")
    ada.click("link", "Recall it…")
    ada.page.get_by_label("without the authority that the law asks for").check()
    ada.page.get_by_label("These rows").check()
    ada.page.get_by_label("Their numbers").fill("0\n1\n2\n")
    ada.click("button", "See what would be frozen")
    expect(ada.heading()).to_have_text("3 rows would be frozen at once")
    assert ledger.cases() == [] and axe(ada.page) == []
    ada.page.get_by_role("button", name="Freeze 3 rows now").dblclick()
    expect(ada.heading()).to_contain_text("frozen")
    (case,) = ledger.cases()
    assert case.state is CaseState.FROZEN and case.rows == 3
    with ada.page.expect_download() as got:
        ada.page.get_by_role("link", name="incident_report.md").click()
    assert got.value.suggested_filename == f"{case.id}-incident_report.md"

    take(ada, case.id, "Record who was notified", b"%PDF-1.7\r\n\x00\xff", "notified")
    hand_in(
        ben_at(ben, case.id), "Record the recipient's copies", recalls.COPIES.replace(b"5", CANARY.encode()), CANARY
    )
    alert = ben.page.get_by_role("alert")
    expect(alert).to_contain_text("entry 1")
    assert CANARY not in ben.page.content()
    take(ben, case.id, "Record the recipient's copies", recalls.COPIES, "copies enumerated")
    logs = (recalls.log("db-1"), recalls.log("package-1", "derived-1"))
    take(ada, case.id, "Record what was destroyed", logs[0], "copies enumerated")
    take(ada, case.id, "Record what was destroyed", logs[1], "disposed")
    hand_in(ben_at(ben, case.id), "Record the attestation", recalls.attestation(home, case.id), "attestation.txt.sig")
    expect(ben.heading()).to_have_text(f"Recall {case.id} attested")  # the recipient signed: nobody here does
    take(ben, case.id, "Record the notice to the persons concerned", recalls.persons(3), "attested")
    for number, one in enumerate(quiet):
        one.page.goto("/recalls")
        one.click("link", case.id)
        one.click("link", "Close the case…")
        expect(one.page.get_by_text("Two different operators sign the same.")).to_be_visible()
        one.sign()
        expect(one.heading()).to_have_text(f"Recall {case.id} {('attested', 'closed')[number]}")
        expect(one.page.get_by_text("One operator has signed that it is closed")).to_have_count(1 - number)
    assert ledger.case(case.id).state is CaseState.CLOSED and ledger.verify() == []
    ada.page.goto("/recalls")
    expect(ada.heading()).to_have_text("No open recalls")


def ben_at(ben: Person, case: str) -> Person:
    ben.page.goto(f"/recalls/{case}")
    return ben


@each_look
def test_axe_finds_nothing_on_pages_of_a_recall(browser: Browser, morning: Morning, look: str) -> None:
    reader, batch = Reader(browser, morning.served, **LOOKS[look]), morning.held["released"]
    case = recalls.opened(morning.installation.home, batch, 10 + list(LOOKS).index(look))
    page = reader.sign_in()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    steps = [f"/recalls/{case}/{step}" for step in ("notified", "copies", "persons", "attested", "closed")]
    for path in ["/recalls", f"/recalls/{case}", f"/batches/{batch}/recall", *steps]:
        page.goto(path)
        assert page.url.endswith(path) and axe(page) == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0, path
    reader.context.close()
