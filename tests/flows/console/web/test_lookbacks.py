"""What a lookback found: it waits until all of it is recalled, and is recalled from its page as by command. Notices of
corrections are sent from theirs."""

from __future__ import annotations

import html
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from flows.cases import corrections, lookbacks
from flows.cases.opening import Chosen, open_cases
from flows.home import registers
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.roles import Role
from flows.replay.lookback import lookback
from flows.schedule import waiting
from tests.factories import consoles, installations, recalls, runs
from tests.factories.consoles import Browser
from tests.factories.deltas import write_delta
from tests.factories.installations import Installation
from tests.flows.cases.test_corrections import TODAY, moved
from tests.flows.console.web.test_queue import give
from tests.flows.replay.test_lookback import WRONG, early_rules, release

FOUND = len(WRONG)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home that released rows that today's rules hold back, and that has looked back."""
    made = installations.make(tmp_path_factory.mktemp("looked") / "home")
    with installations.at_home(made.home), early_rules():
        content = [installations.request(n, **WRONG.get(n, ({}, []))[0]) for n in range(1, 21)]
        release(made, made.home.inbox / "incident", content)
    lookback(made.home, Clock())
    consoles.passwords_in(made.home)
    return made


@pytest.fixture(scope="module")
def batches(installation: Installation) -> dict[str, str]:
    with runs.ledger_of(installation.home) as ledger:
        return {record.state.value: record.name for record in ledger.batches()}


