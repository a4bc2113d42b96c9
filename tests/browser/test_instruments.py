"""Instruments in a real browser: an order from its file to in force, by two people with passkeys; what is wrong with a
file; and compliance with an order confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from expectations.base.digests import of_bytes
from flows.ledger.proposed import Proposed
from tests.browser.chromium import CHROMIUM
from tests.browser.people import PEOPLE, Morning, Person
from tests.browser.test_console import Reader, Served, axe, serving
from tests.browser.test_site import LOOKS, each_look
from tests.factories import installations
from tests.factories.consoles import password_for

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
LAST = date.today() - timedelta(days=1)  # the first page names it
ORDER = f"""kind = "court_order"
id = "fields-2026"
court = "Court of Examples (fictional)"
docket = "No. 1"
title = "Order on fields (fictional)"
source = "fictional"
served_on = 2026-03-01
confirm_by = {LAST}
effective_on = 2026-03-01
effect = "restrict"

[only]
fields = ["city", "zip"]

[scope]
agreements = ["sandbox-2026"]
"""


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """A console, and no batch."""
    installation = installations.make(tmp_path_factory.mktemp("instruments") / "home")
    with serving(installation.home) as console:
        for name in PEOPLE:
            password_for(console, name)
        yield Morning(installation, Served(console, console.place.origin, ""), {})


def check(one: Person, file: Path, text: str) -> None:
    """From the first page to what is wrong with a file, or what it would change."""
    file.write_text(text)
    one.page.goto("/")
    one.click("link", "Instruments")
    one.click("link", "Enrol an instrument, or a new version of one…")
    one.page.get_by_label("Its file").set_input_files(file)
    one.click("button", "Check it")


def test_an_order_from_its_file_to_in_force_by_two(morning: Morning, people: list[Person], tmp_path: Path) -> None:
    ada, ben = people
    check(ada, tmp_path / "order.toml", ORDER.replace('"restrict"', '"restricts"'))
    expect(ada.heading()).to_have_text("It cannot be enrolled: 1 thing is wrong")
    expect(ada.page.get_by_role("row", name="effect")).to_contain_text('effect = "forbid"')
    check(ada, tmp_path / "order.toml", ORDER)
    expect(ada.heading()).to_contain_text("fields-2026 court order is well formed, and not enrolled yet")
    expect(ada.page.get_by_text("all of it would be new")).to_be_visible()
    assert "fields-2026" not in {id for id, _, _ in morning.ledger.instruments()}
    ada.click("button", "Propose it")
    expect(ada.heading()).to_have_text("Enrol a version of the instrument fields-2026")
    expect(ada.page.get_by_role("row", name="only.fields")).to_contain_text("city, zip")
    ada.sign()
    expect(ada.page.get_by_text("1 of 2")).to_be_visible()
    assert "fields-2026" not in {id for id, _, _ in morning.ledger.instruments()}
    ben.page.goto("/proposals")
    ben.click("link", "Enrol a version of the instrument fields-2026")
    ben.sign()
    expect(ben.page.get_by_role("region", name="Instruments").get_by_role("row", name="fields-2026")).to_contain_text(
        "yes"  # in force
    )
    may = ben.page.get_by_role("region", name="What may be released").get_by_role("row", name="sandbox-2026").first
    expect(may).to_contain_text("fields-2026: without street, unit, urbanization, state")
    (version,) = morning.ledger.versions("fields-2026")
    assert version.body == ORDER.encode() and [by for by, _, _ in version.signed] == list(PEOPLE)
    assert morning.ledger.verify() == []


def test_a_text_is_pasted_and_its_next_version_shows_what_it_changes(morning: Morning, people: list[Person]) -> None:
    ada, ben = people
    ada.page.goto("/enrol")
    ada.page.get_by_label("Or its text").fill(ORDER.replace('"zip"', '"state"'))
    ada.click("button", "Check it")
    change = ada.page.get_by_role("region", name="Against the version that is enrolled now")
    expect(change.get_by_role("row", name="only.fields")).to_contain_text("city, state")
    ada.click("button", "Propose it")
    path = ada.page.url
    ada.sign()
    expect(ada.page.get_by_text("1 of 2")).to_be_visible()
    ben.page.goto(path)
    expect(ben.page.get_by_role("row", name="only.fields").first).to_contain_text("city, zip")
    ben.sign()
    expect(ben.page).to_have_url(f"{morning.served.origin}/instruments")
    assert morning.ledger.versions("fields-2026")[1].body == ORDER.replace('"zip"', '"state"').encode()
    ben.click("link", "fields-2026")
    ben.click("link", "What version 2 changed")
    expect(ben.page.get_by_role("heading", name="What differs from version 1")).to_be_visible()
    expect(ben.page.get_by_role("row", name="only.fields").first).to_contain_text("city, zip")


def test_compliance_is_confirmed(morning: Morning, people: list[Person], tmp_path: Path) -> None:
    ada, filed = people[0], tmp_path / "Confirmation of Zebulon.pdf"
    filed.write_bytes(b"%PDF-1.7 as it was filed")
    ada.page.goto("/")
    ada.page.get_by_role("heading", name="fields-2026").get_by_role("link").click()
    expect(ada.heading()).to_have_text("Confirm compliance with fields-2026")
    ada.page.get_by_label("The confirmation as it was filed").set_input_files(filed)
    ada.click("button", "Go on to what you sign")
    expect(ada.page.get_by_text(of_bytes(filed.read_bytes()))).to_be_visible()
    assert "Zebulon" not in ada.page.content()
    ada.sign()
    expect(ada.page.get_by_text("operator-1 has signed that the holder confirmed its compliance")).to_be_visible()
    ada.page.goto("/")
    expect(ada.page.get_by_role("heading", name="fields-2026")).to_have_count(0)
    assert list(morning.ledger.confirmed().values()) == ["operator-1"] and morning.ledger.verify() == []


@each_look
def test_axe_finds_nothing_on_what_is_checked_and_proposed(
    browser: Browser, morning: Morning, look: str, tmp_path: Path
) -> None:
    reader = Reader(browser, morning.served, **LOOKS[look])
    page = reader.sign_in()
    number = next((one.number for one in morning.ledger.proposals()), None) or morning.ledger.propose(
        Proposed.INSTRUMENT, "other-2026", ORDER.replace("fields-2026", "other-2026").encode(), "operator-1"
    )
    paths = [
        f"/proposals/{number}",
        "/instruments/fields-2026?version=1",
        f"/instruments/fields-2026/compliance/{'0' * 64}",
    ]
    for text in (None, "kind = 1", ORDER + 'agreements = ["nobody"]\n', ORDER.replace('"sandbox-2026"', '"nobody"')):
        page.goto("/enrol" if text else paths[0])
        if text:
            page.get_by_label("Or its text").fill(text)
            page.get_by_role("button", name="Check it").click()
            expect(page.get_by_role("heading", level=1)).not_to_contain_text("Enrol")
        assert axe(page) == [], text
    for path in paths:
        page.goto(path)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert axe(page) == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0, path
    assert all(url.startswith(f"{morning.served.origin}/") for url in reader.asked)
    reader.context.close()
