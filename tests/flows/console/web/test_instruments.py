"""Instruments in the console: looked at, checked before they are enrolled, and orders whose compliance is confirmed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from fastapi import FastAPI

from expectations.base import signatures
from expectations.base.digests import of_bytes
from flows.console import enrolling
from flows.console.web import comply, guard
from flows.ledger.roles import Role
from flows.reports.review import review
from tests.factories import consoles
from tests.factories.authenticator import Authenticator
from tests.factories.consoles import ORIGIN, Browser
from tests.factories.ledgers import Office
from tests.flows.console.web.test_passkeys import PEOPLE, answer, enrolled
from tests.flows.console.web.test_proposals import Person

ORDER = """
kind = "court_order"
id = "fields-2026"
court = "Court of Examples (fictional)"
docket = "1"
title = "Order <b>(fictional)</b>"
source = "fictional"
effective_on = 2026-03-01
effect = "restrict"
only = { fields = ["city", "zip"] }
scope = { agreements = ["sandbox-2026"] }
"""
STAY = "stay-2025-11-21-ddc"


def enrol(browser: Browser, text: str) -> None:
    """Enrols an instrument as both operators sign it with their SSH keys."""
    console, body = browser.console, text.encode()
    said = console.ledger.instrument_message(body)
    private = {one: signatures.load(console.home.keys / one) for one in PEOPLE}
    console.ledger.enrol_instrument(
        body, {one: signatures.sign(said, key, signatures.INSTRUMENT) for one, key in private.items()}
    )


def served(browser: Browser, days: int) -> str:
    """An order whose compliance is to be confirmed by so many days from now."""
    today = browser.console.ledger.clock.now().date()
    last = today + timedelta(days=days)
    days_of = f"served_on = {last - timedelta(days=9)}\nconfirm_by = {last}\n"
    return ORDER.replace("only =", f"{days_of}only =")


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("", ["sandbox-2026", STAY, "irs-ice-2025"], []),
        ("?kind=court_order", [STAY], ["irs-ice-2025</a></th><td>agreement"]),
        ("?kind=determination", ["<td>determination</td>"], [f"{STAY}</a></th><td>court"]),
        ("?stands=no&on=2025-11-20", [f"{STAY}</a></th><td>court"], []),
        ("?stands=yes&on=2025-11-20", [], [f"{STAY}</a></th><td>court"]),
        ("?stands=yes&on=2025-11-21", [f"{STAY}</a></th><td>court"], []),
    ],
)
def test_the_list_has_what_is_asked_for(ada: Browser, query: str, there: list[str], not_there: list[str]) -> None:
    page = ada.get(f"/instruments{query}")
    assert page.status_code == 200
    assert [one for one in there if one not in page.text] == []
    assert [one for one in not_there if one in page.text] == []


@pytest.mark.parametrize("query", ["kind=law", "stands=maybe", "on=soon", "on=2026-13-01", "on=2026-3-1x"])
def test_what_is_no_filter_has_no_page(ada: Browser, query: str) -> None:
    assert ada.get(f"/instruments?{query}").status_code == 404


def test_the_list_says_what_may_be_released_and_why_not_more(ada: Browser) -> None:
    enrol(ada, ORDER)
    page = text_of(ada.get("/instruments?on=2026-03-01"))
    assert "fields-2026: without street, unit, urbanization, state" in page and "city, zip" in page
    assert "fields-2026: without" not in text_of(ada.get("/instruments?on=2026-02-28"))


def test_a_page_has_every_field_with_its_meaning_and_who_enrolled_which_version(ada: Browser) -> None:
    enrol(ada, ORDER)
    enrol(ada, ORDER.replace('"zip"', '"state"'))
    page = ada.get("/instruments/fields-2026")
    said = text_of(page)
    assert "Version 2, the newest" in said and "operator-1, operator-2" in said
    assert "Order <b>(fictional)</b>" in said and "<b>(fictional)" not in page.text
    assert re.search(r"only\.fields city, state only these fields may be released", said)
    older = text_of(ada.get("/instruments/fields-2026?version=1"))
    assert "the newest, version 2, is the one that counts" in older and "city, zip" in older
    differs = text_of(ada.get("/instruments/fields-2026?version=2&against=1"))
    assert re.search(r"What differs from version 1\s.*only\.fields city, zip city, state only these", differs, re.S)
    same = text_of(ada.get("/instruments/fields-2026?version=2&against=2"))
    assert "No field differs" in same
    for query in ("version=3", "version=x", "against=9", "version=1&against=-1"):
        assert ada.get(f"/instruments/fields-2026?{query}").status_code == 404
    for id in ("nothing", "..%2fkeys", "a" * 80, "%00", "<b>"):
        assert ada.get(f"/instruments/{id}").status_code == 404


def test_batches_and_the_instruments_that_they_were_received_under_lead_to_each_other(
    ada: Browser, batches: dict[str, str]
) -> None:
    held = batches["held"]
    page = ada.get(f"/batches/{held}").text
    links = re.findall(r'href="(/instruments/[^"?]+\?version=1)"', page)
    assert "/instruments/sandbox-2026?version=1" in links and len(links) >= 2
    for link in links:
        assert f'href="/batches/{held}"' in ada.get(link).text


def test_looks_are_counted(ada: Browser) -> None:
    for path in ("/instruments", f"/instruments/{STAY}", f"/instruments/{STAY}"):
        ada.get(path)
    ada.app.state.keeper.keep()
    looked = {e["facts"]["page"]: e["facts"]["count"] for e in ada.console.ledger.events() if e["kind"] == "pages"}
    assert looked == {"instruments": 1, "instrument": 2} and ada.console.ledger.verify() == []


@pytest.mark.parametrize("pasted", [False, True])
def test_a_good_file_is_shown_with_its_warnings_and_what_it_would_change(ada: Browser, pasted: bool) -> None:
    def sent(text: str) -> Any:
        if pasted:  # as browsers send lines
            return ada.upload("/enrol", None, text=text.replace("\n", "\r\n"))
        return ada.upload("/enrol", text.encode())

    first = sent(ORDER)
    said = text_of(first)
    assert first.status_code == 200 and "is well formed, and not enrolled yet" in said
    assert "No warnings" in said and "all of it would be new" in said and of_bytes(ORDER.encode()) in said
    assert "sluicegate instruments sign FILE" in said and ada.console.ledger.proposals() == []
    enrol(ada, ORDER)
    again = text_of(sent(ORDER))
    assert "this version is enrolled already" in again and "No field differs" in again
    other = text_of(sent(ORDER.replace('"zip"', '"state"') + 'supersedes = ["nobody"]\n'))
    assert "supersedes: no court_order nobody is enrolled" in other
    assert re.search(r"only\.fields city, zip city, state", other)
    assert len(ada.console.ledger.versions("fields-2026")) == 1


WRONG: dict[str, tuple[bytes, str]] = {
    "a wrong key": (ORDER.replace("2026-03-01", '"Zebulon"').encode(), "effective_on"),
    "another effect": (ORDER.replace('"restrict"', '"Zebulon"').encode(), "effect"),
    "an unknown key": (ORDER.encode() + b"zebulon = 1\n", "zebulon"),
    "an unknown kind": (b'kind = "Zebulon"\n', "kind is missing or unknown"),
    "no TOML": (b"Zebulon = = 1\n", "line 1"),
    "no UTF-8": (ORDER.encode() + b'title = "Zebulon\xff"\n', "not UTF-8"),
    "UTF-16": (ORDER.encode("utf-16"), "not UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
    "an archive": (b"PK\x03\x04" + bytes(200), "the file is not TOML"),
    "a byte order mark": (b"\xef\xbb\xbf" + ORDER.encode(), "the file is not TOML"),
    "control characters": (b'title = "Zebulon\\u0007"\n' + ORDER.replace("title", "# ").encode(), "control character"),
    "nested arrays": (b"a = " + b"[" * 5_000 + b"]" * 5_000, "nested too deep"),
    "nested tables": (b"a = " + b"{b=" * 400 + b"1" + b"}" * 400, "nested too deep"),
    "a key of many parts": (b"a" + b".a" * 30_000 + b" = 1", "too many parts"),
    "many keys": (b"".join(b"k%d.a.b = 1\n" % n for n in range(4_000)), "kind is missing"),
    "a long number": (b"a = " + b"9" * 10_000, "too long"),
    "nothing but lines": (b"\n" * 60_000, "kind is missing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place_and_never_what_stands_there(
    ada: Browser, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body, says = WRONG[name]
    page = ada.upload("/enrol", body, name="Zebulon Quartermain.toml")
    assert page.status_code == 422 and says in text_of(page), text_of(page)
    assert "Zebulon" not in page.text and "It cannot be enrolled" in page.text
    assert "".join(capfd.readouterr()) == ""


def part(head: str, data: bytes = b"x") -> bytes:
    return b"--B\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"


FIELD, FILE = 'Content-Disposition: form-data; name="text"', 'Content-Disposition: form-data; name="file"; filename="f"'
# What no form of ours sends: a body, and what it says that it is.
HOSTILE: dict[str, tuple[bytes, str, int]] = {
    "two files": (part(FILE) + part(FILE) + b"--B--\r\n", "multipart/form-data; boundary=B", 400),
    "no boundary": (part(FILE) + b"--B--\r\n", "multipart/form-data", 400),
    "another boundary": (part(FILE) + b"--B--\r\n", "multipart/form-data; boundary=C", 400),
    "an empty boundary": (part(FILE) + b"--B--\r\n", 'multipart/form-data; boundary=""', 400),
    "no end": (part(FILE), "multipart/form-data; boundary=B", 400),
    "something before": (b"x" + part(FILE) + b"--B--\r\n", "multipart/form-data; boundary=B", 400),
    "something after": (part(FILE) + b"--B--\r\nx", "multipart/form-data; boundary=B", 400),
    "no name": (part("Content-Disposition: form-data") + b"--B--\r\n", "multipart/form-data; boundary=B", 400),
    "no head": (b"--B\r\nx\r\n--B--\r\n", "multipart/form-data; boundary=B", 400),
    "a name in pieces": (
        part("Content-Disposition: form-data; name*=utf-8''text") + b"--B--\r\n",
        "multipart/form-data; boundary=B",
        400,
    ),
    "a text that is not UTF-8": (part(FIELD, b"\xff") + b"--B--\r\n", "multipart/form-data; boundary=B", 400),
    "many parts": (part(FIELD) * 200 + b"--B--\r\n", "multipart/form-data; boundary=B", 400),
    "nested parts": (
        part(f"{FIELD}\r\nContent-Type: multipart/mixed; boundary=C", b"--C\r\n\r\n--C--") * 40 + b"--B--\r\n",
        "multipart/form-data; boundary=B",
        400,
    ),
    "mixed parts": (part(FILE) + b"--B--\r\n", "multipart/mixed; boundary=B", 400),
    "plain text": (b"x", "text/plain", 400),
    "JSON": (b"{}", "application/json", 400),
    "nothing": (b"", "multipart/form-data; boundary=B", 400),
    "a huge file": (part(FILE, b"x" * (enrolling.LARGEST + 1)) + b"--B--\r\n", "multipart/form-data; boundary=B", 413),
    "a huge body": (b"x" * (enrolling.LARGEST + 70_000), "multipart/form-data; boundary=B", 413),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_body_that_no_form_of_ours_sends_is_not_taken(ada: Browser, name: str) -> None:
    body, kind, status = HOSTILE[name]
    usual = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Content-Type": kind}
    assert ada.client.post("/enrol", content=body, headers=usual).status_code == status
    assert ada.get("/me").status_code == 200


def test_a_text_that_is_too_long_is_not_taken(ada: Browser) -> None:
    assert ada.upload("/enrol", None, text="#" * (enrolling.LARGEST + 1)).status_code == 413
    assert ada.upload("/enrol", None, text="#" * enrolling.LARGEST).status_code == 422


@pytest.mark.parametrize(("file", "text"), [(None, ""), (None, " \r\n"), (ORDER.encode(), "kind = 1")])
def test_a_file_or_a_text_is_sent_and_not_both(ada: Browser, file: bytes | None, text: str) -> None:
    page = ada.upload("/enrol", file, text=text)
    assert page.status_code == 422 and "one of the two" in page.text


def body_of(page: Any) -> str:
    """What the page's form gives back."""
    return str(re.findall(r'name="body" value="([^"]+)"', page.text)[0])


