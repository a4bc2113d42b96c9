"""Coming in with a real provider in a real browser: by an invitation, and then by the button; from another site, whose
pages no session's cookie goes with; and that its pages are for everybody."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from flows.home.tree import open_home
from tests.browser.chromium import CHROMIUM
from tests.browser.test_console import Reader, Served, axe, serving
from tests.browser.test_site import LOOKS, VNU, each_look
from tests.factories import installations, providers
from tests.factories.providers import settings

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
BUTTON = "the office's account"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = installations.make(tmp_path_factory.mktemp("oidc") / "home").home.root
    with providers.real() as issuer:
        path = root / "sluicegate.toml"
        path.write_text(path.read_text() + settings(issuer))
        with serving(open_home(root)) as console:
            yield Served(console, console.place.origin, "")


def at_the_provider(page: Page, subject: str) -> None:
    go_on(page)
    page.locator("input[name=sub]").fill(subject)
    page.locator("input[name=sub]").press("Enter")


def go_on(page: Page) -> None:
    """Reads where one goes, and goes there."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("You are leaving for localhost:")
    page.get_by_role("link", name="Go on to localhost:").click()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_by_an_invitation_and_then_by_the_button(browser: Browser, served: Served, script: bool) -> None:
    reader = Reader(browser, served, java_script_enabled=script)
    page = reader.page
    page.goto(invitation := served.invitation("operator-1"))
    if not script:
        page.get_by_label("Code").fill(invitation.partition("#")[2])
        page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name=f"Come in with {BUTTON}").click()
    at_the_provider(page, f"ada-{script}")
    expect(page).to_have_url(f"{served.origin}/sign-in/key")  # nothing was demanded there: it is one factor
    page.goto("/me")
    reader.show_key()
    expect(page.get_by_role("heading", level=1)).to_have_text("operator-1")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/me")  # and is brought back there
    page.get_by_role("button", name=f"Sign in with {BUTTON}").click()
    at_the_provider(page, f"ada-{script}")
    reader.show_key()
    expect(page).to_have_url(f"{served.origin}/me")
    expect(page.get_by_role("heading", level=1)).to_have_text("operator-1")
    assert [one["name"] for one in reader.context.cookies() if one["name"].startswith("__Host-sluicegate")] == [
        "__Host-sluicegate"
    ]
    page.go_back()  # no code is left in what one can go back to
    assert "code=" not in page.url
    assert [one for one in reader.complaints if "404" not in one and "Content Security" in one] == []
    reader.context.close()


def test_who_is_nobody_here_is_told_so(browser: Browser, served: Served) -> None:
    reader = Reader(browser, served)
    page = reader.page
    page.goto("/sign-in")
    page.get_by_role("button", name=f"Sign in with {BUTTON}").click()
    at_the_provider(page, "zebulon")
    expect(page.get_by_role("alert")).to_contain_text("it is bound to no operator here")
    assert "zebulon" not in page.content()
    page.goto("/me")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    reader.context.close()


def test_from_another_site_no_cookie_of_a_session_comes_and_one_is_in_all_the_same(
    browser: Browser, served: Served
) -> None:
    """The provider of this test has the same site, localhost: so one step is made at another."""
    reader = Reader(browser, served)
    page, other = reader.page, "http://id.example.test"
    page.route("**/oauth2/authorize?*", lambda route: route.abort())
    page.route(f"{other}/**", lambda route: route.fulfill(content_type="text/html", body=f'<a href="{link[0]}">Back'))
    link = [""]
    with page.expect_request("**/oauth2/authorize?*") as asked:
        page.goto(served.invitation("operator-2"))
        page.get_by_role("button", name=f"Come in with {BUTTON}").click()
        go_on(page)
    link[0] = httpx.post(asked.value.url, data={"sub": "ben"}).headers["location"]
    assert link[0].startswith(f"{served.origin}/sign-in/oidc/back?")
    page.goto(f"{other}/")
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(f"{served.origin}/sign-in/key")
    reader.show_key("operator-2")
    expect(page).to_have_url(f"{served.origin}/")
    page.goto("/me")
    expect(page.get_by_role("heading", level=1)).to_have_text("operator-2")
    for path, leads in (("/me", "/sign-in?next=%2Fme"), ("/sign-in/oidc", "/sign-in")):
        link[0] = f"{served.origin}{path}"  # from there one is nobody, and nothing is begun
        page.goto(f"{other}/")
        page.get_by_role("link", name="Back").click()
        expect(page).to_have_url(f"{served.origin}{leads}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    reader.context.close()


def stays(page: Page, served: Served) -> None:
    """Signs in, and stays on the page that would lead on."""
    page.goto("/sign-in?next=/me")
    page.route(f"{served.origin}/sign-in/key*", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name=f"Sign in with {BUTTON}").click()
    at_the_provider(page, "carla")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is known here")


def carla(served: Served) -> None:
    entrance, issuer = served.console.entrance, served.console.home.config.console.oidc.issuer
    assert issuer and entrance.bind(entrance.invite("operator-1", "operator-2"), issuer, "carla")


@each_look
def test_axe_finds_nothing_on_its_pages(browser: Browser, served: Served, look: str) -> None:
    carla(served)
    reader = Reader(browser, served, **LOOKS[look])
    doors = ("/sign-in", "/sign-in?wrong=identity", "/sign-in?wrong=provider")
    for path in (*doors, served.invitation("operator-2"), "LEAVING", "SIGNED IN"):
        if path == "LEAVING":
            reader.page.get_by_role("button", name=f"Come in with {BUTTON}").click()
            expect(reader.page.get_by_role("link", name="Stay here")).to_be_visible()
        else:
            stays(reader.page, served) if path == "SIGNED IN" else reader.page.goto(path)
        assert axe(reader.page) == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert reader.page.evaluate(wide) == 0, path
    reader.context.close()


@pytest.mark.skipif(not VNU, reason="no VNU_JAR: npm pack vnu-jar")
def test_its_html_is_valid(browser: Browser, served: Served, tmp_path: Path) -> None:
    carla(served)
    reader, files = Reader(browser, served), [tmp_path / "leaving.html"]
    leaving = reader.page.request.post("/sign-in/oidc", headers={"Sec-Fetch-Site": "same-origin"}, form={})
    assert "Stay here" in leaving.text()
    files[0].write_text(leaving.text())
    for path in ("/sign-in", "/sign-in?wrong=identity", served.invitation("operator-2"), "SIGNED IN"):
        files.append(tmp_path / f"{len(files)}.html")
        if path == "SIGNED IN":
            with reader.page.expect_response("**/sign-in/oidc/back?*") as answer:
                stays(reader.page, served)
            files[-1].write_text(answer.value.text())
        else:
            files[-1].write_text(reader.page.request.get(path).text())
    command = ["java", "-jar", str(VNU), "--stdout", "--format", "json", *map(str, files)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ).stdout
    assert json.loads(said)["messages"] == []
    reader.context.close()
