"""One piece of work in a process of its own: its seconds and its peak memory, as a line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    seconds: float
    peak_mb: int


def run(module: str, *arguments: str | Path) -> Cost:
    """Runs `python -m tests.bench.MODULE`, which says what `clock` measured as its last line."""
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Cost(*json.loads(found.splitlines()[-1])) if found else Cost(0, 0)


@contextmanager
def clock() -> Iterator[None]:
    """Prints seconds of the block, and the peak memory of this process in MB."""
    begun = time.perf_counter()
    yield
    took = time.perf_counter() - begun
    print(json.dumps([took, peak_mb()]))


def peak_mb() -> int:
    """Peak of this program alone: getrusage would count the process that started it, which may have been larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
