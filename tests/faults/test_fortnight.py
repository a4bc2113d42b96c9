"""Fourteen nights of a service that nobody watches, with what happens to machines and people in between: each batch
ends right, nothing leaves twice, and each trouble stands in the next summary and in a notification that somebody got.

Real are the server, the warm process, the worker, the relay and PostgreSQL (for the ledger and for Prefect); only the
clock is moved, in every process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expectations.base.clock import Clock, legal_date
from flows import audit
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.schedule import summary as summaries
from tests import SOAK
from tests.factories import installations, postgres
from tests.factories.served import UNDER_WAY, Service, service, until

ENDED = {State.PUBLISHED, State.HELD, State.REFUSED, State.FAILED}


class Fortnight:
    """The service, and a clock that says how many days have passed."""

    def __init__(self, found: Service, moved: Path) -> None:
        self.service, self.home, self.moved = found, found.home, moved
        self.days = 0
        self.good: list[str] = []

    def pass_days(self, days: int = 1) -> None:
        self.days += days
        self.moved.write_text(str(self.days * 86_400))

    @property
    def date(self) -> str:
        moment = datetime.now(UTC) + timedelta(days=self.days)
        return legal_date(moment, self.service.installation.agreement.zone).isoformat()

    def submit(self, states: Any = UNDER_WAY) -> str:
        batch = self.service.submit(states, date=datetime.fromisoformat(self.date).date())
        self.good.append(batch)
        return batch

    def start(self) -> str:
        """A night is begun; gives its run's id."""
        (nightly,) = (d for d in self.service.api("deployments/filter", {}) if d["name"] == "nightly")
        asked = self.service.api(f"deployments/{nightly['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        return str(asked["id"])

    def end_of(self, run: str) -> str:
        """How a run ended, by the name of its state."""
        ends = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

        def look() -> str | None:
            (found,) = self.service.api("flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
            return str(found["state"]["name"]) if found["state"]["type"] in ends else None

        return until(look, 400)

    def night(self) -> tuple[str, str]:
        """A night from its begin to its end: how it ended, and what its summary says."""
        before = summaries.newest(self.home)
        end = self.end_of(self.start())
        found = summaries.newest(self.home)
        assert found is not None and found != before
        print(f"day {self.days:2}: {end}: {summaries.headline(found)}", flush=True)
        return end, summaries.headline(found)

    def state(self, batch: str) -> State:
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            return ledger.known_batch(batch).state

    def command(self, *arguments: str) -> int:
        command = [sys.executable, "-m", "flows.cli.main", *arguments]
        return subprocess.run(command, env=os.environ, capture_output=True, check=False).returncode


@pytest.fixture
def fortnight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Fortnight, postgres.Server]]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    moved = tmp_path / "days"
    moved.write_text("0")
    monkeypatch.setenv("MOVED_CLOCK", str(moved))
    root = Path(__file__).parents[2]
    paths = (str(root / "tests" / "factories" / "moved_clock"), str(root), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    with postgres.server(programs) as server:
        with psycopg.connect(f"postgresql:///postgres?{server.address}", autocommit=True) as connection:
            connection.execute("CREATE DATABASE prefect")
        monkeypatch.setenv("SLUICEGATE_LEDGER", f"postgresql:///postgres?{server.address}")
        monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", f"postgresql+asyncpg:///prefect?{server.address}")
        with service(tmp_path) as found:
            yield Fortnight(found, moved), server


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="make soak runs it: many minutes")
@pytest.mark.skipif(os.getuid() != 0, reason="a full disk is mounted: only root may")
@pytest.mark.timeout(3600)
def test_each_trouble_is_said_and_each_batch_ends_right(fortnight: tuple[Fortnight, postgres.Server]) -> None:
    nights, server = fortnight
    with ExitStack() as disk:
        broken_and_held(nights)
        killed(nights)
        full_disk(nights, disk)
        database_restarted(nights, server)
        downtime(nights)
        ended_right(nights)


def ended_right(nights: Fortnight) -> None:
    """What was to be released was, nothing else, and nothing twice."""
    for batch in nights.good:
        nights.service.released(batch)
    published = [b.name for b in nights.service.batches() if b.state is State.PUBLISHED]
    left = [path.name for path in nights.home.outbox.iterdir() if not path.name.startswith(".")]
    assert sorted(left) == sorted(published) == sorted(nights.good)
    with Ledger.open(nights.home.ledger_url, Clock()) as ledger:
        assert audit.verify(nights.home, ledger).problems == ()


