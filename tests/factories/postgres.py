"""A PostgreSQL server of our own for the tests: in a temporary folder, on a Unix socket only, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from expectations.base.clock import Clock
from flows.ledger import Ledger
from flows.ledger.database import copies, engine, granting
from flows.ledger.database.rights import Service

FAST = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=80"


def binaries() -> Path | None:
    """The newest installed server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3].split(".")[0]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@dataclass(frozen=True)
class Server:
    """One that runs; `address`: the query string that reaches it, postgresql:///DATABASE?…"""

    address: str
    folder: Path
    programs: Path
    control: list[object]
    started: list[object]

    def restart(self, seconds: float = 0) -> None:
        """Ends every connection at once, without a word to the clients, and starts it again after so long."""
        _run([*self.control, "-m", "immediate", "stop"])
        time.sleep(seconds)
        _run([*self.control, *self.started, "start"])


def make_roles(server: Server) -> None:
    """For each service a role of its name."""
    with psycopg.connect(f"postgresql:///postgres?{server.address}") as connection:
        for service in Service:
            connection.execute(f"CREATE ROLE {service} LOGIN")


def granted(url: str) -> str:
    """A ledger, made if there is none, in which each service's role has its rights; `url` is its owner's."""
    with Ledger.open(url) as ledger, ledger.transaction() as session:
        granting.grant(session, {service.value: service for service in Service})
    return url


def ledger_on(server: Server) -> str:
    """The URL of a new ledger, as its owner's; each service has its role."""
    make_roles(server)
    return granted(f"postgresql:///postgres?{server.address}")


def copied(server: Server, source: str, folder: Path) -> str:
    """The same of what stands in another ledger, in a database called `copied`. `folder`: an empty one."""
    make_roles(server)
    with psycopg.connect(f"postgresql:///postgres?{server.address}", autocommit=True) as connection:
        connection.execute("CREATE DATABASE copied")
    url = f"postgresql:///copied?{server.address}"
    with Ledger.open(source) as ledger, ledger.reading() as session:
        form = copies.write(session, folder)
    with Ledger(engine.connect(url), Clock()) as ledger, ledger.filling() as session:
        copies.read(session, folder, form)
    return granted(url)


def as_service(url: str, service: Service) -> str:
    """The same ledger, as a service comes in."""
    return url.replace("user=postgres", f"user={service}")


@contextmanager
def server(programs: Path, *, asks: bool = False) -> Iterator[Server]:
    """Runs a server. `asks`: for the password of everybody but its own user."""
    # directly in /tmp: the path of a socket may have 107 characters only, and another user must reach it
    folder = Path(tempfile.mkdtemp(prefix="slg-pg-", dir="/tmp"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to run as root
    if user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        _run([*user, programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"])
        options = f"-k {folder} {FAST}"
        if asks:
            (data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        control: list[object] = [*user, programs / "pg_ctl", "-D", data]
        started: list[object] = ["-w", "-l", folder / "log", "-o", options]
        _run([*control, *started, "start"])
        try:
            yield Server(f"host={folder}&user=postgres", folder, programs, control, started)
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[object]) -> None:
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/tmp")
