"""The service killed in the middle of a batch, part by part: the batch ends right, once; a dead run frees its slot
within minutes; and somebody hears of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
import pytest

from tests import SOAK
from tests.factories import postgres
from tests.factories.served import service, until


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="make soak runs it: seven minutes")
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("clean")
def test_run_worker_and_server_are_killed_in_the_middle_of_a_batch(tmp_path: Path) -> None:
    with service(tmp_path) as found:
        batch = found.submit()  # the run alone: the worker sees it at once
        found.kill_runs()
        found.released(batch)
        assert until(lambda: found.flow_runs("Crashed"), 60)
        until(lambda: found.heard("a run died"))

        batch = found.submit()  # the worker too: nobody is left who could say that the run is dead
        crashed = len(found.flow_runs("Crashed"))
        found.kill("worker")
        found.kill_runs()
        begun = time.monotonic()
        found.up()
        found.released(batch)
        until(lambda: len(found.flow_runs("Crashed")) > crashed)
        print(f"called crashed after {time.monotonic() - begun:.0f} s")
        assert not found.flow_runs("Running")

        batch = found.submit()  # the server
        found.kill("server")
        time.sleep(2)
        found.up()
        found.released(batch)

        batch = found.submit()  # the warm process, and with it whoever it has forked
        found.kill("warm")
        found.up()
        found.released(batch)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("clean")
def test_postgresql_is_restarted_in_the_middle_of_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both the ledger and Prefect's own database lie there: once at once, once for so long that the run gives up."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    with postgres.server(programs) as server:
        with psycopg.connect(f"postgresql:///postgres?{server.address}", autocommit=True) as connection:
            connection.execute("CREATE DATABASE prefect")
        monkeypatch.setenv("SLUICEGATE_LEDGER", f"postgresql:///postgres?{server.address}")
        monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", f"postgresql+asyncpg:///prefect?{server.address}")
        with service(tmp_path) as found:
            for seconds in (0, 20):
                batch = found.submit()
                server.restart(seconds)
                found.released(batch)
            until(lambda: not found.flow_runs("Running"))  # one that could not say that it ended is called crashed
            assert found.part("relay").lives
