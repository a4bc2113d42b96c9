"""What a test of processes has started: says its folder, a variable and how it was started; then ends, or waits; or
opens a database and ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from expectations.base.duck import session

if __name__ == "__main__":
    started = "warm" if "great_expectations" in sys.modules else "cold"
    if sys.argv[1] == "databases":
        with session() as connection:
            print(connection.execute("SELECT 42").fetchall()[0][0], flush=True)
        sys.exit(7)
    if sys.argv[1] != "wait":
        print(Path.cwd(), os.environ.get("CANARY_OF_TEST"), started, flush=True)
        sys.exit(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(15))
    print(started, os.getpid(), flush=True)
    time.sleep(60)
