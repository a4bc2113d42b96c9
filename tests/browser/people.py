"""Those who work at a console in a test's browser: signed in, each with an authenticator of the machine's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, expect

from expectations.base import signatures
from flows.ledger.lifecycles.states import State
from tests.browser.test_console import Reader, Served
from tests.factories.installations import Installation

PEOPLE = ("operator-1", "operator-2")
HEADING = {"level": 1}


@dataclass(frozen=True)
class Morning:
    """A console, and what the night left: batches held for incomplete addresses, by what becomes of them."""

    installation: Installation
    served: Served
    held: dict[str, str]

    @property
    def ledger(self) -> Any:
        return self.served.console.ledger

    def state(self, which: str) -> State:
        found: State = self.ledger.batch(self.held[which]).state
        return found


class Person(Reader):
    """Somebody signed in, with an authenticator of the machine's own; clicks are counted."""

    def __init__(self, browser: Browser, morning: Morning, name: str) -> None:
        super().__init__(browser, morning.served)
        self.name, self.morning, self.clicks = name, morning, 0
        devices = self.context.new_cdp_session(self.page)
        devices.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
        can = dict.fromkeys(("hasResidentKey", "hasUserVerification", "isUserVerified"), True)
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, **can}})
        self.page.goto("/sign-in")
        self.fill(name=name)
        expect(self.page.get_by_role("heading", **HEADING)).to_contain_text("wait")

    def click(self, role: Any, name: str) -> None:
        self.page.get_by_role(role, name=name).first.click()
        self.clicks += 1

    def heading(self) -> Any:
        return self.page.get_by_role("heading", **HEADING)

    def make_passkey(self) -> None:
        """Makes one, which two approvers sign for with their SSH keys."""
        self.page.goto("/me")
        self.click("link", "Make a passkey")
        self.click("button", "Make a passkey")
        expect(self.heading()).to_have_text("Your passkey is made, and does not count yet")
        line = self.page.locator("pre code").first.inner_text()
        ledger, keys = self.morning.ledger, self.morning.installation.home.keys
        said = ledger.key_message(self.name, line, True)
        private = {name: signatures.load(keys / name) for name in PEOPLE}
        ledger.add_key(
            self.name, line, {n: signatures.sign(said, key, signatures.OPERATOR) for n, key in private.items()}
        )
        self.page.goto("/")
        self.clicks = 0

    def open(self, which: str, what: str) -> Page:
        """From what waits to what is signed."""
        self.page.goto("/")
        self.click("link", self.morning.held[which])
        self.click("link", "intake")
        self.click("link", f"{what}…")
        return self.page

    def sign(self, on: Page | None = None) -> None:
        (on or self.page).get_by_role("button", name="Sign with your passkey").click()
        self.clicks += 1
