"""Prefect, set up for one home: telemetry off, its database in the home tree, no results kept. Without PREFECT_API_URL,
Prefect would start a temporary server only when the flow begins, and wait for it for seconds. `start` starts one at
once, in a process of its own; with `warm_up` this process imports meanwhile what it needs anyway."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

from expectations.base.errors import Transient
from flows.home.tree import Home
from flows.schedule.running import address

_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # we print our own progress, and errors once; the states of a run, with its error, stay in Prefect's database
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_TASKS_REFRESH_CACHE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # on a machine with much other work 20 are too few
    "GX_ANALYTICS_ENABLED": "false",
}


def configure(home: Home) -> None:
    """Sets Prefect's environment; must run before Prefect is imported. What the operator has set stays."""
    os.environ.setdefault("PREFECT_HOME", str(home.root / "prefect"))
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)


def make_database(home: Home) -> None:
    """Makes Prefect's own database in the home tree, which takes some seconds, so that the first run need not wait for
    it. Nothing to do where PREFECT_API_URL names a server, or the operator chose another database. A failure does not
    matter: Prefect makes the database itself when it starts."""
    configure(home)
    if os.environ.get("PREFECT_API_URL") or os.environ.get("PREFECT_API_DATABASE_CONNECTION_URL"):
        return
    upgrade = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
    subprocess.run(upgrade, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def warm_up(home: Home) -> Callable[[], None]:
    """Starts Prefect's server, unless one is set, and imports meanwhile what every batch needs; returns what waits for
    it."""
    wait = start(home)
    from expectations.address import reference
    from expectations.gx.evaluate import library

    library()
    reference.zip_table()
    return wait


def start(home: Home) -> Callable[[], None]:
    """Starts Prefect's server, unless one is set; returns what waits for it. A second run in the same process waits for
    the server of the first, which may have ended before it needed it."""
    configure(home)
    if serving := address(home):
        os.environ.setdefault("PREFECT_API_URL", serving)
    if not os.environ.get("PREFECT_API_URL"):
        _SERVERS.append(_Server())
        # for this process and its children; before Prefect is imported. It is of this version: no client need ask
        os.environ.setdefault("PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED", "false")
        os.environ["PREFECT_API_URL"] = _SERVERS[-1].url
    ours = next((server for server in _SERVERS if server.url == os.environ["PREFECT_API_URL"]), None)
    return ours.wait if ours else lambda: None


def await_answer(url: str, lives: Callable[[], bool] = lambda: True) -> bool:
    """Whether a server answers within two minutes, and as long as it lives."""
    end = time.monotonic() + 120
    while time.monotonic() < end and lives():
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return True
        except OSError:
            time.sleep(0.1)
    return False


class _Server:
    """Prefect's API server as a process of its own, which ends when this process ends, however that happens."""

    # it holds the reading end of a pipe of ours: end of file means that we are gone
    _PROGRAM = """
import os, signal, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
import uvicorn
server, port = "prefect.server.api.server:create_app", int(sys.argv[1])
uvicorn.run(server, factory=True, host="127.0.0.1", port=port, log_level="error")
"""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api"
        # as Prefect marks a server that it starts for one run itself; its own session keeps Ctrl-C from it
        marks = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._PROGRAM, str(port)],
            env={**os.environ, **marks},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self) -> None:
        """Returns once the server answers; raises Transient if it does not within two minutes."""
        if await_answer(self.url, lambda: self._process.poll() is None):
            return
        os.environ.pop("PREFECT_API_URL", None)
        remedy = "Run it again, or set PREFECT_API_URL."
        raise Transient("NO_PREFECT_SERVER", "Prefect's server did not start", remedy=remedy)


_SERVERS: list[_Server] = []  # kept, so that their pipes stay open as long as this process lives