def test_what_was_checked_is_proposed_shown_as_it_would_change_and_enrolled_by_two(
    ada: Browser, app: FastAPI, full: None
) -> None:
    enrol(ada, ORDER)
    people = [Person(app, name) for name in PEOPLE]
    after = ORDER.replace('"zip"', '"state"') + 'supersedes = ["nobody"]\r\n# é\r\n'  # bytes that a form would change
    body = body_of(ada.upload("/enrol", after.encode()))
    to = [ada.upload("/enrol/propose", None, body=body).headers["location"] for _ in range(2)]
    assert to[0] == to[1] and to[0].startswith("/proposals/")  # a double click is one proposal
    page = text_of(ada.get(to[0]))
    assert "Enrol a version of the instrument fields-2026" in page and of_bytes(after.encode()) in page
    assert "only.fields city, zip city, state" in page and "supersedes: no court_order nobody is enrolled" in page
    first, second = (one.sign(to[0]) for one in people)
    assert (first.headers["location"], second.headers["location"]) == (to[0], "/instruments")
    newest = ada.console.ledger.versions("fields-2026")[-1]
    assert newest.body == after.encode() and [by for by, _, _ in newest.signed] == list(PEOPLE)
    assert ada.get(to[0]).status_code == 409 and ada.console.ledger.verify() == []
    again = ada.upload("/enrol/propose", None, body=body)
    assert again.status_code == 409 and "othing would change" in again.text


