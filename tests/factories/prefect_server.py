"""A Prefect server and a worker as processes, as in service: for tests of deployments."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.schedule.server import await_answer

ROOT = Path(__file__).parents[2]


class Service:
    """A server of its own, with its environment; `home`: the home tree of its runs."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        own = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        paths = os.pathsep.join(filter(None, (str(ROOT), own.get("PYTHONPATH"))))
        self.environment = {
            **own,
            "PYTHONPATH": paths,
            "SLUICEGATE_HOME": str(home),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def prefect(self, *arguments: str) -> None:
        """A command of Prefect's own, from a folder that has nothing to do with the project; it must end well."""
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A process of Prefect's that goes on; what it says is in `service.log`."""
        command = [sys.executable, "-m", "prefect", *arguments]
        with (self.folder / "service.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def wait(self) -> None:
        """Until the server answers."""
        assert await_answer(self.url), (self.folder / "service.log").read_text()


@contextmanager
def service(folder: Path, home: Path, *, pages: bool = False) -> Iterator[Service]:
    """A server that answers, with its pages if a browser is to see them; everything that was started through it ends
    with it, workers first."""
    made = Service(folder, home)
    ui = "--ui" if pages else "--no-ui"
    made.start("server", "start", "--host", "127.0.0.1", "--port", str(made.port), ui)
    try:
        made.wait()
        yield made
    finally:
        for process in reversed(made.processes):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
