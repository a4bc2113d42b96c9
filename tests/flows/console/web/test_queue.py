"""The first page for whoever reads it: what one may do, what was decided since one looked, and what is set aside."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from flows.batch.decisions import sign
from flows.ledger.decisions import Decision
from flows.ledger.roles import DECIDES, ROLES, Role
from flows.ledger.timing import GuardedClock
from tests.factories.consoles import Browser
from tests.factories.ledgers import Office


def text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def give(browser: Browser, *roles: Role) -> None:
    """The second operator gets these roles, and signs in."""
    console = browser.console
    office = Office(console.ledger)
    office.keys = {name: signatures.load(console.home.keys / name) for name in ("operator-1", "operator-2")}
    office.keys["zoe"] = office.new_key()
    by = ("operator-1", "operator-2")
    said = console.ledger.operator_message("zoe", office.line("zoe"), roles)
    console.ledger.enrol_operator("zoe", office.line("zoe"), office.signed(said, by, signatures.OPERATOR), roles)
    console.entrance.set_password(console.entrance.invite("zoe", "operator-2"), "correct horse battery staple")
    assert browser.sign_in("zoe", key=office.keys["zoe"]).status_code == 303


def thing(page: str) -> str:
    found = re.search(r'href="/snooze/([0-9a-f]{64})"', page)
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        ((Role.VIEWER,), "only look: it takes approver or operator"),
        ((Role.AUDITOR,), "only look: it takes approver or operator"),
        ((Role.OPERATOR,), "reject {held}"),
        ((Role.APPROVER,), "drop {held} , reject {held}"),
    ],
)
def test_each_sees_what_its_roles_allow(
    browser: Browser, batches: dict[str, str], roles: tuple[Role, ...], may: str
) -> None:
    give(browser, *roles)
    page = browser.get("/").text
    assert f"you may {may.format(**batches)} what to do" in text(page)
    assert ("Set it aside" in page) is bool({Role.OPERATOR, Role.APPROVER} & set(roles))
    assert ("Ask others to look" in page) is ("Set it aside" in page)
    checkpoint = browser.get(f"/batches/{batches['held']}/intake").text
    for decision in (Decision.DROP, Decision.REJECT):
        link, takes = f"/batches/{batches['held']}/decide/{decision}", " or ".join(sorted(ROLES[DECIDES[decision]]))
        assert (link in checkpoint) is (f"{decision} {{held}}" in may)
        assert (f"You may not: it takes the role {takes}." in text(checkpoint)) is (link not in checkpoint)


def test_actual_stands_against_its_limit(ada: Browser, batches: dict[str, str]) -> None:
    assert re.search(r"actual, limit [0-9.]+% of the rows against 10.0%", text(ada.get("/").text))


def test_who_has_signed_is_shown_that_and_nobody_else_what(ada: Browser, batches: dict[str, str]) -> None:
    home, held = ada.console.home, batches["held"]
    sign(home, held, Decision.DROP, signatures.load(home.keys / "operator-1"))
    mine = text(ada.get("/").text)
    assert f"take back your decision on {held}" in mine and "have spoken 1" in mine
    ben = Browser(ada.app)
    ben.sign_in("operator-2")
    theirs = text(ben.get("/").text)
    assert "take back" not in theirs and "have spoken 1" in theirs


def test_what_was_decided_since_one_last_looked(ada: Browser, batches: dict[str, str]) -> None:
    home, held, ledger = ada.console.home, batches["held"], ada.console.ledger
    sign(home, held, Decision.REJECT, signatures.load(home.keys / "operator-2"))
    page = ada.get("/").text
    assert f"{held} reject 1 of 1" in text(page)
    again = ada.get("/").text  # a look alone moves nothing
    assert f"{held} reject 1 of 1" in text(again)
    at = re.findall(r'name="at" value="([^"]+)"', again)[0]
    assert ada.post("/seen", {"form": ada.token(), "at": html.unescape(at)}).headers["location"] == "/"
    after = text(ada.get("/").text)
    assert "Decided since you last looked" in after and "Nothing was decided." in after
    ben = Browser(ada.app)
    ben.sign_in("operator-2")
    assert f"{held} reject 1 of 1" in text(ben.get("/").text)
    assert ledger.verify() == []


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59"])
def test_a_mark_that_is_no_time_is_none(ada: Browser, at: str) -> None:
    assert ada.post("/seen", {"form": ada.token(), "at": at}).status_code == 400


def set_aside(browser: Browser, which: str, **fields: str) -> Any:
    said = {"form": browser.token(), "reason": "cause_sought", "hours": "8", **fields}
    return browser.post(f"/snooze/{which}", said)


def test_it_is_set_aside_and_taken_back(ada: Browser, batches: dict[str, str]) -> None:
    which = thing(ada.get("/").text)
    form = ada.get(f"/snooze/{which}")
    assert form.status_code == 200 and f"held, {batches['held']}" in text(form.text)
    assert set_aside(ada, which).status_code == 303
    page = text(ada.get("/").text)
    assert "1 thing waits for people" in page and "Set aside for a while: 1 Counted above all the same" in page
    assert "set aside by operator-1 until" in page and "is being looked for" in page
    back = ada.post(f"/snooze/{which}/end", {"form": ada.token()})
    assert back.status_code == 303 and "Set aside for a while: 1" not in text(ada.get("/").text)
    assert ada.post(f"/snooze/{which}/end", {"form": ada.token()}).status_code == 409
    assert ada.console.ledger.verify() == []


def ask(browser: Browser, which: str, **fields: str) -> Any:
    return browser.post(f"/call/{which}", {"form": browser.token(), "reason": "law_unclear", **fields})


def test_others_are_asked_once_and_nothing_else_comes_of_it(ada: Browser, batches: dict[str, str]) -> None:
    which, ledger = thing(ada.get("/").text), ada.console.ledger
    before = ledger.batch(batches["held"])
    form = ada.get(f"/call/{which}")
    assert form.status_code == 200 and f"Ask others to look: held, {batches['held']}" in text(form.text)
    assert ask(ada, which, reason="because").status_code == 400
    assert ask(ada, which, words="Which court is it?").status_code == 303
    page = text(ada.get("/").text)
    assert "asked for others operator-1," in page and "is a question for counsel" in page and "court" not in page
    assert "operator-1 has asked already" in text(ada.get(f"/call/{which}").text)
    answer = ask(ada, which)
    assert answer.status_code == 409 and "word went out" in answer.text
    assert thing(ada.get("/").text) == which and ledger.batch(batches["held"]) == before and ledger.verify() == []


def test_a_stale_page_asks_nobody(ada: Browser, batches: dict[str, str]) -> None:
    home, which = ada.console.home, thing(ada.get("/").text)
    sign(home, batches["held"], Decision.DROP, signatures.load(home.keys / "operator-2"))
    assert ask(ada, which).status_code == 409 and not ada.console.ledger.calls()


def test_a_stale_page_sets_nothing_aside(ada: Browser, batches: dict[str, str]) -> None:
    home, which = ada.console.home, thing(ada.get("/").text)
    sign(home, batches["held"], Decision.DROP, signatures.load(home.keys / "operator-2"))
    answer = set_aside(ada, which)
    assert answer.status_code == 409 and "has changed since" in answer.text
    assert ada.console.ledger.snoozes(ada.console.ledger.clock.now()) == {}


@pytest.mark.parametrize("days", [-2, 400], ids=["behind", "ahead"])
def test_by_a_wrong_clock_nothing_is_set_aside_and_the_page_says_so(
    browser: Browser, capfd: pytest.CaptureFixture[str], days: int
) -> None:
    ledger = browser.console.ledger
    right = ledger.clock
    ledger.clock = GuardedClock.of(Clock(right.now() + timedelta(days=days)), right.newest)
    browser.sign_in()
    which = thing(browser.get("/").text)
    assert browser.get(f"/snooze/{which}").status_code == 200
    before = ledger.head()
    answer = set_aside(browser, which)
    assert (
        answer.status_code == 503 and "clock is wrong" in answer.text and "two operators sign which day" in answer.text
    )
    assert "CLOCK_" in capfd.readouterr().err
    assert ledger.head() == before
    ledger.clock = right
    assert ledger.snoozes(right.now() - timedelta(days=500)) == {} and ledger.verify() == []


def test_only_what_the_form_offers_is_taken(ada: Browser) -> None:
    which = thing(ada.get("/").text)
    for crafted in ({"hours": "73"}, {"hours": "-1"}, {"hours": "8 "}, {"reason": "Zebulon"}, {"reason": ""}):
        assert set_aside(ada, which, **crafted).status_code == 400
    assert set_aside(ada, "Zebulon").status_code == 404
    assert ada.console.ledger.snoozes(ada.console.ledger.clock.now() - timedelta(days=1)) == {}