def test_a_proposal_shows_what_it_would_change_as_things_stand_now(ada: Browser, full: None) -> None:
    path = ada.upload("/enrol/propose", None, body=body_of(ada.upload("/enrol", ORDER.encode()))).headers["location"]
    assert "all of it would be new" in ada.get(path).text
    enrol(ada, ORDER.replace('"zip"', '"state"'))
    assert "only.fields city, state city, zip" in text_of(ada.get(path))


@pytest.mark.parametrize("body", ["", "x", "%%%", "é", "a2luZCA9IDE=", "////", "A" * 70_000])
def test_what_is_no_instrument_is_not_proposed(ada: Browser, body: str) -> None:
    answer = ada.upload("/enrol/propose", None, body=body)
    assert answer.status_code in (400, 409) and ada.console.ledger.proposals() == []


def test_an_agreement_that_leaves_nobody_to_decide_is_not_enrolled(ada: Browser, app: FastAPI, full: None) -> None:
    (known,) = (body for id, _, body in ada.console.ledger.instruments() if id == "sandbox-2026")
    text = known.replace(b"\n[holder]", b"bars_enrollers = true\n[holder]", 1)
    path = ada.upload("/enrol/propose", None, body=body_of(ada.upload("/enrol", text))).headers["location"]
    assert "bars_enrollers no yes whoever signed" in text_of(ada.get(path))
    first, second = (Person(app, name).sign(path) for name in PEOPLE)
    assert first.status_code == 303 and second.status_code == 409
    assert "fewer than two approvers would remain" in second.text
    assert ada.console.ledger.versions("sandbox-2026")[-1].body == known


