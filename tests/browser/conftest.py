"""A browser for each module, and two people at the console of its `morning`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.browser.people import PEOPLE, Morning, Person


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def people(browser: Browser, morning: Morning) -> Iterator[list[Person]]:
    """Each has a passkey that counts; none asks another host for anything."""
    made = [Person(browser, morning, name) for name in PEOPLE]
    for one in made:
        one.make_passkey()
    yield made
    for one in made:
        one.context.close()
        assert all(url.startswith(f"{morning.served.origin}/") for url in one.asked)
