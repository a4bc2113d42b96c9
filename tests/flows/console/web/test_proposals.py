"""Operators in the browser: proposed on a form, signed by two with passkeys, each in their own time."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from expectations.base.digests import of_bytes
from flows.console.statements import from_text
from flows.console.web import operators
from flows.ledger import passkeys
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.roles import Act, Role
from tests.factories.authenticator import Authenticator, b64
from tests.factories.consoles import ORIGIN, Browser, later, password_for
from tests.factories.ledgers import Office
from tests.flows.console.web.test_passkeys import PEOPLE, answer, enrolled

ADA, BEN = PEOPLE


class Person:
    """Somebody signed in, with a passkey."""

    def __init__(self, app: FastAPI, name: str) -> None:
        self.name, self.browser, self.phone = name, Browser(app), Authenticator(origin=ORIGIN)
        enrolled(app, self.phone, name)
        assert self.browser.sign_in(name).status_code == 303

    def post(self, path: str, **fields: str) -> Any:
        return self.browser.post(path, {"form": self.browser.token(), **fields})

    def propose(self, change: str, **fields: str) -> str:
        """Gives the proposal's page."""
        answer = self.post(f"/operators/propose/{change}", **fields)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def fields(self, page: str) -> dict[str, str]:
        """What the form of a page sends once the passkey has answered."""
        text = self.browser.get(page).text
        nonce, seen = (re.findall(rf'name="{name}" value="([^"]+)"', text)[0] for name in ("nonce", "seen"))
        ask = json.loads(html.unescape(re.findall(r'data-ask="([^"]+)"', text)[0]))
        return {"nonce": nonce, "seen": seen, "answer": answer(self.phone, from_text(ask["challenge"]))}

    def sign(self, page: str) -> Any:
        return self.post(page, **self.fields(page))


@pytest.fixture
def people(app: FastAPI, full: None) -> Iterator[tuple[Person, Person]]:
    yield Person(app, ADA), Person(app, BEN)
    assert app.state.console.ledger.verify() == []


@pytest.fixture
def third(app: FastAPI) -> Office:
    """The home's operators and `cleo`, an operator."""
    console = app.state.console
    office = Office(console.ledger)
    office.keys = {name: signatures.load(console.home.keys / name) for name in PEOPLE}
    office.keys["cleo"] = office.new_key()
    said = console.ledger.operator_message("cleo", office.line("cleo"), [Role.OPERATOR])
    signed = office.signed(said, PEOPLE, signatures.OPERATOR)
    console.ledger.enrol_operator("cleo", office.line("cleo"), signed, [Role.OPERATOR])
    password_for(console, "cleo")
    return office


def test_an_operator_is_enrolled_by_two_with_a_passkey_alone(app: FastAPI, people: tuple[Person, Person]) -> None:
    """Made by somebody without an account; from then on it signs in."""
    (ada, ben), new, phone = people, Browser(app), Authenticator(origin=ORIGIN)
    text = new.get("/passkey?name=zoe").text
    nonce = re.findall(r'name="nonce" value="([^"]+)"', text)[0]
    ask = json.loads(html.unescape(re.findall(r'data-ask="([^"]+)"', text)[0]))
    fields = {"name": "zoe", "nonce": nonce, "answer": json.dumps(phone.register(from_text(ask["challenge"])))}
    made = new.post("/passkey", fields)
    assert made.status_code == 200 and phone.line in html.unescape(made.text)
    assert new.post("/passkey", fields).status_code == 422  # asked for once
    page = ada.propose("enrol", name="zoe", key=phone.line, **{"role-operator": "1", "role-viewer": "1"})
    assert "may sign it" in ben.browser.get("/operators").text
    assert ada.sign(page).headers["location"] == page
    assert "1 of 2" in ben.browser.get("/proposals").text and "Enrol zoe as an operator" in ben.browser.get("/").text
    assert "You have signed it" in ada.browser.get(page).text
    assert ben.sign(page).headers["location"] == "/operators"
    zoe = next(o for o in app.state.console.ledger.operators() if o.name == "zoe")
    assert zoe.roles == (Role.OPERATOR, Role.VIEWER) and [k.key_line for k in zoe.keys] == [phone.line]
    assert ben.browser.get(page).status_code == 409 and "No proposal" not in ben.browser.get("/proposals").text


