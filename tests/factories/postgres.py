"""A PostgreSQL server of our own for the tests: in a temporary folder, on a Unix socket only, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FAST = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=20"


def binaries() -> Path | None:
    """The newest installed server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3].split(".")[0]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Runs a server; gives the query string that reaches it: postgresql:///DATABASE?…"""
    # directly in /tmp: the path of a socket may have 107 characters only, and another user must reach it
    folder = Path(tempfile.mkdtemp(prefix="slg-pg-", dir="/tmp"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to run as root
    if user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        _run([*user, programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"])
        _run([*user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"-k {folder} {FAST}", "start"])
        try:
            yield f"host={folder}&user=postgres"
        finally:
            _run([*user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[object]) -> None:
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/tmp")