@pytest.mark.parametrize("path", ["/enrol", f"/instruments/{STAY}/compliance"])
@pytest.mark.parametrize("who", ["nobody", "a viewer", "another site"])
def test_of_who_may_not_send_a_file_no_more_is_read_than_of_any_form(
    app: FastAPI, browser: Browser, path: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = "cross-site" if who == "another site" else "same-origin"
    if who != "nobody":
        browser.sign_in()
    if who == "a viewer":
        monkeypatch.setattr(type(app.state.console), "roles", lambda *_: ("viewer",))
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for n in range(4_096):
            read.append(n)
            yield b"x" * 8192

    usual = {"Origin": "null", "Sec-Fetch-Site": site, "Content-Type": "multipart/form-data; boundary=B"}
    assert browser.client.post(path, content=endless(), headers=usual).status_code == 413
    small = {**usual, "Content-Type": "multipart/form-data; boundary=B"}
    got = browser.client.post(path, content=part(FILE) + b"--B--\r\n", headers=small).status_code
    assert got in (303, 403, 413)


def test_a_file_that_does_not_come_is_not_waited_for(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_: object) -> None:
        await anyio.sleep(30)

    monkeypatch.setattr(guard, "_SECONDS", 0.05)
    monkeypatch.setattr(guard.forms, "read", slow)
    assert ada.upload("/enrol", ORDER.encode()).status_code == 408


def test_who_enrolled_the_agreement_does_not_decide_where_it_says_so_and_the_page_names_who_may(
    ada: Browser, app: FastAPI, batches: dict[str, str]
) -> None:
    ledger, held = ada.console.ledger, batches["held"]
    office = Office(ledger)
    office.keys = {name: signatures.load(ada.console.home.keys / name) for name in PEOPLE}
    for name in ("cleo", "dora"):
        office.keys[name] = office.new_key()
        said = ledger.operator_message(name, office.line(name), [Role.APPROVER])
        ledger.enrol_operator(
            name, office.line(name), office.signed(said, PEOPLE, signatures.OPERATOR), [Role.APPROVER]
        )
    (body,) = (body for id, _, body in ledger.instruments() if id == "sandbox-2026")
    phone = Authenticator(origin=ORIGIN)
    enrolled(app, phone)
    reject, pages = f"/batches/{held}/decide/reject", ("/", f"/batches/{held}", f"/batches/{held}/intake")
    assert not [path for path in pages if "The agreement bars" in ada.get(path).text]
    opened = filled(ada, reject, phone)
    office.enrol(body.replace(b"\n[holder]", b"bars_enrollers = true\n[holder]", 1), *PEOPLE)
    page = text_of(ada.get(f"/batches/{held}/intake"))
    assert "The agreement bars those who enrolled its instruments" in page
    assert page.count("Who may sign it: cleo, dora.") == 2
    whom = "The agreement bars those who enrolled its instruments, or took the batch in, and you are one of them."
    assert page.count("You may not: you enrolled one of its instruments") == 2 and "review decide" not in page
    for path in pages[:2]:
        assert f"{whom} Who may: drop: cleo, dora; reject: cleo, dora." in text_of(ada.get(path)), path
    assert not [path for path in pages if f"/batches/{held}/decide/" in ada.get(path).text]
    # by a link, with words for under it, and by a page that was open before
    for refused in (ada.get(reject), ada.post(reject, {**opened, "words": "because"})):
        assert refused.status_code == 409 and "The agreement bars whoever signed" in text_of(refused)
        assert "data-ask" not in refused.text
    app.state.keeper.keep()
    denied = [one["facts"] for one in ledger.events() if one["kind"] == "denied"]
    assert denied == [{"by": "operator-1", "act": "reject", "count": 2}]
    refused = ada.post(reject, {**opened, "reason": "not_valid"})
    assert refused.status_code == 409 and "The agreement bars whoever signed its instruments" in text_of(refused)
    assert ledger.decisions(held) == [] and ledger.events()[-1]["facts"] == {"by": "operator-1", "act": "reject"}
    shown = review(ada.console.home, ledger, held)
    assert shown["deciders"] == {"drop": ("cleo", "dora"), "reject": ("cleo", "dora")}
    consoles.password_for(app.state.console, "cleo")
    cleo = Browser(app)
    cleo.sign_in("cleo", key=office.keys["cleo"])
    assert all(f'href="{reject}"' in cleo.get(path).text for path in (pages[0], pages[2]))
    assert not [path for path in pages if "you are one of them" in text_of(cleo.get(path))]
    assert cleo.get(reject).status_code == 200


FILED = b"%PDF-1.7 Zebulon Quartermain complies"


def signed(browser: Browser, path: str, phone: Authenticator, **wrong: str) -> Any:
    """Signs what the page shows."""
    return browser.post(path, {**filled(browser, path, phone), **wrong})


def filled(browser: Browser, path: str, phone: Authenticator) -> dict[str, str]:
    """The fields of its form, with the signature."""
    page = browser.get(path).text
    (options,) = re.findall(r'data-ask="([^"]+)"', page)
    ask = json.loads(html.unescape(options))
    fields = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[-1] for name in ("form", "seen", "nonce")}
    challenge = signatures.base64.urlsafe_b64decode(ask["challenge"] + "=")
    return {**fields, "answer": answer(phone, challenge)}


