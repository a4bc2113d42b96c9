"""Consoles as processes of their own: killed between two signatures and while one is handed in, beside a full disk, and
two of them at once. What two must sign is carried out once, or is open; nothing is half done."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from expectations.base import signatures
from flows.console.web.console import Console
from flows.console.web.place import Place
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.proposed import Asked, Proposed
from tests.factories import installations, postgres, runs
from tests.factories.authenticator import Authenticator
from tests.factories.consoles import Browser, password_for, signed
from tests.factories.installations import Installation
from tests.faults.test_fortnight import filled, mount
from tests.flows.console.web.test_passkeys import enrolled
from tests.flows.console.web.test_proposals import Person
from tests.flows.console.web.test_serve import free_port, served
from tests.flows.ledger.conftest import DATABASES

PEOPLE = ("operator-1", "operator-2")
DELAYS = (0.0, 0.01, 0.03, 0.1)  # seconds between a signature that is handed in, and the end of who takes it


_OPENED: list[Browser] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes what browsers have opened."""
    yield
    while _OPENED:
        _OPENED.pop().client.close()


@dataclass
class Over(Browser):
    """A browser at a console that is another process: its host is `localhost`, whichever address it is reached at."""

    app: Any
    at: str = "127.0.0.1"
    held: Console = field(init=False)
    session: str = ""

    def __post_init__(self) -> None:
        self.held = self.app.state.console
        host = self.held.place.host
        self.client = cast(Any, httpx.Client(base_url=f"http://{self.at}:{self.held.place.port}", timeout=60))
        self.client.headers["Host"] = host
        self.client.event_hooks["response"].append(self._keep)
        _OPENED.append(self)

    def _keep(self, answer: httpx.Response) -> None:
        """Keeps the session's cookie, for `localhost`, as a browser would: the address that is asked is another."""
        for said in answer.headers.get_list("set-cookie"):
            name, _, value = said.partition(";")[0].partition("=")
            if name == self.held.place.cookie:
                self.use(value.strip('"'))

    def use(self, cookie: str) -> None:
        """Has this session from now on; an empty one: none."""
        self.session = cookie
        self.client.headers["Cookie"] = f"{self.held.place.cookie}={cookie}"

    @property
    def cookie(self) -> str:
        return self.session

    @property
    def console(self) -> Console:
        return self.held


class Signer(Person):
    """Somebody with a passkey, who is signed in at the process."""

    def __init__(self, app: Any, name: str, phone: Authenticator | None = None) -> None:
        self.name, self.browser = name, Over(app)
        self.phone = phone or Authenticator(origin=app.state.console.place.origin)
        if phone is None:
            enrolled(cast(FastAPI, app), self.phone, name)
        assert self.browser.sign_in(name).status_code == 303

    def elsewhere(self, at: str) -> Signer:
        """The same person in the same session, at the console of another address."""
        found = Signer.__new__(Signer)
        found.name, found.phone, found.browser = self.name, self.phone, Over(self.browser.app, at=at)
        found.browser.use(self.browser.cookie)
        return found


