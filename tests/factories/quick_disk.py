"""Nothing that this process writes waits for the disk. What outlives a killed process lies in the kernel's memory
anyhow; where the power is cut, processes of their own write (tests/faults), and wait as in service."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from sqlalchemy import Pool, event


def use() -> None:
    """From now on, in this process; those that tests start write as they do in service."""
    os.fsync = lambda fd: None
    if not event.contains(Pool, "checkout", _taken):
        event.listen(Pool, "checkout", _taken)


def _taken(connection: Any, _record: Any, _proxy: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