def test_compliance_is_confirmed_by_what_was_filed_and_one_signature(ada: Browser, app: FastAPI) -> None:
    enrol(ada, served(ada, days=-2))
    assert re.search(r"fields-2026 \S+ passed", text_of(ada.get("/instruments")))
    assert 'href="/instruments/fields-2026/compliance"' in ada.get("/").text
    phone = Authenticator(origin=ORIGIN)
    enrolled(app, phone)
    assert "Confirm compliance" in ada.get("/instruments/fields-2026").text
    to = ada.upload("/instruments/fields-2026/compliance", FILED, name="Zebulon Quartermain.pdf")
    assert to.headers["location"] == f"/instruments/fields-2026/compliance/{of_bytes(FILED)}"
    page = ada.get(to.headers["location"])
    assert of_bytes(FILED) in page.text and "sluicegate instruments confirm fields-2026 --file FILED" in page.text
    assert "Zebulon" not in page.text
    stale = signed(ada, to.headers["location"], phone, seen="0" * 64)
    assert stale.status_code == 409 and "has changed since" in stale.text
    done = signed(ada, to.headers["location"], phone)
    assert (done.status_code, done.headers["location"]) == (303, "/instruments/fields-2026")
    event = next(e["facts"] for e in reversed(ada.console.ledger.events()) if e["kind"] == "complied")
    assert (event["order"], event["proof"], event["by"]) == ("fields-2026", of_bytes(FILED), "operator-1")
    assert "operator-1 has signed that the holder confirmed" in ada.get("/instruments/fields-2026").text
    assert "Nothing is to be confirmed" in ada.get("/instruments").text
    assert "fields-2026" not in ada.get("/").text and ada.console.ledger.verify() == []
    again = ada.get(to.headers["location"])  # two tabs, or a link that was kept
    assert again.status_code == 409 and "is confirmed already" in again.text and "data-ask" not in again.text


