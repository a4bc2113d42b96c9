"""The console in a real browser: from an invitation to the rows that failed, and out again; what an ended session does;
without JavaScript; with axe-core in light, dark and narrow. No request leaves the host."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from flows.console.web.app import make
from flows.console.web.console import Console
from flows.console.web.place import Place
from flows.home.tree import Home
from flows.schedule import summary, waiting
from tests.browser.chromium import CHROMIUM
from tests.browser.test_site import LOOKS, VNU, each_look
from tests.factories import installations, recalls, runs
from tests.factories.consoles import PASSWORD, key_of, later, password_for, signed

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@dataclass(frozen=True)
class Served:
    """A console that runs in a thread, so that tests can set its clock; its held batch, and one that was released."""

    console: Console
    origin: str
    held: str
    released: str = ""

    def invitation(self, name: str) -> str:
        return f"{self.origin}/invitation#{self.console.entrance.invite(name, 'operator-2')}"


@contextmanager
def serving(home: Home) -> Iterator[Console]:
    """A console of this home, at a port of its own."""
    listening = uvicorn.Config("", port=0).bind_socket()
    app = make(home, Place.of(home, listening.getsockname()[1]))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield app.state.console
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    installation = installations.make(tmp_path_factory.mktemp("console") / "home")
    with installations.at_home(installation.home):
        released = runs.released(installation, installation.home.inbox / "released", 1, 20)
        recalls.opened(installation.home, released, 0, 1)
        held = runs.held(installation, installation.home.inbox / "held")
        for day in (26, 27):
            night = {"at": f"2026-11-{day}T02:00:00+00:00", "selftest": summary.PASSED, "batches": [], "waiting": []}
            summary.store(installation.home, night)
    with serving(installation.home) as console:
        password_for(console, "operator-1")
        yield Served(console, console.place.origin, held, released)


class Reader:
    """A page in a browser of its own that notes all that it asks for, and every complaint of its console."""

    def __init__(self, browser: Browser, served: Served, **how: Any) -> None:
        self.served = served
        self.context = browser.new_context(base_url=served.origin, **how)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def sign_in(self, password: str = PASSWORD) -> Page:
        self.page.goto("/sign-in")
        return self.fill(password)

    def fill(self, password: str = PASSWORD, name: str = "operator-1") -> Page:
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        if password == PASSWORD:
            self.show_key(name)
        return self.page

    def arrive(self, how: str) -> None:
        """`HALF`: by a password alone; else wholly, from there."""
        if how == "HALF":
            self.page.goto("/sign-in")
            self.page.get_by_label("Name").fill("operator-1")
            self.page.get_by_label("Password").fill(PASSWORD)
            self.page.get_by_role("button", name="Sign in", exact=True).click()
        else:
            self.page.goto("/sign-in/key")
            self.show_key()

    def show_key(self, name: str = "operator-1") -> None:
        """Signs the line of the page with an SSH key, and pastes the signature."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("key")
        if not self.page.get_by_label("Signature").is_visible():
            self.page.get_by_text("By an SSH key").click()
        said = signed(self.page.locator("pre").inner_text(), key_of(self.served.console, name))
        self.page.get_by_label("Signature").fill(said)
        self.page.get_by_role("button", name="Use your SSH key").click()