@dataclass
class Office:
    """A home, what its ledger says to the test, and the port of its consoles."""

    home: Home
    port: int
    app: Any

    @property
    def ledger(self) -> Ledger:
        return cast(Ledger, self.app.state.console.ledger)

    @contextmanager
    def running(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        with served(self.home, "--port", str(self.port), *more) as (process, _):
            yield process

    def propose(self) -> tuple[str, str]:
        """That operator-2 gets one more key: its line, and the page of the proposal."""
        line = signatures.public_line(signatures.Ed25519PrivateKey.generate())
        body = Asked.about(line).body
        return line, f"/proposals/{self.ledger.propose(Proposed.ADD_KEY, 'operator-2', body, 'operator-1')}"

    def has(self, line: str) -> int:
        """How often operator-2 was given this key."""
        (two,) = (one for one in self.ledger.operators() if one.name == "operator-2")
        return sum(key.key_line == line for key in two.keys)

    def spoken(self, page: str) -> int | None:
        """How many have signed the proposal; None: it is open no more."""
        number = int(page.rpartition("/")[2])
        return next((one.spoken for one in self.ledger.proposals() if one.number == number), None)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = installations.make(tmp_path_factory.mktemp("consoles") / "home")
    with installations.at_home(made.home):
        runs.held(made, made.home.inbox / "held")
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    with postgres.server(programs) as started:
        yield f"postgresql:///postgres?{started.address}"


def office_of(home: Home) -> Office:
    port = free_port()
    console = Console.of(home, Place.of(home, port))
    app = SimpleNamespace(state=SimpleNamespace(console=console))
    for name in PEOPLE:
        password_for(console, name)
    return Office(home, port, app)


@pytest.fixture
def office(installation: Installation, tmp_path: Path) -> Iterator[Office]:
    """On SQLite."""
    found = office_of(runs.copy(installation.home, tmp_path / "home"))
    yield found
    found.ledger.close()


@pytest.fixture(params=DATABASES)
def either(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """On SQLite, and on PostgreSQL."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            home = runs.copy(request.getfixturevalue("installation").home, tmp_path / "home")
        else:
            monkeypatch.setenv("SLUICEGATE_LEDGER", request.getfixturevalue("server"))
            home = installations.make(tmp_path / "home").home
        stack.enter_context(installations.at_home(home))
        found = office_of(home)
        stack.callback(found.ledger.close)
        yield found


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL


@pytest.mark.slow
def test_a_console_that_is_killed_leaves_a_proposal_open_or_carried_out_once(either: Office) -> None:
    line, page = either.propose()
    with either.running() as process:
        ada, ben = (Signer(either.app, name) for name in PEOPLE)
        assert ada.sign(page).status_code == 303
        kill(process)
    assert (either.spoken(page), either.has(line)) == (1, 0) and either.ledger.verify() == []
    with either.running():
        assert "have signed</dt><dd>1 of 2" in ada.browser.get(page).text  # the session is still one
        assert ben.sign(page).status_code == 303
    assert (either.spoken(page), either.has(line)) == (None, 1) and either.ledger.verify() == []
    ends = set()
    for delay in (*DELAYS, None):
        line, page = either.propose()
        with either.running() as process:
            assert ada.sign(page).status_code == 303
            fields = {"form": ben.browser.token(), **ben.fields(page)}
            _hand_in_and_kill(process, ben, page, fields, delay)
        ends.add(spoken := either.spoken(page))
        assert (spoken, either.has(line)) in ((1, 0), (None, 1)), delay
        assert either.ledger.verify() == []
    assert None in ends  # the last was answered before the end
    if spoken := [one for one in either.ledger.proposals() if one.spoken == 1]:
        with either.running():
            for one in spoken:  # what was open is signed once more, and done
                assert ben.sign(f"/proposals/{one.number}").status_code == 303
    assert either.ledger.proposals() == [] and either.ledger.verify() == []


def _hand_in_and_kill(
    process: subprocess.Popen[str], who: Signer, page: str, fields: dict[str, str], delay: float | None
) -> None:
    """`delay`: None: once it was answered."""

    def hand_in() -> None:
        with suppress(httpx.HTTPError):
            who.browser.post(page, fields)

    sending = threading.Thread(target=hand_in)
    sending.start()
    sending.join() if delay is None else time.sleep(delay)
    kill(process)
    sending.join()


def test_two_consoles_of_one_home_share_sessions_and_no_answer_counts_twice(office: Office) -> None:
    line, page = office.propose()
    with office.running(), office.running("--address", "::1"):
        ada, ben = (Signer(office.app, name) for name in PEOPLE)
        over = ada.elsewhere("[::1]")
        assert "operator-1" in over.browser.get("/me").text
        _no_sign_in_twice(ada, over)
        fields = {"form": ada.browser.token(), **ada.fields(page)}
        assert ada.browser.post(page, fields).status_code == 303
        head = office.ledger.head()
        again = over.browser.post(page, fields)  # the same answer at the other
        assert again.status_code == 409 and "ou have signed this proposal" in again.text
        assert office.ledger.head() == head and office.spoken(page) == 1
        assert ben.elsewhere("[::1]").sign(page).status_code == 303  # both count, each from another console
        assert (office.spoken(page), office.has(line)) == (None, 1)
        _no_look_twice(ada, over)
        assert over.browser.sign_out().status_code == 303
        assert ada.browser.get("/me").status_code == 303  # ended on both
    assert office.ledger.verify() == []


def _no_sign_in_twice(ada: Signer, over: Signer) -> None:
    """What a key signed to come in at one console brings nobody in at the other, nor again at the first."""
    fresh = Over(ada.browser.app)
    fresh.first_factor("operator-1")
    text = fresh.get("/sign-in/key").text
    fields = dict(re.findall(r'name="(form|next|nonce)" value="([^"]*)"', text))
    key = signatures.load(fresh.console.home.keys / "operator-1")
    answer = {**fields, "signature": signed(text, key)}
    other = Over(ada.browser.app, at="[::1]")
    other.use(fresh.cookie)
    for browser, brings in ((other, False), (fresh, True), (other, False)):
        got = browser.post("/sign-in/key", answer)
        assert ("wrong=1" not in got.headers["location"] and "/sign-in" not in got.headers["location"]) is brings


def _no_look_twice(ada: Signer, over: Signer) -> None:
    """A form that shows values counts at the console that made it, once."""
    (batch,) = (one.name for one in ada.browser.console.ledger.batches())
    place = f"/batches/{batch}/rows/1"
    (nonce,) = re.findall(r'name="nonce" value="([^"]+)"', ada.browser.get(place).text)
    form = {"form": ada.browser.token(), "nonce": nonce, "reason": "complaint"}
    answers = [who.browser.post(place, form).status_code for who in (over, ada, ada, over)]
    assert answers == [303, 200, 303, 303]
    assert [e["kind"] for e in ada.browser.console.ledger.events()].count("view") == 1


@pytest.mark.skipif(os.getuid() != 0, reason="a full disk is mounted: only root may")
def test_beside_a_full_disk_pages_are_read_and_forms_say_what_is_wrong(office: Office) -> None:
    line, page = office.propose()
    with ExitStack() as stack:
        office.ledger.close()
        stack.enter_context(filled(office.home.root))
        mount("-o", "remount,size=64m", office.home.root)
        stack.enter_context(office.running())
        ada, ben = (Signer(office.app, name) for name in PEOPLE)
        assert ada.sign(page).status_code == 303
        with suppress(OSError), (office.home.root / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"x" * 4096):
                pass
        head = office.ledger.head()
        (batch,) = (one.name for one in office.ledger.batches())
        for path in ("/", f"/batches/{batch}", f"/batches/{batch}/intake", "/operators", "/instruments", page):
            assert ada.browser.get(path).status_code == 200, path
        form = {"form": ada.browser.token()}
        fields = {**form, "reason": "suspected_fault"}
        answers = [ada.browser.post("/halt", fields), ben.sign(page)]
        for answer in answers:
            assert answer.status_code == 503 and "disk is full" in answer.text
        assert office.ledger.head() == head and office.spoken(page) == 1 and office.ledger.halts() == []
        (office.home.root / "filler").unlink()
        assert ben.sign(page).status_code == 303 and office.has(line) == 1
        assert ada.browser.post("/halt", fields).status_code == 303 and len(office.ledger.halts()) == 1
        assert office.ledger.verify() == []
