"""Operators in a real browser with passkeys: somebody is enrolled, gets other roles, and nobody signs for oneself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from flows.ledger.roles import Role
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


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """A console, and no batch."""
    installation = installations.make(tmp_path_factory.mktemp("operators") / "home")
    with serving(installation.home) as console:
        for name in PEOPLE:
            password_for(console, name)
        yield Morning(installation, Served(console, console.place.origin, ""), {})


class Newcomer(Reader):
    """Somebody without an account, with an authenticator."""

    def __init__(self, browser: Browser, served: Served) -> None:
        super().__init__(browser, served)
        devices = self.context.new_cdp_session(self.page)
        devices.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
        can = dict.fromkeys(("hasResidentKey", "hasUserVerification", "isUserVerified"), True)
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, **can}})

    def make(self, name: str) -> str:
        """Makes a passkey; gives its line."""
        self.page.goto("/sign-in")
        self.page.get_by_role("link", name="Make a passkey").click()
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Go on").click()
        self.page.get_by_role("button", name="Make a passkey").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("does not count yet")
        return self.page.locator("pre code").first.inner_text()


def test_somebody_is_enrolled_and_gets_other_roles_by_two(
    browser: Browser, morning: Morning, people: list[Person]
) -> None:
    (ada, ben), zoe, ledger = people, Newcomer(browser, morning.served), morning.ledger
    line = zoe.make("zoe")
    ada.page.goto("/")
    ada.click("link", "Operators")
    ada.click("link", "Propose to enrol somebody…")
    ada.page.get_by_label("Name, as it stands").fill("zoe")
    ada.page.get_by_label("Public key, in a line").fill(line)
    ada.page.get_by_label("viewer:").check()
    ada.click("button", "Propose it")
    expect(ada.heading()).to_have_text("Enrol zoe as an operator")
    ada.sign()
    expect(ada.page.get_by_text("You have signed it.")).to_be_visible()
    ben.page.goto("/")
    expect(ben.page.get_by_text("Enrol zoe as an operator.")).to_be_visible()
    ben.page.locator("h3 a").first.click()
    expect(ben.page.get_by_role("region", name="Roles before and after")).to_contain_text("viewer")
    ben.sign()
    expect(ben.heading()).to_have_text("3 operators")
    zoe.page.goto("/sign-in")
    zoe.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(zoe.page.get_by_role("link", name="zoe")).to_be_visible()
    zoe.page.goto("/operators")
    expect(zoe.page.get_by_role("link", name="Propose to enrol somebody…")).to_have_count(0)
    ben.page.get_by_role("link", name="Propose for zoe: other roles").click()
    ben.page.get_by_label("viewer:").uncheck()
    ben.page.get_by_label("auditor:").check()
    ben.click("button", "Propose it")
    expect(ben.heading()).to_have_text("Give zoe other roles")
    zoe.page.goto(ben.page.url)
    expect(zoe.page.get_by_text("Your roles do not allow you to sign it.")).to_be_visible()
    ben.sign()
    expect(ben.page.get_by_text("You have signed it.")).to_be_visible()
    ada.page.goto(ben.page.url)
    ada.page.get_by_role("button", name="Sign with your passkey").dblclick()
    expect(ada.heading()).to_have_text("3 operators")
    found = next(o for o in ledger.operators() if o.name == "zoe")
    assert found.roles == (Role.AUDITOR,) and found.keys[0].key_line == line
    assert all(url.startswith(f"{morning.served.origin}/") for url in zoe.asked)
    zoe.context.close()
    assert ledger.verify() == []


def test_nobody_signs_for_oneself_and_a_proposal_is_withdrawn(morning: Morning, people: list[Person]) -> None:
    ada, ben = people
    ada.page.goto(f"/operators/propose/revoke?name={ada.name}")
    ada.click("button", "Propose it")
    expect(ada.page.get_by_text("It is about you: two other operators sign it.")).to_be_visible()
    expect(ada.page.get_by_role("button", name="Sign with your passkey")).to_have_count(0)
    ben.page.goto(ada.page.url)
    ada.click("button", "Withdraw the proposal")
    expect(ada.heading()).to_have_text("0 proposals are open")
    ben.sign()  # a page from before
    expect(ben.page.get_by_role("alert")).to_contain_text("no such proposal any more")
    assert morning.ledger.proposals() == [] and morning.ledger.verify() == []


@each_look
def test_axe_finds_nothing_on_pages_of_operators(
    browser: Browser, morning: Morning, people: list[Person], look: str
) -> None:
    reader = Reader(browser, morning.served, **LOOKS[look])
    for path in ("/passkey", "/passkey?name=zed"):
        reader.page.goto(path)
        assert axe(reader.page) == [], path
    reader.sign_in()
    reader.page.goto("/operators/propose/roles?name=operator-2")
    reader.page.get_by_label("approver:").uncheck()
    reader.page.get_by_role("button", name="Propose it").click()
    forms = [f"/operators/propose/{change}" for change in ("enrol", "revoke", "add-key", "remove-key", "roles")]
    about = [f"{path}?name=operator-2" for path in forms[1:]]
    for path in [reader.page.url, "/", "/operators", "/proposals", *forms, *about]:
        reader.page.goto(path)
        reader.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert axe(reader.page) == [], path
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert reader.page.evaluate(wide) == 0, path
    reader.context.close()