def test_a_signature_for_another_use_confirms_nothing(ada: Browser, app: FastAPI) -> None:
    enrol(ada, served(ada, days=3))
    phone = Authenticator(origin=ORIGIN)
    enrolled(app, phone)
    path = f"/instruments/fields-2026/compliance/{of_bytes(FILED)}"
    other = json.loads(answer(phone, b"x" * 32))
    refused = signed(ada, path, phone, answer=json.dumps(other))
    assert refused.status_code == 409 and ada.console.ledger.confirmed() == {}


def test_nothing_is_signed_for_what_is_no_order_and_what_is_no_digest(ada: Browser) -> None:
    for id in ("sandbox-2026", "nothing"):
        assert ada.get(f"/instruments/{id}/compliance").status_code == 409
        assert ada.get(f"/instruments/{id}/compliance/{'0' * 64}").status_code == 409
    for proof in ("0" * 63, "x" * 64, "0" * 64 + "0", "%00"):
        assert ada.get(f"/instruments/{STAY}/compliance/{proof}").status_code == 404
    none = ada.upload(f"/instruments/{STAY}/compliance", None)
    assert none.status_code == 422 and "Choose the confirmation" in none.text
    big = ada.upload(f"/instruments/{STAY}/compliance", b"x" * comply.LARGEST, name="big.pdf")
    assert big.headers["location"].endswith(of_bytes(b"x" * comply.LARGEST))
