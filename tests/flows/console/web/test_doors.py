"""Who comes in, and who does not: signing in and out, lockout, sessions and their end, invitations, too many tries."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.console.web.rate import Rate
from flows.ledger.entrance import tokens
from flows.ledger.roles import ALL
from tests.factories.consoles import PASSWORD, Browser, later
from tests.factories.ledgers import Office

WRONG = "/sign-in?wrong=1&next=%2F"


def kinds(browser: Browser) -> list[str]:
    """The newest events, the oldest first."""
    browser.app.state.keeper.keep()
    return [e["kind"] for e in browser.console.ledger.events()][-8:]


def revoke(browser: Browser, name: str) -> None:
    """Two others revoke an operator, who are enrolled for that."""
    from expectations.base import signatures

    ledger, keys = browser.console.ledger, browser.console.home.keys
    office = Office(ledger)
    office.keys = {n: signatures.load(keys / n) for n in ("operator-1", "operator-2")}
    office.keys |= {n: office.new_key() for n in ("cleo", "dora")}
    for new in ("cleo", "dora"):
        said = ledger.operator_message(new, office.line(new), ALL)
        signed = office.signed(said, ("operator-1", "operator-2"), signatures.OPERATOR)
        ledger.enrol_operator(new, office.line(new), signed, ALL)
    office.revoke(name, "cleo", "dora")


def test_who_signs_in_sees_what_waits_and_who_signs_out_sees_no_more(browser: Browser) -> None:
    assert browser.get("/").headers["location"] == "/sign-in"
    assert "Sign in" in browser.get("/sign-in").text
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "1 thing waits for people" in browser.get("/").text
    token = browser.cookie
    assert browser.sign_out().headers["location"] == "/sign-in"
    assert browser.cookie == "" and browser.get("/").headers["location"] == "/sign-in"
    browser.client.cookies.set("__Host-sluicegate", token)  # kept by somebody
    assert browser.get("/").headers["location"] == "/sign-in"
    assert [kind for kind in kinds(browser) if kind != "pages"][-2:] == ["signed_in", "signed_out"]


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("/me", "/me"),
        ("/batches/b-1", "/batches/b-1"),
        ("/batches/b-1/intake/rows.csv", "/batches/b-1/intake/rows.csv"),
        ("/recalls", "/recalls"),
        ("/recalls/c-0123456789abcdef/copies", "/recalls/c-0123456789abcdef/copies"),
        ("/recalls//evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/batches/b-1//evil", "/"),
        ("/batches/b-1\r\nSet-Cookie: a=b", "/"),
        ("/sign-out", "/"),
    ],
)
def test_after_signing_in_one_is_brought_back_to_a_page_of_ours_only(browser: Browser, asked: str, back: str) -> None:
    assert browser.sign_in(next=asked).headers["location"] == back
    assert browser.get("/sign-in", params={"next": asked}).headers["location"] == back
    browser.sign_out()
    assert f'name="next" value="{back}"' in browser.get("/sign-in", params={"next": asked}).text


def test_a_page_that_was_asked_for_too_late_is_shown_after_signing_in(ada: Browser, batches: dict[str, str]) -> None:
    later(ada.console, minutes=31)
    answer = ada.get(f"/batches/{batches['held']}")
    assert (answer.status_code, ada.cookie) == (303, "")
    back = parse_qs(urlsplit(answer.headers["location"]).query)["next"][0]
    assert ada.sign_in(next=back).headers["location"] == f"/batches/{batches['held']}"


@pytest.mark.parametrize(("step", "steps"), [(31, 1), (29, 21)], ids=["unused", "ten hours"])
def test_a_session_ends_by_itself(ada: Browser, step: int, steps: int) -> None:
    assert ada.get("/me").status_code == 200
    for _ in range(steps - 1):
        later(ada.console, minutes=step)
        assert ada.get("/me").status_code == (200 if steps > 1 else 303)
    later(ada.console, minutes=step)
    assert ada.get("/me").headers["location"] == "/sign-in?next=%2Fme"


def test_a_token_that_was_there_before_is_never_the_session(browser: Browser) -> None:
    """Fixation: somebody plants a cookie, even one of a session of their own."""
    planted = tokens.new()
    browser.client.cookies.set("__Host-sluicegate", planted, domain="localhost.local", path="/")
    browser.sign_in()
    assert planted not in browser.cookie and browser.get("/me").status_code == 200
    first = browser.cookie
    browser.sign_in()
    assert browser.cookie != first
    other = Browser(browser.app)
    other.client.cookies.set("__Host-sluicegate", first)
    assert other.get("/me").status_code == 303


def test_the_cookie_is_read_by_no_script_and_sent_by_no_other_site(browser: Browser) -> None:
    said = browser.sign_in().headers["set-cookie"]
    assert re.fullmatch(r"__Host-sluicegate=[A-Za-z0-9_-]{43}; HttpOnly; Path=/; SameSite=strict; Secure", said)


def test_all_of_my_sessions_end_at_once(ada: Browser) -> None:
    other, ben = Browser(ada.app), Browser(ada.app)
    other.sign_in()
    ben.sign_in("operator-2")
    assert ada.get("/me").text.count("this one") == 1 and ada.get("/me").text.count("another") == 1
    assert ada.post("/me/end-all", {"form": ada.token()}).headers["location"] == "/sign-in"
    assert other.get("/me").status_code == 303 and ben.get("/me").status_code == 200
    assert "session_ended" in kinds(ada)


def test_a_revoked_operator_is_out_at_the_next_request(ada: Browser, full: None) -> None:
    ben = Browser(ada.app)
    ben.sign_in("operator-2")
    revoke(ada, "operator-1")
    assert ada.get("/").status_code == 303 and ben.get("/").status_code == 200
    assert ada.sign_in().headers["location"] == WRONG
    assert "session_ended" in kinds(ada)


def test_a_locked_account_is_open_again_after_a_quarter_of_an_hour(browser: Browser, full: None) -> None:
    for _ in range(5):
        assert browser.sign_in(password="wrong").headers["location"] == WRONG
    assert browser.sign_in().headers["location"] == WRONG
    later(browser.console, minutes=14)
    assert browser.sign_in().headers["location"] == WRONG
    later(browser.console, minutes=1)
    assert browser.sign_in().headers["location"] == "/"
    assert {"locked", "sign_in_failed"} <= set(kinds(browser))


def seen(answer: Any) -> tuple[Any, ...]:
    return answer.status_code, answer.text, {k: v for k, v in answer.headers.items() if k != "date"}


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password_and_a_locked_account(
    browser: Browser, full: None
) -> None:
    answers = [seen(browser.sign_in(name, "wrong")) for name in ("operator-1", "zebulon", "", "<script>", "x" * 9000)]
    for _ in range(5):
        browser.sign_in("operator-2", "wrong")
    answers.append(seen(browser.sign_in("operator-2")))
    assert all(answer == answers[0] for answer in answers)
    page = browser.get(WRONG).text
    assert 'role="alert"' in page and "zebulon" not in page


def test_too_many_tries_for_a_name_wait(browser: Browser) -> None:
    answers = [browser.sign_in("zebulon", "wrong") for _ in range(11)]
    assert [a.status_code for a in answers] == [303] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 30
    assert browser.sign_in("ZEBULON", "wrong").status_code == 429
    assert browser.sign_in().status_code == 303


def test_too_many_tries_from_an_address_wait_for_passwords_and_invitations(browser: Browser) -> None:
    for n in range(10):
        assert browser.sign_in(f"name-{n}", "wrong").status_code == 303
        assert browser.post("/invitation", {"token": tokens.new()}).status_code == 410
    for answer in (
        browser.sign_in(),
        browser.post("/invitation", {"token": "x"}),
        browser.post("/invitation", {"token": "x", "password": PASSWORD, "again": PASSWORD}),
    ):
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) <= 3
    elsewhere = Browser(browser.app)
    elsewhere.client = type(elsewhere.client)(
        elsewhere.app, base_url=browser.origin, follow_redirects=False, client=("192.0.2.7", 1)
    )
    assert elsewhere.first_factor().headers["location"] == "/sign-in/key"
    # whoever says of himself that he is somebody else
    assert browser.post("/sign-in", {"name": "a"}, **{"X-Forwarded-For": "192.0.2.9"}).status_code == 429


def test_an_office_that_comes_in_at_once_from_one_address_does_not_wait(browser: Browser) -> None:
    """Whoever came in did not guess; but a guess between two who come in counts as any other."""
    for _ in range(8):
        colleague = Browser(browser.app)
        assert colleague.sign_in().headers["location"] == "/"
        assert [colleague.sign_in(f"name-{n}", "wrong").status_code for n in range(2)] == [303, 303]
    last = [browser.sign_in(f"more-{n}", "wrong").status_code for n in range(5)]
    assert last == [303] * 4 + [429] and browser.sign_in().status_code == 429


def test_a_bucket_is_filled_again_and_forgets_whom_it_has_not_seen_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    rate = Rate(2, 10, lambda: now[0])
    assert [rate.take("a") for _ in range(3)] == [0, 0, 10]
    now[0] = 9
    assert rate.take("a") == 1
    now[0] = 10
    assert [rate.take("a"), rate.take("a")] == [0, 10]
    for _ in range(3):
        rate.give_back("a")
        rate.give_back("nobody")
    assert [rate.take("a") for _ in range(3)] == [0, 0, 10] and len(rate._left) == 1
    now[0] = 20
    monkeypatch.setattr("flows.console.web.rate._MOST", 2)
    rate.take("b")
    rate.take("c")
    assert len(rate._left) == 2 and rate.take("a") == 0


def test_an_invitation_sets_a_password_once(browser: Browser) -> None:
    token = browser.console.entrance.invite("operator-1", "operator-2")
    assert 'name="token"' in browser.get("/invitation").text
    assert token not in browser.get("/invitation", params={"token": token}).text  # no URL has it
    page = browser.post("/invitation", {"token": token})
    assert page.status_code == 200 and "Set a password for operator-1" in page.text
    new = "six other words, and no phrase"
    answer = browser.post("/invitation", {"token": token, "password": new, "again": new})
    assert answer.headers["location"] == "/sign-in?ready=1" and token not in str(answer.headers)
    again = browser.post("/invitation", {"token": token, "password": PASSWORD, "again": PASSWORD})
    assert again.status_code == 410 and browser.post("/invitation", {"token": token}).status_code == 410
    assert browser.sign_in(password=PASSWORD).headers["location"] == WRONG
    assert browser.sign_in(password=new).headers["location"] == "/"


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        (PASSWORD, PASSWORD + " ", "not the same"),
        ("a" * 14, "a" * 14, "at least 15 characters"),
        ("b" * 129, "b" * 129, "at most 128"),
        ("I am Operator-1 of this", "I am Operator-1 of this", "does not contain your name"),
        ("sluicegate sluicegate", "sluicegate sluicegate", "does not contain your name"),
        ("1q2w3e4r5t6y7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p", "stands in a list of leaked ones"),
    ],
)
def test_a_password_that_is_not_taken_says_why_and_is_not_shown(
    browser: Browser, password: str, again: str, said: str
) -> None:
    token = browser.console.entrance.invite("operator-1", "operator-2")
    answer = browser.post("/invitation", {"token": token, "password": password, "again": again})
    assert answer.status_code == 422 and said in answer.text
    assert password not in answer.text.replace("sluicegate console", "")
    assert browser.console.entrance.invited(token) == "operator-1"


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 5000, "../../etc/passwd"])
def test_an_invitation_that_is_guessed_or_too_old_is_none(browser: Browser, token: str) -> None:
    old = browser.console.entrance.invite("operator-1", "operator-2")
    later(browser.console, minutes=60)
    for one in (token, old):
        assert browser.post("/invitation", {"token": one}).status_code == 410
        fields = {"token": one, "password": PASSWORD, "again": PASSWORD}
        assert browser.post("/invitation", fields).status_code == 410
