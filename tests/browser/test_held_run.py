"""What an operator sees in the morning on Prefect's own pages: a held run, and why; seen by a browser, and no value."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import CHROMIUM, chromium, take_picture
from tests.factories import installations
from tests.factories.prefect_server import Service, service
from tests.leak.test_canaries import CANARY, good, leaks, spoilt

pytestmark = [
    pytest.mark.slow,
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]


@dataclass(frozen=True)
class Held:
    """A run that was held, on a server with pages."""

    service: Service
    run: dict[str, Any]
    artifact: dict[str, Any]


def asked(served: Service, what: str) -> Any:
    request = urllib.request.Request(f"{served.url}/{what}/filter", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    place = tmp_path_factory.mktemp("browser")
    made = installations.make(place / "home")
    rows = [good(n) for n in range(21, 30)] + [spoilt(n) for n in range(10)]
    folder = made.submit(made.home.inbox / f"{CANARY}-folder", rows)
    with service(place, made.home.root, pages=True) as served:
        command = [sys.executable, "-m", "flows.cli.main", "run", str(folder)]
        done = subprocess.run(command, env=served.environment, capture_output=True, text=True, timeout=200, cwd=place)
        assert done.returncode == 3, done.stdout + done.stderr
        (run,) = asked(served, "flow_runs")
        (artifact,) = (one for one in asked(served, "artifacts") if one["key"].endswith("-intake"))
        yield Held(served, run, artifact)


@pytest.fixture(scope="module")
def page(held: Held) -> Iterator[Page]:
    """A browser that reaches nothing but this machine."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 1280, "height": 1000}, base_url=held.service.url[: -len("/api")]
        )
        context.route(lambda url: not url.startswith(held.service.url[: -len("/api")]), lambda route: route.abort())
        yield context.new_page()


def seen(page: Page, name: str, folder: Path) -> str:
    """All that the page shows and holds; a picture of it is left beside the test's files."""
    take_picture(page, folder / f"{name}.png", full_page=True)
    text = page.locator("body").inner_text()
    assert leaks((page.content() + text).encode()) == []
    return text


def test_the_page_of_a_held_run_says_held_and_leads_to_why(held: Held, page: Page, tmp_path: Path) -> None:
    page.goto(f"/runs/flow-run/{held.run['id']}")
    expect(page.get_by_text("Held", exact=True).first).to_be_visible(timeout=30_000)
    expect(page.get_by_text(held.run["name"], exact=True).first).to_be_visible()
    page.get_by_text("Artifacts", exact=True).click()
    expect(page.get_by_text(f"{held.run['name']}-intake").first).to_be_visible()
    seen(page, "held-run", tmp_path)


def test_the_artifact_says_in_one_sentence_why_and_what_may_be_decided(held: Held, page: Page, tmp_path: Path) -> None:
    sentence = held.artifact["data"].splitlines()[0].removeprefix("# ")
    page.goto(f"/artifacts/artifact/{held.artifact['id']}")
    expect(page.get_by_role("heading", name=sentence)).to_be_visible(timeout=30_000)
    text = seen(page, "held-artifact", tmp_path)
    assert "52.6% of the rows against 10.0%" in sentence and sentence in text
    assert f"sluicegate review decide {held.run['name']} drop" in text
    console = f"http://localhost:8765/batches/{held.run['name']}/intake"
    expect(page.get_by_role("link", name="The same in the console")).to_have_attribute("href", console)
    # what failed is seen at once, what passed once it is unfolded
    expect(page.get_by_text("authority.incomplete_share", exact=True)).to_be_visible()
    passed = page.get_by_text("authority.letter_signed")
    expect(passed).to_be_hidden()
    page.get_by_text("checks passed").click()
    expect(passed).to_be_visible()
    seen(page, "held-artifact-unfolded", tmp_path)
