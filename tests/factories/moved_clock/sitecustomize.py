"""Every Python process that has this folder on its path tells a time that lies as many seconds ahead as a file says:
how tests let days pass in a server, a worker and their runs. Nothing in the product knows of it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

if _kept := os.environ.get("MOVED_CLOCK"):
    from expectations.base.clock import Clock

    def _now(self: Clock) -> datetime:
        return self.fixed or datetime.now(UTC) + timedelta(seconds=float(Path(_kept).read_text()))

    Clock.now = _now  # type: ignore[method-assign]
