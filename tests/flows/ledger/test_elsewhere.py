"""PostgreSQL on another machine, or one that somebody else keeps busy."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from expectations.base.errors import Transient, Usage
from flows.ledger import Ledger
from flows.ledger.database import elsewhere
from flows.ledger.decisions import Reason
from tests.factories import certificates, postgres

VERIFIED = "sslmode=verify-full&sslrootcert=system"


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///x",
        "postgresql://u@localhost/x",
        "postgresql://u@127.0.0.1:5433/x",
        "postgresql://u@[::1]/x",
        "postgresql://u@/x?host=/run/postgresql",
        f"postgresql://u@db.example.org/x?{VERIFIED}",
    ],
)
def test_this_machine_or_verified_tls_is_taken(url: str) -> None:
    elsewhere.check(make_url(url))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://secret:secret@db.example.org/x",
        "postgresql://secret:secret@192.0.2.7/x",
        "postgresql://secret:secret@/x?host=db.example.org",
        "postgresql://secret:secret@/x?host=/run/postgresql,db.example.org",
        "postgresql://secret:secret@localhost/x?hostaddr=192.0.2.7",
        "postgresql://secret:secret@/x?service=elsewhere",
        "postgresql://secret:secret@db.example.org/x?sslmode=require",
        "postgresql://secret:secret@db.example.org/x?sslmode=verify-ca&sslrootcert=system",
        "postgresql://secret:secret@db.example.org/x?sslmode=verify-full",
        "postgresql://secret:secret@db.example.org/x?sslmode=verify-full&sslrootcert=/no/such/secret.pem",
    ],
)
def test_another_machine_without_verified_tls_is_refused(url: str) -> None:
    with pytest.raises(Usage, match=r"LEDGER_PLAIN.*sslmode=verify-full") as error:
        Ledger.open(url)
    assert "secret" not in str(error.value)


def test_what_variables_of_the_driver_say_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example.org")
    with pytest.raises(Usage, match="LEDGER_PLAIN"):
        elsewhere.check(make_url("postgresql:///x"))
    assert elsewhere.hosts(make_url("postgresql:///x")) == ["db.example.org"]
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", "system")
    elsewhere.check(make_url("postgresql:///x"))
    monkeypatch.delenv("PGHOST")
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    monkeypatch.setenv("PGSSLMODE", "prefer")
    with pytest.raises(Usage, match="LEDGER_PLAIN"):
        elsewhere.check(make_url("postgresql:///x"))


@pytest.fixture(scope="module")
def by_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server that speaks TLS at localhost, and the folder with its authority and another one."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    folder, own = tmp_path_factory.mktemp("tls"), certificates.authority()
    certificates.put(folder, own, name="own")
    certificates.put(folder, certificates.authority(), name="other")
    with postgres.server(programs) as server, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        data = Path(server.address.split("host=")[1].split("&")[0]) / "data"
        certificates.put(data, certificates.signed("localhost", own), name="server")
        for name in ("server.pem", "server.key"):
            if os.geteuid() == 0:
                shutil.chown(data / name, "postgres")
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("hostssl all all 127.0.0.1/32 trust\n")
        settings = f"listen_addresses='127.0.0.1'\nport={port}\nssl=on\nssl_cert_file='server.pem'\n"
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"{settings}ssl_key_file='server.key'\nunix_socket_directories='{data.parent}'\n")
        server.started[-1] = f"-k {data.parent}"
        server.restart()
        yield f"postgresql://postgres@localhost:{port}/postgres?sslmode=verify-full&hostaddr=127.0.0.1", folder


@pytest.mark.outside
def test_only_a_server_whose_certificate_is_of_the_named_authority_is_spoken_with(by_tls: tuple[str, Path]) -> None:
    url, folder = by_tls
    with Ledger.open(f"{url}&sslrootcert={folder / 'own.pem'}") as ledger:
        assert ledger.batches() == []
    with psycopg.connect(f"{url}&sslrootcert={folder / 'own.pem'}") as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
    with pytest.raises(Transient, match="LEDGER_BUSY"):
        Ledger.open(f"{url}&sslrootcert={folder / 'other.pem'}")
    with pytest.raises(Transient, match="LEDGER_BUSY"):  # a name that is not in its certificate
        Ledger.open(f"{url.replace('localhost', 'db.localhost')}&sslrootcert={folder / 'own.pem'}")


def test_a_form_waits_so_long_for_the_ledger_and_no_longer(url: str) -> None:
    """On SQLite for a minute in any case; so long a test does not wait."""
    if not url.startswith("postgresql"):
        pytest.skip("SQLite's wait is a setting of its own (busy_timeout)")
    with Ledger.open(url) as batch, Ledger.open(url, waits=1) as console:
        released, held = threading.Event(), threading.Event()

        def publishes() -> None:
            with batch.transaction():
                held.set()
                released.wait(60)

        thread = threading.Thread(target=publishes)
        thread.start()
        assert held.wait(60)
        began = time.monotonic()
        with pytest.raises(Transient, match="LEDGER_BUSY"):
            console.halt("operator-1", Reason.SUSPECTED_FAULT)
        assert 0.9 < time.monotonic() - began < 30
        released.set()
        thread.join()
        with console.transaction():  # the connection is as good as before
            pass
