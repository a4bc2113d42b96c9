"""The handbook's mornings in a real browser, from the first page to their end: a batch that is held, one that was
refused, one that failed, a recall. Each makes the pictures of `infra/docs/handbook`; `TESTS_PICTURES=1` puts them
there."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from expectations.base.errors import Transient
from flows.batch.receive import receive
from flows.ledger.lifecycles.cases import CaseState
from flows.ledger.lifecycles.states import State
from flows.schedule import summary
from tests.browser.chromium import CHROMIUM, take_picture
from tests.browser.people import PEOPLE, Morning, Person
from tests.browser.test_console import Served, serving
from tests.browser.test_recall import hand_in, take
from tests.factories import installations, recalls, runs
from tests.factories.consoles import password_for
from tests.factories.installations import Installation

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
DOCS = Path(__file__).parents[2] / "infra" / "docs"
PICTURES = DOCS / "handbook"
LARGEST = 200_000  # bytes of one picture
# What the handbook shows.
NAMES = frozenset(
    f"{name}.png"
    for name in (
        *("sign-in", "queue", "held", "checkpoint", "decide", "spoken", "row", "refused", "failed", "halt"),
        *("recall-open", "recall-sure", "recall", "recall-step", "recall-closed"),
    )
)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """What a night left: a batch of each end."""
    installation = installations.make(tmp_path_factory.mktemp("handbook") / "home")
    home = installation.home
    with installations.at_home(home):
        left = {
            "released": runs.released(installation, home.inbox / "released", 1, 20),
            "held": held(installation),
            "refused": refused(installation),
            "failed": failed(installation),
        }
    summary.store(home, {"at": "2026-11-26T02:00:00+00:00", "selftest": summary.PASSED, "batches": [], "waiting": []})
    with serving(home) as console:
        for name in PEOPLE:
            password_for(console, name)
        yield Morning(installation, Served(console, console.place.origin, left["held"]), left)


def held(installation: Installation) -> str:
    good = [installations.request(20 + n, request_id=f"G-{n}") for n in range(1, 16)]
    bad = [installations.request(n, request_id=f"B-{n}", street="NA NA") for n in range(1, 5)]
    name, state = runs.run(installation.home, installation.submit(installation.home.inbox / "held", [*good, *bad]))
    assert state is State.HELD
    return name


def refused(installation: Installation) -> str:
    under = installations.agreement(installation, "irs-ice-2025")
    rows = [installations.request(n, request_id=f"R-{n}") for n in range(54, 57)]
    name, state = runs.run(installation.home, installation.submit(installation.home.inbox / "refused", rows, under))
    assert state is State.REFUSED
    return name


def failed(installation: Installation) -> str:
    """As a run leaves it whose disk was full."""
    home = installation.home
    rows = [installations.request(n, request_id=f"F-{n}") for n in range(60, 63)]
    with runs.ledger_of(home) as ledger:
        name = receive(home, ledger, ledger.clock, installation.submit(home.inbox / "failed", rows))
        fault = Transient("DISK_FULL", "no space is left on the disk", remedy="Make room, then run it again.")
        stored = runs.work(home, ledger, name).store_fault(fault)
        ledger.advance(name, State.FAILED, facts={"fault": stored})
    return name


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    yield folder
    if os.environ.get("TESTS_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        for picture in folder.iterdir():
            shutil.copy(picture, PICTURES / picture.name)


def picture(one: Person, folder: Path, name: str) -> None:
    """What stands on the screen, as the handbook shows it."""
    assert f"{name}.png" in NAMES
    take_picture(one.page, folder / f"{name}.png", animations="disabled")
    assert (folder / f"{name}.png").stat().st_size < LARGEST


def test_a_held_morning(morning: Morning, people: list[Person], pictures: Path) -> None:
    ada, ben = people
    for one in people:
        one.page.set_viewport_size({"width": 1000, "height": 700})
    name = morning.held["held"]
    ada.page.goto("/")
    picture(ada, pictures, "queue")
    ada.click("link", name)
    picture(ada, pictures, "held")
    ada.click("link", "intake")
    picture(ada, pictures, "checkpoint")
    ada.page.goto(f"/batches/{name}/rows/15")
    expect(ada.heading()).to_contain_text(f"{name}#15")
    picture(ada, pictures, "row")
    for number, one in enumerate((ada, ben)):
        one.clicks = 0
        one.open("held", "Drop")
        if number == 0:
            picture(one, pictures, "decide")
        one.sign()
        expect(one.heading()).to_contain_text("intake")
        if number == 0:
            picture(one, pictures, "spoken")
        assert one.clicks == 4
    assert morning.state("held") is State.RECEIVED
    with installations.at_home(morning.installation.home):
        assert runs.run(morning.installation.home, name) == (name, State.PUBLISHED)


def test_a_refused_morning(morning: Morning, people: list[Person], pictures: Path) -> None:
    one, name = people[0], morning.held["refused"]
    one.page.goto(f"/batches/{name}")
    expect(one.heading()).to_contain_text("refused")
    expect(one.page.get_by_role("link", name="Drop…")).to_have_count(0)
    expect(one.page.get_by_role("link", name="Reject…")).to_have_count(0)
    picture(one, pictures, "refused")


def test_a_failed_morning(morning: Morning, people: list[Person], pictures: Path) -> None:
    one, name = people[0], morning.held["failed"]
    one.page.goto("/?kind=failed")
    expect(one.page.get_by_role("link", name=name).first).to_be_visible()
    expect(one.page.get_by_text("DISK_FULL: no space is left on the disk.")).to_be_visible()
    picture(one, pictures, "failed")
    with installations.at_home(morning.installation.home):  # there is room again
        assert runs.run(morning.installation.home, name)[1] is State.PUBLISHED
    one.page.goto("/?kind=failed")
    expect(one.page.get_by_role("link", name=name)).to_have_count(1)  # among all batches only


def test_a_recall_morning(morning: Morning, people: list[Person], pictures: Path) -> None:
    ada, ben = people
    ada.page.goto("/halt")
    picture(ada, pictures, "halt")
    ada.page.goto(f"/batches/{morning.held['released']}")
    ada.click("link", "Recall it…")
    ada.page.get_by_label("without the authority that the law asks for").check()
    ada.page.get_by_label("These rows").check()
    ada.page.get_by_label("Their numbers").fill("0\n1\n2\n")
    picture(ada, pictures, "recall-open")
    ada.click("button", "See what would be frozen")
    picture(ada, pictures, "recall-sure")
    ada.click("button", "Freeze 3 rows now")
    expect(ada.heading()).to_contain_text("frozen")
    (case,) = morning.ledger.cases()
    picture(ada, pictures, "recall")
    hand_in(ada, "Record who was notified", b"%PDF-1.7\r\n")
    picture(ada, pictures, "recall-step")
    ada.sign()
    expect(ada.heading()).to_have_text(f"Recall {case.id} notified")
    take(ben, case.id, "Record the recipient's copies", recalls.COPIES, "copies enumerated")
    gone = recalls.log("db-1", "package-1", "derived-1")
    take(ada, case.id, "Record what was destroyed", gone, "disposed")
    attestation = recalls.attestation(morning.installation.home, case.id)
    ben.page.goto(f"/recalls/{case.id}")
    hand_in(ben, "Record the attestation", attestation, "attestation.txt.sig")
    expect(ben.heading()).to_have_text(f"Recall {case.id} attested")
    take(ben, case.id, "Record the notice to the persons concerned", recalls.persons(3), "attested")
    for one, state in zip(people, ("attested", "closed"), strict=True):
        one.page.goto(f"/recalls/{case.id}")
        one.click("link", "Close the case…")
        one.sign()
        expect(one.heading()).to_have_text(f"Recall {case.id} {state}")
    picture(ben, pictures, "recall-closed")
    assert morning.ledger.case(case.id).state is CaseState.CLOSED and morning.ledger.verify() == []


def test_one_signs_out_and_the_pictures_are_those_of_the_handbook(people: list[Person], pictures: Path) -> None:
    one = people[0]
    one.click("button", "Sign out")
    expect(one.heading()).to_have_text("Sign in")
    picture(one, pictures, "sign-in")
    assert {made.name for made in pictures.iterdir()} == NAMES
    shown = re.findall(r"\]\(handbook/([a-z-]+\.png)\)", (DOCS / "handbook.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(NAMES)
    assert {kept.name for kept in PICTURES.iterdir()} == NAMES
