"""Words about a reason at the console: they stand under what is signed, are kept sealed, and shown on demand only."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from flows.evidence import notes
from flows.ledger.lifecycles.states import State
from flows.ledger.roles import Role
from tests.factories.authenticator import Authenticator
from tests.factories.consoles import ORIGIN, Browser
from tests.flows.console.web.test_passkeys import answer, enrolled
from tests.flows.console.web.test_queue import give

WORDS = "Zebulon <b>Quackenbush</b> was named by mistake."


@pytest.fixture
def phone(app: FastAPI) -> Authenticator:
    made = Authenticator(origin=ORIGIN)
    enrolled(app, made)
    return made


def url(batches: dict[str, str], what: str = "reject") -> str:
    return f"/batches/{batches['held']}/decide/{what}"


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form that is signed."""
    form = page.partition('<form class="fields passkey"')[2].partition("</form>")[0]
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


def challenged(page: str) -> bytes:
    (options,) = re.findall(r'data-ask="([^"]+)"', page)
    return signatures.base64.urlsafe_b64decode(json.loads(html.unescape(options))["challenge"] + "=")


def put(browser: Browser, where: str, words: str = WORDS, **fields: str) -> Any:
    shown = hidden(browser.get(where).text)
    return browser.post(where, {"form": browser.token(), **shown, "reason": "not_valid", "words": words, **fields})


def signing(phone: Authenticator, page: str, **fields: str) -> dict[str, str]:
    said = answer(phone, challenged(page))
    return {**hidden(page), "reason": "not_valid", "answer": said, **fields}


def test_words_stand_under_what_is_signed_and_are_bound_to_it(
    ada: Browser, phone: Authenticator, batches: dict[str, str]
) -> None:
    ledger, held = ada.console.ledger, batches["held"]
    shown = put(ada, url(batches))
    assert shown.status_code == 200 and ledger.decisions(held) == []  # nothing is signed by writing
    note = hidden(shown.text)["note"]
    assert html.escape(WORDS, quote=False) in shown.text and f"<code>{note}</code>" in shown.text
    assert 'value="not_valid" required checked' in shown.text  # the reason that was chosen stays
    assert ada.post(url(batches), signing(phone, shown.text)).status_code == 303
    (event,) = (e["facts"] for e in ledger.events(held) if e["kind"] == "decision")
    assert event["note"] == note and ledger.batch(held).state is State.REJECTED and ledger.verify() == []
    assert notes.text(ada.console.home, note, held) == WORDS


@pytest.mark.parametrize("how", ["exchanged", "taken away", "put in later", "of nobody", "no digest"])
def test_other_words_than_were_signed_do_not_count(
    ada: Browser, phone: Authenticator, batches: dict[str, str], how: str
) -> None:
    home, held = ada.console.home, batches["held"]
    page = ada.get(url(batches)).text if how == "put in later" else put(ada, url(batches)).text
    other = {"taken away": "", "of nobody": "0" * 64, "no digest": "Zebulon"}
    note = other[how] if how in other else notes.store(home, "other words", held)
    sent = signing(phone, page, note=note)
    assert ada.post(url(batches), sent).status_code == (400 if how == "no digest" else 409)
    assert ada.console.ledger.decisions(held) == []


def test_a_seen_digest_that_was_worked_out_for_other_words_is_no_signature(
    ada: Browser, phone: Authenticator, batches: dict[str, str]
) -> None:
    """Somebody who writes the form anew passes the check of what was seen; the ledger asks the signature."""
    held = batches["held"]
    mine = put(ada, url(batches), "mine").text
    theirs = put(ada, url(batches), "theirs").text
    sent = signing(phone, mine) | {name: hidden(theirs)[name] for name in ("note", "seen")}
    answered = ada.post(url(batches), sent)
    assert answered.status_code == 409 and "is not this key" in html.unescape(answered.text)
    assert ada.console.ledger.decisions(held) == []


