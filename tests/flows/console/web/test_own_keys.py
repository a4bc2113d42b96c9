"""Which of the holder's keys the console reads, and for what; and what it is without those that it was not given."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base.places import Place
from flows.console.web.needs import Route
from flows.console.web.routes import ROUTES
from tests.factories.consoles import Browser
from tests.flows.console.web.test_routes import ENDS, GETS, ids, url

pytestmark = pytest.mark.usefixtures("full")

HASH, SIGNING, AGE = "hash", "holder-signing", "holder-age"
# Who opens a case looks first, then is sure: what the recipient is told with is signed.
RECALL = {"reason": "system_fault", "which": "these", "rows": "5", "discovered": "2026-01-02T03:04"}
# What opens, or keeps, what is sealed to the holder. All else that is asked for takes no key but that of the hashes.
SEALED = {
    "GET /batches/{batch}/rows/{number}",  # of a batch that has ended
    "POST /batches/{batch}/rows/{number}",
    "POST /batches/{batch}/rows/{number}/register",
    "POST /recalls/corrections",
    "steps of a recall",
    "words under a decision",
}
SIGNED = {"POST /batches/{batch}/recall", "POST /recalls/{case}/frozen", "POST /recalls/corrections/send"}


def kind(name: str) -> str:
    """What a route does, as the sets above call it."""
    steps = re.match(r"(GET|POST) /recalls/\{case\}/(?!frozen)", name)
    return "steps of a recall" if steps else name


def paths(route: Route, batches: dict[str, str]) -> Iterator[str]:
    for state in ("held", "published") if "{batch}" in route.path else ("held",):
        yield url(route, {**batches, "held": batches[state]})


def walked(ada: Browser, batches: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Every page, and each form that takes a key, with what came of it."""
    for route in GETS:
        for path in paths(route, batches):
            yield ids(route), ada.get(path)
    yield from forms(ada, batches)
    for route in ROUTES:
        if route.method == "POST" and route.path not in ENDS:
            yield ids(route), ada.post(url(route, batches), {"form": ada.token()})


def forms(ada: Browser, batches: dict[str, str]) -> Iterator[tuple[str, Any]]:
    row, case = f"/batches/{batches['published']}/rows/3", batches["case"]
    for end in ("", "/register"):
        seen = ada.get(f"/batches/{batches['held']}/rows/1").text
        nonce = re.findall(r'name="nonce" value="([^"]+)"', seen)[0]
        fields = {"form": ada.token(), "nonce": nonce, "reason": "match_check"}
        yield f"POST /batches/{{batch}}/rows/{{number}}{end}", ada.post(f"{row}{end}", fields)
    yield (
        "words under a decision",
        ada.post(
            f"/batches/{batches['held']}/decide/reject",
            {"form": ada.token(), "words": "As agreed.", "reason": "incomplete"},
        ),
    )
    yield "POST /recalls/corrections", ada.post("/recalls/corrections", {"form": ada.token()})
    yield "POST /recalls/{case}/documents", ada.post(f"/recalls/{case}/documents", {"form": ada.token()})
    yield "POST /recalls/{case}/notified", ada.upload(f"/recalls/{case}/notified", b"receipts")
    place = f"/batches/{batches['published']}/recall"
    yield "POST /batches/{batch}/recall", ada.upload(place, None, **RECALL)
    yield "POST /batches/{batch}/recall", ada.upload(place, None, **RECALL, sure="yes")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the keys that were read."""
    found: list[str] = []
    real = Place.read_key

    def spied(place: Place) -> bytes:
        found.append(place.name)
        return real(place)

    monkeypatch.setattr(Place, "read_key", spied)
    return found


def test_each_page_and_form_reads_the_keys_that_are_written_down(
    ada: Browser, batches: dict[str, str], read: list[str]
) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    read.clear()
    for name, answer in walked(ada, batches):
        assert answer.status_code < 500, (name, answer.text)
        for key in read:
            used[key].add(kind(name))
        read.clear()
    assert {*used} == {HASH, AGE, SIGNING}
    assert used[SIGNING] == SIGNED
    assert used[AGE] == SEALED | SIGNED
    assert len(ada.console.ledger.cases()) == 2, "the case was opened"


@pytest.mark.parametrize(("gone", "without"), [((SIGNING,), SIGNED), ((SIGNING, AGE), SEALED | SIGNED)])
def test_without_a_key_every_other_page_is_there_and_these_say_why_they_are_not(
    app: FastAPI, ada: Browser, batches: dict[str, str], gone: tuple[str, ...], without: set[str]
) -> None:
    for key in gone:
        (app.state.console.home.keys / key).unlink()
    missed = set()
    for name, answer in walked(ada, batches):
        assert answer.status_code < 500, (name, answer.text)
        if answer.status_code == 409 and "This console has not the key for it" in answer.text:
            missed.add(kind(name))
    assert missed == without
    assert len(ada.console.ledger.cases()) == 1 and ada.console.ledger.verify() == []
