"""Mornings in a real browser, with passkeys: a held batch from what waits to its release by two people; a rejection; a
decision taken back; stale pages, two tabs and double clicks; a halt and its end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from expectations.base import signatures
from flows.batch.decisions import sign
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.states import State
from tests.browser.chromium import CHROMIUM
from tests.browser.people import PEOPLE, Morning, Person
from tests.browser.test_console import Reader, Served, axe, serving
from tests.browser.test_site import LOOKS, each_look
from tests.factories import installations, runs
from tests.factories.consoles import password_for

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    installation = installations.make(tmp_path_factory.mktemp("morning") / "home")
    home, held = installation.home, {}
    with installations.at_home(home):
        for n, which in enumerate(("dropped", "rejected", "taken back", "stale", "twice", "written")):
            good = [installations.request(20 * n + i, request_id=f"G-{n}-{i}") for i in range(1, 16)]
            bad = [installations.request(i, request_id=f"B-{n}-{i}", street="NA NA") for i in range(1, 5)]
            held[which], state = runs.run(home, installation.submit(home.inbox / f"s-{n}", [*good, *bad]))
            assert state is State.HELD
    with serving(home) as console:
        for name in PEOPLE:
            password_for(console, name)
        yield Morning(installation, Served(console, console.place.origin, held["dropped"]), held)


def test_a_held_batch_from_what_waits_to_its_release_by_two(morning: Morning, people: list[Person]) -> None:
    name = morning.held["dropped"]
    for number, one in enumerate(people):
        one.clicks = 0
        one.open("dropped", "Drop")
        expect(one.heading()).to_have_text(f"Drop: batch {name}")
        expect(one.page.get_by_label("only the incomplete rows are in the way")).to_be_checked()
        one.sign()
        expect(one.heading()).to_contain_text("held at intake" if number == 0 else "intake")
        assert one.clicks == 4  # and one signature
        one.page.goto(f"/batches/{name}/intake")
        spoken = one.page.get_by_text("One operator has spoken")
        expect(spoken).to_have_count(1 - number)
        assert PEOPLE[1 - number] not in one.page.locator("main").inner_text()  # who, and what, is not shown
    assert morning.state("dropped") is State.RECEIVED
    decided = morning.ledger.decisions(name)
    assert [(d.operator, d.decision, d.granted) for d in decided] == [(p, "drop", True) for p in PEOPLE]
    with installations.at_home(morning.installation.home):
        assert runs.run(morning.installation.home, name) == (name, State.PUBLISHED)
    assert morning.ledger.verify() == []


def test_words_are_put_under_what_is_signed_and_shown_on_demand(morning: Morning, people: list[Person]) -> None:
    one, name = people[0], morning.held["written"]
    one.open("written", "Reject")
    one.page.get_by_text("Say more about it").click()
    one.page.get_by_label("More about it, in your words").fill("The letter was sent twice.")
    one.page.get_by_label("the request is not valid").check()
    one.sign()  # with words in the form: they are shown first
    expect(one.page.get_by_role("heading", name="What you wrote")).to_be_visible()
    expect(one.page.get_by_text("The letter was sent twice.")).to_be_visible()
    expect(one.page.get_by_label("the request is not valid")).to_be_checked()
    assert morning.state("written") is State.HELD and axe(one.page) == []
    one.sign()
    expect(one.heading()).to_contain_text("intake")
    assert morning.state("written") is State.REJECTED
    one.page.goto(f"/batches/{name}")
    expect(one.page.get_by_text("The letter was sent twice.")).to_have_count(0)
    one.page.get_by_role("button", name="Show what was written").click()
    expect(one.page.get_by_text("The letter was sent twice.")).to_be_visible()
    assert axe(one.page) == [] and morning.ledger.verify() == []


def test_a_passkey_also_signs_its_operator_in(morning: Morning, people: list[Person]) -> None:
    one = people[1]
    one.click("button", "Sign out")
    expect(one.heading()).to_have_text("Sign in")
    one.page.goto(f"/batches/{morning.held['twice']}")
    one.click("button", "Sign in with a passkey")
    expect(one.heading()).to_contain_text(morning.held["twice"])  # back to the page that was asked for
    expect(one.page.get_by_role("link", name="operator-2")).to_be_visible()


def test_a_rejection_takes_one(morning: Morning, people: list[Person]) -> None:
    one = people[0]
    one.open("rejected", "Reject")
    expect(one.page.get_by_text("One operator signs.")).to_be_visible()
    one.sign()
    expect(one.heading()).to_contain_text("intake")
    assert morning.state("rejected") is State.REJECTED
    one.page.goto(f"/batches/{morning.held['rejected']}/decide/drop")  # final states are locked
    expect(one.page.get_by_role("alert")).to_contain_text("rejected, and this decision is not open on it")


def test_a_decision_is_taken_back_until_the_second_has_spoken(morning: Morning, people: list[Person]) -> None:
    ada, ben = people
    ada.open("taken back", "Drop")
    ada.sign()
    ben.open("taken back", "Drop")  # a page from before
    ada.page.goto(f"/batches/{morning.held['taken back']}/intake")
    ada.click("link", "Take back your decision")
    ada.sign()
    expect(ada.page.get_by_text("Nobody has spoken")).to_be_visible()
    ben.sign()
    expect(ben.page.get_by_role("alert")).to_contain_text("has changed since, and nothing was signed")
    ben.page.get_by_role("link", name="Go on from there").click()
    ben.page.goto(f"/batches/{morning.held['taken back']}/decide/withdraw")
    expect(ben.page.get_by_role("alert")).to_contain_text("No decision of this operator waits")
    for one in (ben, ada):
        one.open("taken back", "Drop")
        one.sign()
        expect(one.heading()).to_contain_text("intake")
    assert morning.state("taken back") is State.RECEIVED and morning.ledger.verify() == []


def test_a_stale_page_signs_nothing(morning: Morning, people: list[Person]) -> None:
    one = people[0]
    one.open("stale", "Drop")
    with installations.at_home(morning.installation.home):
        key = signatures.load(morning.installation.home.keys / "operator-2")
        sign(morning.installation.home, morning.held["stale"], Decision.REJECT, key)
    before = morning.ledger.head().seq
    one.sign()
    expect(one.heading()).to_have_text("Nothing was done")
    decided = [e for e in morning.ledger.links(before) if e.kind == "decision"]
    assert decided == [] and morning.state("stale") is State.REJECTED


def test_double_clicks_and_two_tabs_do_no_harm(morning: Morning, people: list[Person]) -> None:
    one, url = people[0], f"/batches/{morning.held['twice']}/decide/drop"
    tabs = [one.page, one.context.new_page()]
    devices = one.context.new_cdp_session(tabs[1])
    devices.send("WebAuthn.enable")
    for tab in tabs:
        tab.goto(url)
    one.page.get_by_role("button", name="Sign with your passkey").dblclick()
    expect(one.heading()).to_contain_text("held at intake")
    tabs[1].evaluate("document.querySelector('form.passkey').submit()")  # without an answer
    expect(tabs[1].get_by_role("alert")).to_contain_text("gave no signature")
    tabs[1].close()
    one.page.goto(url)
    one.sign()
    expect(one.page.get_by_role("alert")).to_contain_text("has signed this decision already")
    assert [d.operator for d in morning.ledger.decisions(morning.held["twice"])] == ["operator-1"]


def test_one_halts_and_two_let_releases_go_on(morning: Morning, people: list[Person]) -> None:
    ada, ben = people
    ada.page.goto("/halt")
    ada.page.get_by_label("the system may be at fault").check()
    ada.click("button", "Stop all releases")
    expect(ada.page.get_by_text("releases halted").first).to_be_visible()
    (halt,) = morning.ledger.halts()
    assert halt.operator == "operator-1"
    for one in (ada, ben):
        one.page.goto(f"/halts/{halt.seq}/resume")
        one.sign()
        expect(one.heading()).to_contain_text("wait")
    assert morning.ledger.halts() == [] and morning.ledger.verify() == []
    ben.page.goto(f"/halts/{halt.seq}/resume")
    expect(ben.page.get_by_role("alert")).to_contain_text("No halt of this number stands")


def test_who_has_no_passkey_is_shown_the_command(browser: Browser, morning: Morning) -> None:
    reader = Reader(browser, morning.served)
    reader.sign_in()
    keys = morning.ledger.operators
    morning.ledger.operators = lambda: [
        type(o)(**{**vars(o), "keys": tuple(k for k in o.keys if k.key_line.startswith("ssh-"))}) for o in keys()
    ]
    try:
        reader.page.goto(f"/batches/{morning.held['twice']}/decide/drop")
        expect(reader.page.get_by_text("You have no passkey for this console")).to_be_visible()
        expect(reader.page.get_by_text(f"sluicegate review decide {morning.held['twice']} drop")).to_be_visible()
        expect(reader.page.get_by_role("button", name="Sign with your passkey")).to_have_count(0)
    finally:
        del morning.ledger.operators
        reader.context.close()


@each_look
def test_axe_finds_nothing_on_pages_that_are_signed(browser: Browser, morning: Morning, look: str) -> None:
    reader = Reader(browser, morning.served, **LOOKS[look])
    reader.sign_in()
    halt = morning.ledger.halt("operator-2", "suspected_fault")
    pages = ["/halt", "/me/passkey", f"/halts/{halt}/resume", "/halts/1/resume"]
    for path in [*pages, *(f"/batches/{morning.held['twice']}/decide/{d}" for d in ("drop", "reject", "withdraw"))]:
        reader.page.goto(path)
        assert axe(reader.page) == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert reader.page.evaluate(wide) == 0, path
    assert json.dumps(reader.asked).count(morning.served.origin) == len(reader.asked)
    reader.context.close()