@pytest.fixture
def reader(browser: Browser, served: Served) -> Iterator[Reader]:
    made = Reader(browser, served)
    yield made
    made.context.close()
    assert made.asked and all(url.startswith(f"{served.origin}/") for url in made.asked)
    # a browser asks for an icon by itself; the policy is broken by nothing
    assert [one for one in made.complaints if "404" not in one] == []


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_from_an_invitation_to_the_rows_that_failed_and_out_again(
    browser: Browser, served: Served, script: bool, tmp_path: Path
) -> None:
    reader = Reader(browser, served, java_script_enabled=script)
    page = reader.page
    page.goto(invitation := served.invitation("operator-2"))
    if not script:
        page.get_by_label("Code").fill(invitation.partition("#")[2])
        page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set a password for operator-2")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("status")).to_have_text("The password is set. Sign in with it.")
    assert invitation.partition("#")[2] not in page.evaluate("JSON.stringify(history.state)+location.href")
    reader.fill(name="operator-2")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 thing waits for people")
    kept = [(one["name"], one["secure"], one["httpOnly"], one["sameSite"]) for one in reader.context.cookies()]
    assert kept == [("__Host-sluicegate", True, True, "Strict")]  # without TLS, at localhost
    page.get_by_role("link", name=served.held).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(served.held)
    page.get_by_role("region", name="Checkpoints").get_by_role("link", name="intake").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("100.0% of the rows against 10.0%")
    with page.expect_download() as got:
        page.get_by_role("link", name="as CSV").click()
    assert got.value.suggested_filename == f"{served.held}-intake-rows.csv"
    got.value.save_as(tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().startswith("code,number,file,row\n")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.go_back()  # nothing is shown from what the browser kept
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert all(url.startswith(f"{served.origin}/") for url in reader.asked)
    assert reader.context.cookies() == []
    reader.context.close()


def thing(served: Served) -> str:
    """What waits, as the page that sets it aside names it."""
    _, found = waiting.looked_in(served.console.home, served.console.ledger)
    return next(one.thing for one in found if one.id == served.held)


# before the clock of the ledger is set ahead: a clock that then runs behind sets nothing aside
@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_what_waits_is_set_aside_and_taken_back(browser: Browser, served: Served, script: bool) -> None:
    reader = Reader(browser, served, java_script_enabled=script)
    page = reader.sign_in()
    aside = page.get_by_role("link", name=f"Set it aside for a while… ({served.held})")
    aside.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Set aside for a while: held, {served.held}")
    page.get_by_label("the cause is being looked for, or fixed").check()
    page.get_by_role("button", name="Set it aside").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("for people")
    expect(page.get_by_text("the cause is being looked for")).to_be_hidden()
    page.get_by_text("Counted above all the same").click()
    expect(page.get_by_text("by operator-1 until")).to_be_visible()
    found = axe(page) if script else []
    page.get_by_role("button", name="Take it back").click()
    expect(aside).to_be_visible()
    reader.context.close()
    assert found == []


def test_an_ended_session_leads_to_the_door_and_back_to_the_page(reader: Reader, served: Served) -> None:
    page = reader.sign_in()
    page.goto(f"/batches/{served.held}")
    before = served.console.ledger.clock
    later(served.console, minutes=31)
    try:
        page.get_by_role("region", name="Checkpoints").get_by_role("link", name="intake").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        reader.fill()
        expect(page).to_have_url(f"{served.origin}/batches/{served.held}/intake")
        expect(page.get_by_role("heading", level=1)).to_contain_text("The batch is held at intake")
    finally:
        served.console.ledger.clock = before.base


def test_a_wrong_password_is_said_and_read_out(reader: Reader) -> None:
    page = reader.sign_in("not this one, whatever it is")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    expect(page.get_by_label("Password")).to_have_value("")
    reader.fill()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits")


def test_a_form_of_another_site_does_nothing(reader: Reader, served: Served) -> None:
    """Another origin on the same machine sends the form of signing out: the browser says where it comes from."""
    page = reader.sign_in()
    form = page.locator("input[name=form]").first.get_attribute("value")
    other = served.origin.replace("localhost", "127.0.0.1")
    page.route(
        f"{other}/**",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{served.origin}/sign-out"><input name="form" value="{form}"><button>Go',
        ),
    )
    page.goto(f"{other}/evil")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This is not allowed")
    page.goto(f"{served.origin}/me")
    expect(page.get_by_role("heading", level=1)).to_have_text("operator-1")
    reader.asked[:] = [url for url in reader.asked if not url.startswith(other)]
    reader.complaints.clear()  # the answer 403