def text(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def page(browser: Browser) -> str:
    """The address of the newest lookback."""
    return f"/lookbacks/{lookbacks.newest(browser.console.home, 1)[0].name}"


def form(browser: Browser, **more: str) -> dict[str, str]:
    now = browser.console.ledger.clock.now()
    return {"form": browser.token(), "reason": "lookback", "discovered": f"{now:%Y-%m-%dT%H:%M}", **more}


def test_what_was_found_waits_until_it_is_recalled_from_its_page(ada: Browser, batches: dict[str, str]) -> None:
    ledger, place = ada.console.ledger, page(ada)
    first = ada.get("/")
    assert f'href="{place}"' in first.text
    assert f"{FOUND} of {FOUND} disclosures that would not be made today are in no recall" in text(first)
    assert "NO_NUMBER 2" in text(first) and "sluicegate recall open --reason lookback --from lookback/" in text(first)
    shown = text(ada.get(place))
    assert f"{FOUND} of 20 disclosures would not be made today" in shown
    assert f"{FOUND} of these rows are in no recall" in shown and "PLACEHOLDER 1 1" in shown
    sure = ada.post(place, form(ada))
    assert sure.status_code == 200 and f"{FOUND} rows would be frozen at once" in text(sure)
    assert ledger.cases() == [] and "sandbox-2026" in text(sure) and batches["published"] in text(sure)
    done = ada.post(place, form(ada, sure="yes"))
    (case,) = ledger.cases()
    assert done.headers["location"] == f"/recalls/{case.id}"
    assert (case.rows, case.state, dict(case.batches)) == (FOUND, "frozen", {batches["published"]: FOUND})
    assert case.codes["NO_NUMBER"] == 2 and case.reason is CaseReason.LOOKBACK
    opened = next(e["facts"] for e in ledger.events() if e["kind"] == "recall" and e["facts"]["step"] == "found")
    assert opened["by"] == "operator-1" and ledger.verify() == []
    assert f'href="{place}"' not in ada.get("/").text and f'href="{place}"' in ada.get("/recalls").text
    shown = ada.get(place)
    assert "0 of these rows are in no recall" in text(shown) and "See what would be frozen" not in shown.text
    again = ada.post(place, form(ada, sure="yes"))  # a second click
    assert again.headers["location"] == f"/recalls/{case.id}" and ledger.cases() == [case]


def test_it_is_the_case_that_the_command_opens(ada: Browser) -> None:
    home, ledger = ada.console.home, ada.console.ledger
    (looked,) = lookbacks.newest(home, 9)
    (case,) = open_cases(
        home, Clock(), Chosen(listed=lookbacks.listed(home, looked)), CaseReason.LOOKBACK, "operator-2"
    )
    sure = ada.post(page(ada), form(ada))
    assert f"{case.id} , open already" in text(sure)
    assert ada.post(page(ada), form(ada, sure="yes")).headers["location"] == f"/recalls/{case.id}"
    assert ledger.cases() == [case]


def test_what_is_in_another_recall_is_left_out(ada: Browser, batches: dict[str, str]) -> None:
    home, ledger = ada.console.home, ada.console.ledger
    first = recalls.opened(home, batches["published"], 2, 4)  # of what was found; and one that was not
    recalls.opened(home, batches["published"], 0)
    assert f"{FOUND - 2} of {FOUND} disclosures" in text(ada.get("/"))
    assert f"{FOUND - 2} rows would be frozen" in text(ada.post(page(ada), form(ada)))
    assert ada.post(page(ada), form(ada, sure="yes")).status_code == 303
    assert [case.rows for case in ledger.cases()] == [2, 1, FOUND - 2] and ledger.case(first).rows == 2
    assert waiting.looked(home)[1] == [] or "lookback" not in {one.kind for one in waiting.looked(home)[1]}


def test_one_as_of_a_day_waits_for_nobody_and_a_newer_one_takes_the_place_of_an_older(ada: Browser) -> None:
    home, ledger = ada.console.home, ada.console.ledger
    (looked,) = lookbacks.newest(home, 9)
    lookback(home, Clock(), as_of=TODAY + timedelta(days=1))
    newest, older = lookbacks.newest(home, 9)
    assert (newest.as_of, older) == ((TODAY + timedelta(days=1)).isoformat(), looked) and newest.affected == FOUND
    found = lookbacks.waiting(home, ledger)
    assert found and found[0] == looked
    lookback(home, Clock())
    found = lookbacks.waiting(home, ledger)
    assert found and found[0] == lookbacks.newest(home, 9)[0] != looked


def test_a_list_that_was_changed_recalls_nothing(ada: Browser) -> None:
    home = ada.console.home
    (path,) = (home.root / "lookback").glob("*.age")
    path.write_bytes(path.read_bytes() + b"x")
    for sure in ("", "yes"):
        answer = ada.post(page(ada), form(ada, sure=sure))
        assert answer.status_code == 409 and "is missing, or was changed" in answer.text
    assert ada.console.ledger.cases() == []


@pytest.mark.parametrize("broken", [b"", b"{}", b"[1]", b'{"at": "now"}'])
def test_one_that_cannot_be_read_is_said_to_wait_and_hides_nothing(ada: Browser, broken: bytes) -> None:
    place = page(ada)
    (path,) = (ada.console.home.root / "lookback").glob("*.json")
    path.write_bytes(broken)
    assert "nobody knows what waits of the lookbacks" in text(ada.get("/"))
    assert place not in ada.get("/recalls").text and ada.get("/recalls").status_code == 200
    assert ada.get(place).status_code == ada.post(place, form(ada, sure="yes")).status_code == 409


def test_who_may_not_recall_sees_it_and_opens_nothing(browser: Browser) -> None:
    give(browser, Role.AUDITOR)
    shown = browser.get(page(browser))
    assert f"{FOUND} of these rows" in text(shown) and "See what would be frozen" not in shown.text
    for path, fields in ((page(browser), {"sure": "yes"}), ("/recalls/corrections/send", {})):
        assert browser.post(path, form(browser, **fields)).status_code == 403
    assert browser.console.ledger.cases() == []


def test_pages_of_a_lookback_hold_no_value(ada: Browser) -> None:
    pages = [ada.get("/"), ada.get("/recalls"), ada.get(page(ada)), ada.post(page(ada), form(ada))]
    values = {str(v) for n in range(1, 21) for v in installations.request(n, **WRONG.get(n, ({}, []))[0]).values()}
    said = {value for value in values if len(value) > 6 and not value.startswith("20")}
    assert len(said) > 50
    for one in pages:
        assert [value for value in said if value in one.text and "indictment" not in value] == []


@pytest.mark.parametrize(
    ("name", "status"), [("20260101T000000000000Z", 409), ("..%2fledger", 404), ("x", 404), ("%F0%9F%98%80", 404)]
)
def test_a_name_that_is_none_has_no_page(ada: Browser, name: str, status: int) -> None:
    assert ada.get(f"/lookbacks/{name}").status_code == status


def test_notices_of_corrections_are_sent_once_and_the_log_names_who_did(ada: Browser, tmp_path: Path) -> None:
    home, ledger = ada.console.home, ada.console.ledger
    registers.update_register(
        home, write_delta(tmp_path / "d", [moved(2), moved(3)], kind="correction", on=TODAY), TODAY
    )
    owed = ada.post("/recalls/corrections", form(ada))
    assert "1 notice of corrections owed" in text(owed) and "Send this notice" in owed.text
    assert ledger.corrections() == []
    sent = ada.post("/recalls/corrections/send", form(ada))
    assert "1 notice of corrections sent" in text(sent) and "Send this notice" not in sent.text
    assert "No notices of corrections sent" in text(ada.post("/recalls/corrections/send", form(ada)))
    assert "No notices of corrections owed" in text(ada.post("/recalls/corrections", form(ada)))
    (event,) = [e["facts"] for e in ledger.events() if e["kind"] == "corrected"]
    assert (event["by"], event["rows"]) == ("operator-1", [2]) and ledger.verify() == []
    assert corrections.due(home, Clock()) == [] and "R-0000" not in json.dumps(event)
    assert [p.name for p in home.outbox.glob("correction-*")] == [f"correction-{event['notice']}"]
    shutil.rmtree(home.outbox / f"correction-{event['notice']}")