def test_words_that_were_typed_are_never_left_out(ada: Browser, phone: Authenticator, batches: dict[str, str]) -> None:
    """Whoever signs at once, with words in the form: they are shown first, and nothing is signed."""
    page = ada.get(url(batches)).text
    answered = ada.post(url(batches), signing(phone, page, words=WORDS))
    assert answered.status_code == 200 and "What you wrote" in answered.text
    assert ada.console.ledger.decisions(batches["held"]) == []


@pytest.mark.parametrize("words", ["x" * 2_001, "a\x00b", "\u202eb"])
def test_words_that_cannot_be_kept_are_refused(ada: Browser, batches: dict[str, str], words: str) -> None:
    answered = put(ada, url(batches), words)
    assert answered.status_code == 409 and "note" in answered.text
    assert notes.of_batch(ada.console.home, batches["held"]) == []


def test_of_what_may_not_be_signed_nothing_is_kept(ada: Browser, batches: dict[str, str]) -> None:
    shown = put(ada, url(batches, "confirm"))
    assert shown.status_code == 409 and notes.of_batch(ada.console.home, batches["held"]) == []


def test_they_are_shown_on_demand_to_whom_the_roles_allow_and_the_log_says_so(
    ada: Browser, phone: Authenticator, batches: dict[str, str]
) -> None:
    held, ledger = batches["held"], ada.console.ledger
    assert "Show what was written" not in ada.get(f"/batches/{held}").text
    ada.post(url(batches), signing(phone, put(ada, url(batches)).text))
    page = ada.get(f"/batches/{held}").text
    assert "Show what was written" in page and "Quackenbush" not in page
    shown = ada.post(f"/batches/{held}/reasons", {"form": ada.token()})
    assert shown.status_code == 200 and html.escape(WORDS, quote=False) in shown.text
    assert ada.get(f"/batches/{held}/reasons").status_code == 404  # no page of a checkpoint, and none by a link
    viewer = Browser(ada.app)
    give(viewer, Role.VIEWER)
    assert "Show what was written" not in viewer.get(f"/batches/{held}").text
    refused = viewer.post(f"/batches/{held}/reasons", {"form": viewer.token()})
    assert refused.status_code == 403 and "Quackenbush" not in refused.text
    assert [e["facts"]["who"] for e in ledger.events(held) if e["kind"] == "view"] == ["operator-1"]


def test_what_waits_for_another_is_not_shown_to_that_one(
    ada: Browser, phone: Authenticator, batches: dict[str, str]
) -> None:
    held = batches["held"]
    ada.post(url(batches, "drop"), signing(phone, put(ada, url(batches, "drop")).text))
    ben = Browser(ada.app)
    ben.sign_in("operator-2")
    for browser, shown in ((ada, True), (ben, False)):
        page = browser.post(f"/batches/{held}/reasons", {"form": browser.token()}).text
        assert ("Quackenbush" in page) is shown


def test_halts_and_what_is_set_aside_may_have_words_too(ada: Browser, batches: dict[str, str]) -> None:
    ada.post("/halt", {"form": ada.token(), "reason": "not_valid", "words": "an odd night"})
    which = re.findall(r'href="/snooze/([0-9a-f]{64})"', ada.get("/?kind=held").text)[0]
    said = {"form": ada.token(), "reason": "planned", "hours": "4", "words": WORDS}
    assert ada.post(f"/snooze/{which}", said).status_code == 303
    assert "Quackenbush" not in ada.get("/").text and "odd night" not in ada.get("/").text
    assert "an odd night" in ada.post("/reasons", {"form": ada.token()}).text
    shown = ada.post(f"/batches/{batches['held']}/reasons", {"form": ada.token()}).text
    assert html.escape(WORDS, quote=False) in shown and "snoozed, operator-1" in shown
    assert ada.console.ledger.verify() == []


def test_a_halt_is_made_whatever_was_written(ada: Browser) -> None:
    ada.post("/halt", {"form": ada.token(), "reason": "not_valid", "words": "x" * 5_000})
    assert len(ada.console.ledger.halts()) == 1