def test_all_sessions_end_at_once(reader: Reader, browser: Browser, served: Served) -> None:
    other = Reader(browser, served)
    other.sign_in()
    page = reader.sign_in()
    page.get_by_role("link", name="operator-1").click()
    expect(page.get_by_text("this one")).to_have_count(1)
    page.get_by_role("button", name="End all my sessions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    other.page.goto("/")
    expect(other.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    other.context.close()


def test_nothing_stays_on_the_screen_when_a_session_has_ended(browser: Browser, served: Served) -> None:
    reader = Reader(browser, served)
    page = reader.sign_in()
    page.goto(f"/batches/{served.held}")
    other = reader.context.new_page()
    other.clock.install()
    other.goto(f"/batches/{served.held}/intake")
    expect(other.get_by_role("heading", level=1)).to_contain_text("against")
    reader.context.set_offline(True)  # whether or not the console can be reached
    other.clock.fast_forward("29:00")
    expect(other.get_by_role("heading", level=1)).to_contain_text("against")
    other.clock.fast_forward("01:01")
    expect(other.locator("body")).to_have_text("Your session has ended. Sign in")
    reader.context.set_offline(False)
    other.goto(f"/batches/{served.held}/intake")
    with page.expect_response("**/sign-out") as answered:
        page.get_by_role("button", name="Sign out").click()
    assert answered.value.all_headers()["clear-site-data"] == '"cache", "storage"'
    expect(other.locator("body")).to_have_text("Your session has ended. Sign in")
    reader.context.close()


def shown(served: Served) -> list[str]:
    """Each page that an operator meets."""
    order = "/instruments/stay-2025-11-21-ddc"
    law = ["/instruments", f"{order}?version=1&against=1", "/enrol", f"{order}/compliance"]
    inner = [
        *law,
        "/",
        "/me",
        "/me/password",
        "/sessions",
        f"/snooze/{thing(served)}",
        f"/snooze/{'0' * 64}",
        f"/call/{thing(served)}",
        f"/batches/{served.held}",
        f"/batches/{served.held}/intake",
        "/nowhere",
    ]
    (case,) = served.console.ledger.cases()
    inner += [f"/batches/{batch}{more}" for batch in case.batches for more in ("", "/recall")]
    inner += ["/recalls", *(f"/recalls/{case.id}{more}" for more in ("", "/notified", "/persons", "/closed"))]
    inner += [f"/batches/{served.held}/rows/1", f"/batches/{served.released}/rows/20", f"/batches/{served.held}/rows"]
    inner += [f"/batches/{served.held}/rows?number=99", "/views"]
    door = ["/sign-in", "/sign-in?wrong=1", "/sign-in?ready=1", "/invitation", served.invitation("operator-2")]
    return [*door, "HALF", "/sign-in/key", "/sign-in/key?wrong=1", "/me/passkey", "SIGN IN", *inner, "/sign-in/key"]


@each_look
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(browser: Browser, served: Served, look: str) -> None:
    reader = Reader(browser, served, **LOOKS[look])
    for path in shown(served):
        if path.isupper():
            reader.arrive(path)
            continue
        reader.page.goto(path)
        reader.page.wait_for_load_state()
        reader.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found = axe(reader.page)
        assert found == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert reader.page.evaluate(wide) == 0, path
    assert all(url.startswith(f"{served.origin}/") for url in reader.asked)
    reader.context.close()


def axe(page: Page) -> list[str]:
    """What it finds: put in by the test's own hand, since the page's policy lets no script in."""
    found = Axe().run(page)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found.response["violations"]]


@pytest.mark.skipif(not VNU, reason="no VNU_JAR: npm pack vnu-jar")
def test_html_is_valid(reader: Reader, served: Served, tmp_path: Path) -> None:
    files = []
    for path in shown(served):
        if path.isupper():
            reader.arrive(path)
            continue
        text = reader.page.request.get(path).text()
        files.append(tmp_path / f"{len(files)}.html")
        files[-1].write_text(text)
    command = ["java", "-jar", VNU, "--stdout", "--format", "json", *map(str, files)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ).stdout
    assert json.loads(said)["messages"] == []
    reader.page.goto("/")
