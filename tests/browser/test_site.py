"""The pages as people meet them: with axe-core in light, dark and narrow, by keyboard, without JavaScript, on paper,
and through the W3C's checker of HTML; nothing is asked for from elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from flows.console import pages, queue, site
from flows.console.links import ServedLinks
from flows.schedule import summary
from tests.browser.chromium import CHROMIUM
from tests.factories import installations, runs

VNU = os.environ.get("VNU_JAR", "")  # `npm pack vnu-jar` has it; .ci/run says which
pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 740}},
}
_SLOW = ("dark", "narrow")  # each page is looked at by axe in each, which takes a minute and more
each_look = pytest.mark.parametrize(
    "look", [pytest.param(name, marks=pytest.mark.slow) if name in _SLOW else name for name in LOOKS]
)


class Served(ServedLinks):
    """At a server, but that style and script lie beside the page."""

    def static(self, name: str) -> str:
        return name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a batch of each end, something unsigned in the inbox, and a night."""
    place = tmp_path_factory.mktemp("site")
    installation = installations.make(place / "home")
    inbox = installation.home.inbox
    with installations.at_home(installation.home):
        runs.released(installation, inbox / "released", 1, 20)
        runs.rejected(installation, inbox / "rejected")
        runs.held(installation, inbox / "held")
        night = {"at": "2026-11-26T02:00:00+00:00", "selftest": summary.PASSED, "batches": [], "waiting": []}
        summary.store(installation.home, night)
        folder = site.write(installation.home, place / "pages").parent
        with runs.ledger_of(installation.home) as ledger:  # as a server makes it: with a form
            shown = queue.queue(installation.home, ledger, **queue.asked({"kind": "held"}))
        page = pages.page("queue.html", made=shown["now"], links=Served(), **shown)
        (folder / "asked.html").write_text(page, encoding="utf-8")
        return folder


def each(made: Path) -> list[Path]:
    return [made / "index.html", made / "asked.html", *sorted((made / "batches").glob("*.html"))]


@each_look
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(made: Path, browser: Browser, look: str) -> None:
    context = browser.new_context(**LOOKS[look])
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for path in each(made):
        page.goto(path.as_uri())
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path.name}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, path.name
    assert asked and all(url.startswith(made.as_uri()) for url in asked)
    context.close()


def test_by_keyboard_from_what_waits_to_what_may_be_decided(made: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((made / "index.html").as_uri())
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the content")).to_be_focused()
    expect(page.get_by_text("To the content")).to_be_in_viewport()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "intake":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("100.0% of the rows against 10.0%")
    expect(page.get_by_role("heading", name="What may be decided")).to_be_visible()
    # what passed is folded
    expect(page.get_by_text("authority.letter_signed")).to_be_hidden()
    page.close()


def test_the_readers_own_time_stands_beside_utc_and_without_javascript_utc_alone(made: Path, browser: Browser) -> None:
    shown = {}
    for script in (True, False):
        context = browser.new_context(timezone_id="America/New_York", locale="en-US", java_script_enabled=script)
        page = context.new_page()
        page.goto((made / "index.html").as_uri())
        shown[script] = page.locator("tbody th time", has_text="02:00 UTC").inner_text()
        context.close()
    assert shown == {False: "2026-11-26 02:00 UTC", True: "2026-11-26 02:00 UTC (here Nov 25, 2026, 9:00 PM)"}


def test_on_paper_there_is_no_navigation(made: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((made / "index.html").as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert all(not one.is_visible() for one in page.get_by_role("navigation").all())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    # and paper stays white, whatever the screen is like
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()


def test_the_contents_lead_to_each_kind_and_what_has_the_focus_shows_it(made: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((made / "index.html").as_uri())
    contents = page.get_by_role("navigation", name="What waits, by kind")
    for link in contents.get_by_role("link").all():
        link.focus()
        assert link.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector(':target').tagName") == "H2"
    assert contents.get_by_role("link").count() >= 1
    page.close()


@pytest.mark.skipif(not VNU, reason="no VNU_JAR: npm pack vnu-jar")
def test_html_and_css_are_valid(made: Path) -> None:
    command = ["java", "-jar", VNU, "--stdout", "--format", "json"]
    said = [
        subprocess.run([*command, *more], capture_output=True, text=True, timeout=120).stdout
        for more in (map(str, each(made)), ["--css", str(pages.HERE / "static" / "console.css")])
    ]
    assert [json.loads(one)["messages"] for one in said] == [[], []]
