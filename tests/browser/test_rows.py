"""A row in a real browser: from its checkpoint to its values, which are shown once: not by loading the page again, not
on the way back, not on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.chromium import CHROMIUM
from tests.browser.test_console import LOOKS, Reader, Served, axe, reader, served
from tests.factories import installations

__all__ = ["reader", "served"]
pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
ASKED = installations.request(2)


def asked(reader: Reader, served: Served) -> None:
    """To the form of a row, filled in."""
    page = reader.sign_in()
    page.goto(f"/batches/{served.held}/intake")
    page.get_by_text("All of them", exact=True).click()
    page.get_by_role("link", name=f"{served.held}#1").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It has not left: the batch is held.")
    page.get_by_label("a complaint about this request").check()
    page.get_by_label("Number of the case").fill("CMP-2026-17")


def back(page: Page) -> None:
    """The browser keeps nothing of the answer to a form, and says so."""
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()
    page.wait_for_url("chrome-error://**")


def test_values_are_shown_once_and_leave_nothing_behind(reader: Reader, served: Served) -> None:
    asked(reader, served)
    page, name = reader.page, str(ASKED["last_name"])
    assert name not in page.content()
    page.get_by_role("button", name="Show what was asked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Values of {served.held}#1")
    expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("cell", name=name, exact=True)).to_be_hidden()
    expect(page.get_by_text("Values are not printed.")).to_be_visible()
    page.emulate_media(media="screen")
    page.reload()  # the browser sends the form again
    expect(page.get_by_role("status")).to_contain_text("Nothing was shown")
    assert name not in page.content()
    page.get_by_label("a complaint about this request").check()
    page.get_by_role("button", name="Show it beside what the register has").click()
    expect(page.get_by_text("No one record was found for this row.")).to_be_visible()
    page.get_by_role("link", name="What waits").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits")
    back(page)
    assert name not in page.content()
    page.goto("/views")
    expect(page.get_by_role("cell", name="CMP-2026-17")).to_have_count(1)
    expect(page.get_by_role("link", name=f"{served.held}#1")).to_have_count(2)
    reader.complaints.clear()  # what the browser says where it asks whether to send the form again


def test_without_javascript_the_way_back_shows_nothing(browser: Browser, served: Served) -> None:
    reader = Reader(browser, served, java_script_enabled=False)
    asked(reader, served)
    page = reader.page
    page.get_by_role("button", name="Show what was asked").click()
    expect(page.get_by_role("cell", name=str(ASKED["last_name"]), exact=True)).to_be_visible()
    page.get_by_role("link", name="What waits").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("wait")
    back(page)
    assert str(ASKED["last_name"]) not in page.content()
    reader.context.close()


def test_axe_finds_nothing_where_values_are_shown(browser: Browser, served: Served) -> None:
    for look in LOOKS.values():
        reader = Reader(browser, served, **look)
        page = reader.sign_in()
        page.goto(f"/batches/{served.released}/rows/1")
        page.get_by_label("a complaint about this request").check()
        page.get_by_role("button", name="Show it beside what the register has").click()
        expect(page.get_by_role("region", name="Addresses on file")).to_be_visible()
        assert axe(page) == []
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0
        reader.context.close()
