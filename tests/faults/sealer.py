"""Seals a made batch again and again, killing itself at the step it is told: `python -m tests.faults.sealer CONTEXT`.

It forks before it has opened anything, so that one start serves all tries.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines import lake, sealing
from pipelines.lake import durable
from tests.pipelines.release.test_release import seal

STEPS = (
    (sealing, "seal_file"),
    (durable, "write"),
    (durable, "fsync"),
    (Path, "rename"),
    (shutil, "rmtree"),
)


def arm(call: int) -> None:
    """The `call`-th durable step from now on is never taken."""
    left = [call]

    def deadly(step: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return step(*args, **kwargs)

        return wrapped

    for owner, name in STEPS:
        setattr(owner, name, deadly(getattr(owner, name)))


def main() -> None:
    context = pickle.loads(Path(sys.argv[1]).read_bytes())
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            arm(int(line))
            seal(context, lake.committed(context.step("release.outcomes")))
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
