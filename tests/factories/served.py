"""`sluicegate up` for a home of its own, as in service: server, warm process, worker, relay; and who hears of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from expectations.base.clock import Clock
from flows import audit
from flows.cli import main
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.schedule.running import Running, running
from tests.factories import installations
from tests.factories.installations import Installation
from tests.factories.receiver import Receiver, receiver

Found = TypeVar("Found")
UNDER_WAY = {State.INGESTED, State.MATCHED, State.VALIDATED}


class Service:
    """`sluicegate up` for a home, and what its server says."""

    def __init__(self, installation: Installation, told: Receiver, port: int) -> None:
        self.installation, self.told, self.port = installation, told, port
        self.home, self.count = installation.home, 0

    def up(self) -> None:
        os.environ.pop("PREFECT_API_URL", None)
        assert main.run(["up", "--port", str(self.port)]) == 0

    def part(self, name: str) -> Running:
        return next(one for one in running(self.home) if one.name == name)

    def kill(self, name: str) -> None:
        part = self.part(name)
        os.kill(part.pid, signal.SIGKILL)
        until(lambda: not part.lives)  # the kernel takes a moment

    def runs(self) -> list[int]:
        """Processes that were forked from the warm one."""
        warm = self.part("warm").pid
        found = Path("/proc").glob("[0-9]*/stat")
        return [int(path.parent.name) for path in found if _parent(path) == warm]

    def kill_runs(self) -> None:
        """All of them: some may only send word."""
        for pid in self.runs():
            os.kill(pid, signal.SIGKILL)

    def submit(self, states: Collection[State] = UNDER_WAY, **changes: Any) -> str:
        """A submission of its own; gives its batch's name once the batch is in one of `states`: in the middle of its
        stages."""
        self.count += 1
        before = {record.name for record in self.batches()}
        first = 36 * (self.count - 1)
        rows = [installations.request(n % 80 + 1, request_id=f"R-{self.count}-{n}") for n in range(first, first + 35)]
        spoiled, _, _ = installations.SPOILED["unknown person"]
        rows += [installations.request(70, request_id=f"S-{self.count}", **spoiled)]
        self.installation.submit(self.home.inbox / f"submission-{self.count}", rows, **changes)
        return until(lambda: next((r.name for r in self.batches() if r.name not in before and r.state in states), None))

    def batches(self) -> list[Any]:
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            return ledger.batches()

    def released(self, batch: str) -> None:
        """It ends published, once, and the ledger is whole."""

        def look() -> bool:
            with Ledger.open(self.home.ledger_url, Clock()) as ledger:
                return ledger.known_batch(batch).state is State.PUBLISHED

        until(look, 600)  # a run that dies, and one more whose word is lost, begin again after 1 and 5 minutes
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            assert [e["kind"] for e in ledger.events(batch)].count("published") == 1
            assert audit.verify(self.home, ledger).problems == ()
        assert [p.name for p in self.home.outbox.iterdir()].count(batch) == 1

    def api(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"http://127.0.0.1:{self.port}/api/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def flow_runs(self, state: str) -> list[str]:
        """Names of the flow runs that are in a state of this name."""
        wanted = {"flow_runs": {"state": {"name": {"any_": [state]}}}}
        return [one["name"] for one in self.api("flow_runs/filter", wanted)]

    def heard(self, sentence: str) -> bool:
        return any(sentence in json.loads(body)["title"] for _, _, body in self.told.got)


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def until(look: Callable[[], Found | None], seconds: float = 300) -> Found:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = installations.make(folder / "home")
    with receiver() as told, installations.at_home(made.home):
        config = made.home.root / "sluicegate.toml"
        config.write_text(f'{config.read_text()}\n[notify]\nurls = ["json://127.0.0.1:{told.port}/word"]\n')
        found = Service(made, told, port)
        found.up()
        try:
            yield found
        finally:
            assert main.run(["down"]) == 0