def broken_and_held(nights: Fortnight) -> None:
    """Days 0 to 4: a submission that cannot be read, a batch that is held and then decided, a night that is missed."""
    service = nights.service
    nights.submit(ENDED)
    broken = nights.home.inbox / "broken"
    broken.mkdir()
    (broken / "letter.toml").write_bytes(b"\xff" * 10)
    (broken / "letter.toml.sig").write_text("none")
    assert nights.night() == ("Held", "1 unreadable")
    assert service.heard("1 unreadable")

    nights.pass_days()
    good = [installations.request(n, request_id=f"G-{n}") for n in range(1, 36)]
    bad = [installations.request(n, request_id=f"B-{n}", street="UNKNOWN") for n in range(36, 46)]
    stranger, _, _ = installations.SPOILED["unknown person"]
    rows = [*good, *bad, installations.request(70, request_id="X", **stranger)]
    service.installation.submit(nights.home.inbox / "held", rows, date=datetime.fromisoformat(nights.date).date())
    held = until(lambda: next((b.name for b in service.batches() if b.state is State.HELD), None))
    until(lambda: service.heard("a batch is held"))
    assert nights.night()[1] in ("1 held; 1 unreadable", "1 unreadable; 1 held")

    nights.pass_days()
    shutil.rmtree(nights.home.inbox / ".unreadable")
    for operator in ("operator-1", "operator-2"):
        assert nights.command("review", "decide", held, "drop", "--key", str(nights.home.keys / operator)) == 0
    begun = time.monotonic()
    until(lambda: nights.state(held) is State.PUBLISHED)
    print(f"released {time.monotonic() - begun:.1f} s after the second signature")
    nights.good.append(held)
    assert nights.night() == ("Completed", "nothing waits")

    nights.pass_days(2)
    assert "no night had ended since" in nights.night()[1] and service.heard("no night had ended since")


def killed(nights: Fortnight) -> None:
    """Days 5 and 6: a night is killed in the middle of a batch, with its worker, then alone."""
    service = nights.service
    for parts in (("relay", "worker"), ("relay",)):
        nights.pass_days()
        for part in parts[:1]:
            service.kill(part)  # or the batch would not wait for the night
        crashed = len(service.flow_runs("Crashed"))
        run = nights.start()
        nights.submit()
        for part in parts[1:]:
            service.kill(part)
        service.kill_runs()
        service.up()
        assert nights.end_of(run) == "Crashed"
        until(lambda n=crashed: len(service.flow_runs("Crashed")) > n)  # type: ignore[misc]
        until(lambda: service.heard("a run died"))
        assert "broke off" in nights.night()[1] and service.heard("broke off")


def full_disk(nights: Fortnight, disk: ExitStack) -> None:
    """Days 7 and 8: the disk is full; it has space again by the next night."""
    nights.pass_days()
    make_room = disk.enter_context(filled(nights.home.lake))
    batch = nights.submit({*ENDED, State.RECEIVED, State.INGESTED})
    end, said = nights.night()
    assert (end, "failed" in said) == ("Failed", True) and nights.service.heard(said.split(";")[0])
    assert nights.state(batch) is not State.PUBLISHED
    make_room()
    nights.pass_days()
    assert nights.night() == ("Completed", "nothing waits")


@contextmanager
def filled(folder: Path) -> Iterator[Callable[[], None]]:
    """A folder on a disk of its own, with what lies in it, where no space is left; gives what makes room there."""
    with tempfile.TemporaryDirectory() as place:
        disk = Path(place)
        used = sum(path.stat().st_blocks // 2 + 4 for path in folder.rglob("*"))  # kilobytes
        mount("-t", "tmpfs", "-o", f"size={used + 64}k", "tmpfs", disk)
        subprocess.run(["cp", "-a", f"{folder}/.", disk], check=True)
        mount("--bind", disk, folder)
        try:
            yield lambda: mount("-o", "remount,size=1g", disk)
        finally:
            for mounted in (folder, disk):
                subprocess.run(["umount", "-l", mounted], check=True)


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def database_restarted(nights: Fortnight, server: postgres.Server) -> None:
    """Day 9: PostgreSQL is restarted in the middle of a batch."""
    nights.pass_days()
    batch = nights.submit()
    server.restart()
    nights.service.released(batch)
    assert nights.night()[0] == "Completed"


def downtime(nights: Fortnight) -> None:
    """Days 10 to 13: three nights without the machine. What lay in the inbox is released at once, by one night."""
    service = nights.service
    assert main.run(["down"]) == 0
    nights.pass_days(3)
    service.up()
    nights.submit(ENDED)
    end, said = nights.night()
    assert end == "Completed" and "no night had ended since" in said
    nights.pass_days()
    assert nights.night() == ("Completed", "nothing waits")
    told = [json.loads(body)["title"] for _, path, body in service.told.got if path == "/word"]
    print(f"{len(told)} notifications")