def test_each_change_is_proposed_shown_and_carried_out(
    app: FastAPI, people: tuple[Person, Person], third: Office
) -> None:
    (ada, ben), ledger, phone = people, app.state.console.ledger, Authenticator(origin=ORIGIN)

    def cleo() -> Any:
        return next(o for o in ledger.operators() if o.name == "cleo")

    for change, fields, shows in (
        ("roles", {"role-auditor": "1"}, "Roles before and after"),
        ("add-key", {"key": phone.line}, "a passkey with the fingerprint"),
        ("remove-key", {"key": phone.line}, "It never comes back"),
        ("revoke", {}, "It cannot be undone"),
    ):
        assert ada.browser.get(f"/operators/propose/{change}?name=cleo").status_code == 200
        page = ada.propose(change, name="cleo", **fields)
        assert shows in ben.browser.get(page).text
        assert ben.sign(page).headers["location"] == page and ada.sign(page).headers["location"] == "/operators"
    assert cleo().roles == (Role.AUDITOR,) and cleo().revoked_at
    assert [k.removed_at is not None for k in cleo().keys] == [False, True]
    assert "1 revoked" in ada.browser.get("/operators").text
    assert set(operators.CHANGES) == {"enrol", "revoke", "add-key", "remove-key", "roles"}


def test_ones_own_passkey_is_proposed_from_its_page(app: FastAPI, people: tuple[Person, Person], third: Office) -> None:
    cleo, phone = Browser(app), Authenticator(origin=ORIGIN)
    cleo.sign_in("cleo", key=third.keys["cleo"])
    text = cleo.get("/me/passkey").text
    nonce = re.findall(r'name="nonce" value="([^"]+)"', text)[0]
    ask = json.loads(html.unescape(re.findall(r'data-ask="([^"]+)"', text)[0]))
    said = json.dumps(phone.register(from_text(ask["challenge"])))
    made = cleo.post("/me/passkey", {"form": cleo.token(), "nonce": nonce, "answer": said})
    (line,) = re.findall(r'name="key" value="([^"]+)"', made.text)
    page = cleo.post("/me/passkey/propose", {"form": cleo.token(), "key": html.unescape(line)}).headers["location"]
    assert "Your roles do not allow you to sign it" in cleo.get(page).text
    assert cleo.post(page, {"form": cleo.token()}).status_code == 403
    app.state.keeper.keep()
    denied = [e["facts"] for e in app.state.console.ledger.events() if e["kind"] == "denied"]
    assert denied == [{"by": "cleo", "act": Act.OPERATORS.value, "count": 1}]
    for one in people:
        assert one.sign(page).status_code == 303
    cleos = next(o for o in app.state.console.ledger.operators() if o.name == "cleo").keys
    assert [k.key_line for k in cleos] == [third.line("cleo"), phone.line]
    again = cleo.post("/me/passkey/propose", {"form": cleo.token(), "key": phone.line})
    assert again.status_code == 409 and "enrolled already" in again.text


def test_a_stale_page_two_tabs_and_a_double_click_do_no_harm(
    app: FastAPI, people: tuple[Person, Person], third: Office
) -> None:
    (ada, ben), ledger = people, app.state.console.ledger
    page = ada.propose("roles", name="cleo", **{"role-auditor": "1"})
    first, second = ada.fields(page), ada.fields(page)
    assert ada.propose("roles", name="cleo", **{"role-auditor": "1"}) == page  # a second click
    assert ada.post(page, **first).headers["location"] == page
    assert "have signed this proposal" in ada.post(page, **second).text
    assert "have signed this proposal" in ada.post(page, **first).text
    stale = ben.fields(page)
    third.give("cleo", Role.VIEWER, by=PEOPLE)
    refused = ben.post(page, **stale)
    assert refused.status_code == 409 and "has changed since, and nothing was signed" in refused.text
    assert "A signature counts no more" in ben.browser.get(page).text
    assert ben.sign(page).headers["location"] == page  # the first of two again
    assert ada.sign(page).headers["location"] == "/operators"
    late = ben.post(page, **stale)
    assert late.status_code == 409 and "no such proposal any more" in late.text
    assert next(o for o in ledger.operators() if o.name == "cleo").roles == (Role.AUDITOR,)


