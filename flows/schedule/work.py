"""`sluicegate work`: a worker of the pool, and beside it the warm process from which its runs are forked."""

import os
import signal
import socket
import subprocess
import sys
from types import FrameType

from expectations.base.errors import Usage
from flows.home.tree import Home
from flows.schedule import server, warm
from flows.schedule.service import POOL


def work(home: Home, *, limit: int) -> int:
    """Works until it is stopped (SIGTERM, SIGINT): then nothing new is begun, and what runs may end. Returns the
    worker's exit code. Raises Usage if PREFECT_API_URL names no server."""
    server.configure(home)
    if not os.environ.get("PREFECT_API_URL"):
        raise Usage("NO_SERVER", "no server is named", remedy="Set PREFECT_API_URL, or run sluicegate up.")
    begin = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    named = ["--name", f"sluicegate-{socket.gethostname()}", "--limit", str(limit)]
    environment = {**os.environ, "SLUICEGATE_HOME": str(home.root)}
    with (
        warm.kept(home),
        # its own session: a Ctrl-C at the terminal reaches it once, by us
        subprocess.Popen([*begin, *named], env=environment, start_new_session=True) as worker,
    ):

        def stop(_number: int, _frame: FrameType | None) -> None:
            worker.send_signal(signal.SIGTERM)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        return worker.wait()
