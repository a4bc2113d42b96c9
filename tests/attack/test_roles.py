"""Every route of the console by every role: by link, by form, by a crafted request, and after demotion in a session
that goes on. What the table forbids is refused and recorded, and nothing else happens. Generated from the tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from expectations.base import signatures
from flows.console.web.app import make
from flows.console.web.rate import Rate
from flows.console.web.routes import ROUTES
from flows.ledger.lifecycles.states import State
from flows.ledger.roles import ALL, ROLES, Role
from tests.factories import consoles, installations, recalls, runs
from tests.factories.consoles import Browser
from tests.factories.installations import Installation
from tests.factories.ledgers import Office

LOOKBACK = "20260101T000000000000Z"  # none of this name
ORDER = "stay-2025-11-21-ddc"
GUARDED = [route for route in ROUTES if route.need.act is not None]
# What somebody may send instead of a page's form: the session's own token, another's, none; and what a decision holds.
CLAIMS = {"X-Remote-User": "operator-1", "X-Forwarded-User": "operator-1", "Authorization": "Bearer operator-1"}
CRAFTED: tuple[dict[str, str], ...] = (
    {},
    {"form": "0" * 64},
    {"reason": "not_valid", "seen": "0" * 64, "nonce": "", "answer": "{}"},
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = installations.make(tmp_path_factory.mktemp("roles") / "home")
    with installations.at_home(made.home):
        runs.held(made, made.home.inbox / "held")
        recalls.opened(made.home, runs.released(made, made.home.inbox / "released", 1, 20), 0, 1)
    return made


@pytest.fixture
def app(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    consoles.quick(monkeypatch)
    home = runs.copy(installation.home, tmp_path / "home")
    app = make(home)
    object.__setattr__(app.state.console, "readers", Rate(10_000, 1))  # tries are more than people's
    yield app
    app.state.console.ledger.close()


def office_of(app: FastAPI, *roles: Role) -> Office:
    """The home's two operators, and `zoe` with these roles and a password."""
    console = app.state.console
    office = Office(console.ledger)
    office.keys = {name: signatures.load(console.home.keys / name) for name in ("operator-1", "operator-2")}
    office.keys["zoe"] = office.new_key()
    by = ("operator-1", "operator-2")
    said = console.ledger.operator_message("zoe", office.line("zoe"), roles)
    console.ledger.enrol_operator("zoe", office.line("zoe"), office.signed(said, by, signatures.OPERATOR), roles)
    consoles.password_for(console, "zoe")
    return office


def state(app: FastAPI) -> tuple[Any, ...]:
    """What nobody without the right may change."""
    ledger = app.state.console.ledger
    (batch,) = ledger.batches(State.HELD)
    return (
        batch.state,
        ledger.decisions(batch.name),
        ledger.halts(),
        ledger.cases(),
        ledger.operators(),
        ledger.proposals(),
    )


def tries(app: FastAPI, browser: Browser, form: str) -> Iterator[tuple[Any, int]]:
    """Each guarded route with what it answers, by link and by form, and by what is no form of ours."""
    ledger = app.state.console.ledger
    (batch,), (case,) = ledger.batches(State.HELD), ledger.cases()
    recall = {"case": case.id, "document": "freeze_notice.md", "form": "copies.csv", "digest": "0" * 64}
    for route in GUARDED:
        known = {"batch": batch.name, "checkpoint": "intake", "halt": 1, "number": 0, "proposal": 1, **recall}
        path = route.path.format(**known, id=ORDER, proof="0" * 64, thing="0" * 64, lookback=LOOKBACK)
        if route.method == "GET":
            yield route, browser.get(path).status_code
            yield route, browser.get(f"{path}?operator=operator-1&role=approver", headers=CLAIMS).status_code
            continue
        # the reason is none of the list: who is allowed gets as far as that, and nothing is decided
        yield route, browser.post(path, {"form": form, "reason": "none"}).status_code
        for crafted in CRAFTED:
            with_form = {"form": form, **crafted} if "seen" in crafted else crafted
            if "seen" not in crafted or route.need.act is None or Role.VIEWER not in ROLES[route.need.act]:
                yield None if "seen" not in crafted else route, browser.post(path, with_form).status_code


@pytest.mark.parametrize("demoted", [False, True], ids=["from the start", "after demotion"])
@pytest.mark.parametrize("role", Role)
def test_what_the_table_forbids_is_refused_and_recorded(app: FastAPI, role: Role, demoted: bool) -> None:
    office = office_of(app, *(ALL if demoted else (role,)))
    browser, console = Browser(app), app.state.console
    assert browser.sign_in("zoe", key=office.keys["zoe"]).status_code == 303
    form = browser.token()
    if demoted:
        assert browser.get("/halt").status_code == 200
        office.give("zoe", role, by=("operator-1", "operator-2"))
    before, forbidden, count = state(app), Counter[str](), 0
    for route, status in tries(app, browser, form):
        count += 1
        if route is None:  # no form of this session
            assert status == 403
            continue
        if role not in ROLES[route.need.act]:
            assert status == 403, (route.method, route.path)
            forbidden[route.need.act.value] += 1
        elif "halt" not in route.path or route.method == "GET":
            assert status != 403, (route.method, route.path)
    app.state.keeper.keep()
    denied: Counter[str] = Counter()
    for event in console.ledger.links():
        if event.kind == "denied":
            said = json.loads(event.facts)
            assert said["by"] == "zoe"
            denied[said["act"]] += said["count"]
    assert denied == forbidden and count >= 45
    if role is Role.VIEWER:
        assert state(app) == before
    assert before[0] is State.HELD and console.ledger.verify() == []