def test_nobody_signs_for_a_change_of_their_own_and_the_page_says_so(
    app: FastAPI, people: tuple[Person, Person]
) -> None:
    ada, _ = people
    page = ada.propose("roles", name=ADA, **{"role-viewer": "1"})
    shown = ada.browser.get(page).text
    assert "It is about you: two other operators sign it." in shown and "Sign with your passkey" not in shown
    ledger, number = app.state.console.ledger, int(page.rpartition("/")[2])
    text = ledger.proposal_message(number)
    once = passkeys.nonce()
    crafted = answer(ada.phone, passkeys.challenge(text, signatures.OPERATOR, once))
    seen = of_bytes(text)
    refused = ada.post(page, nonce=b64(once), seen=seen, answer=crafted)
    assert refused.status_code == 409 and "Two other operators decide" in refused.text


def test_it_is_withdrawn_by_who_proposed_it_or_taken_back_by_who_signed(people: tuple[Person, Person]) -> None:
    ada, ben = people
    page = ada.propose("enrol", name="zoe", key=Authenticator(origin=ORIGIN).line, **{"role-viewer": "1"})
    assert "Withdraw the proposal" not in ben.browser.get(page).text
    assert ben.post(f"{page}/withdraw").status_code == 409
    ben.sign(page)
    assert "Take my signature back" in ben.browser.get(page).text
    assert ben.post(f"{page}/withdraw").headers["location"] == "/proposals"
    assert "0 of 2" in ada.browser.get(page).text
    assert ada.post(f"{page}/withdraw").headers["location"] == "/proposals"
    assert ada.browser.get(page).status_code == 409 and "0 proposals are open" in ada.browser.get("/proposals").text


def test_what_cannot_be_proposed_shows_the_form_again(people: tuple[Person, Person]) -> None:
    ada, _ = people
    for fields, said in (
        ({"name": "zoe"}, "about a public key"),
        ({"name": "zoe", "key": "ssh-rsa AAAA", "role-viewer": "1"}, "not an Ed25519 key"),
        ({"name": "zoe", "key": ada.phone.line, "role-viewer": "1"}, "enrolled already, or was revoked"),
        ({"name": "zo e", "key": Authenticator().line, "role-viewer": "1"}, "An id has letters"),
        ({"name": "zoe", "key": Authenticator(origin=ORIGIN).line}, "at least one role"),
    ):
        answer = ada.post("/operators/propose/enrol", **fields)
        assert answer.status_code == 422 and said in html.unescape(answer.text), answer.text
        assert f'value="{fields["name"]}"' in answer.text
    assert ada.browser.get("/operators/propose/revoke").status_code == 200  # whom?
    assert ada.browser.get("/operators/propose/king").status_code == 404
    for path in ("/proposals/x", "/proposals/99999999999999999999", "/proposals/-1"):
        assert ada.browser.get(path).status_code == 404
    assert ada.browser.get("/passkey?name=a b").status_code == 422


def test_it_is_over_after_two_weeks(app: FastAPI, people: tuple[Person, Person], third: Office) -> None:
    ada, ben = people
    page = ada.propose("revoke", name="cleo")
    ada.sign(page)
    fields = ben.fields(page)
    later(app.state.console, days=14, seconds=1)
    ben.browser.sign_in(BEN)
    refused = ben.post(page, **fields)
    assert refused.status_code == 409 and "older than two weeks" in refused.text
    assert "0 proposals are open" in ben.browser.get("/proposals").text


def test_one_may_sign_here_and_the_other_by_command(app: FastAPI, people: tuple[Person, Person], third: Office) -> None:
    ada, _ = people
    ledger, asked = app.state.console.ledger, Asked.about(roles=[Role.AUDITOR])
    number = ledger.propose(Proposed.ROLES, "cleo", asked.body, BEN)
    text = ledger.proposal_message(number)
    assert not ledger.sign_proposal(number, third.line(BEN), third.sign(BEN, text, signatures.OPERATOR))
    assert f"sluicegate proposals sign {number} --key KEY" in ada.browser.get(f"/proposals/{number}").text
    assert ada.sign(f"/proposals/{number}").headers["location"] == "/operators"
