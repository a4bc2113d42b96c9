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
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import make_url

from expectations.base.errors import Transient, Usage
from flows.ledger import Ledger
from flows.ledger.database import elsewhere, granting
from flows.ledger.database.rights import Service
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
    ],
)
def test_this_machine_is_taken_as_it_is(url: str) -> None:
    assert elsewhere.check(make_url(url)) == {}


@pytest.fixture
def own(tmp_path: Path) -> str:
    """Parameters that name a certificate of one's own."""
    (tmp_path / "own.pem").touch()
    return f"sslcert={tmp_path}/own.pem&sslkey={tmp_path}/own.pem"


def test_elsewhere_verified_tls_with_a_certificate_of_ones_own_is_taken(own: str) -> None:
    assert elsewhere.check(make_url(f"postgresql://u@db.example.org/x?{VERIFIED}&{own}")) == elsewhere.PROVEN


@pytest.mark.parametrize(
    ("url", "variable", "code"),
    [
        ("postgresql://secret:secret@db.example.org/x", "", "LEDGER_PASSWORD"),
        ("postgresql://secret@db.example.org/x?password=secret", "", "LEDGER_PASSWORD"),
        ("postgresql://secret@db.example.org/x?passfile=/secret", "", "LEDGER_PASSWORD"),
        ("postgresql://secret@db.example.org/x", "PGPASSWORD", "LEDGER_PASSWORD"),
        ("postgresql://secret@db.example.org/x", "PGPASSFILE", "LEDGER_PASSWORD"),
    ],
)
def test_elsewhere_nobody_comes_by_a_password(
    own: str, url: str, variable: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(variable, "secret")
    with pytest.raises(Usage, match=rf"{code}.*sslcert") as error:
        Ledger.open(f"{url}{'&' if '?' in url else '?'}{VERIFIED}&{own}")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("without", ["", "sslcert=/no/such/secret.pem&sslkey=/no/such/secret.pem"])
def test_elsewhere_nobody_comes_without_a_certificate(without: str) -> None:
    with pytest.raises(Usage, match=r"LEDGER_UNPROVEN.*sslcert") as error:
        Ledger.open(f"postgresql://secret@db.example.org/x?{VERIFIED}&{without}")
    assert "secret" not in str(error.value)


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


def test_what_variables_of_the_driver_say_counts(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, path in (one.split("=") for one in own.split("&")):
        monkeypatch.setenv(f"PG{name.upper()}", path)
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
        certificates.put(data, own, name="trusted")
        for name in ("server.pem", "server.key", "trusted.pem"):
            if os.geteuid() == 0:
                shutil.chown(data / name, "postgres")
        rules = "local all all trust\nhostssl all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 cert\n"
        (data / "pg_hba.conf").write_text(rules)
        settings = f"listen_addresses='127.0.0.1'\nport={port}\nssl=on\nssl_cert_file='server.pem'\n"
        with (data / "postgresql.conf").open("a") as file:
            file.write(
                f"{settings}ssl_key_file='server.key'\nssl_ca_file='trusted.pem'\nunix_socket_directories='{data.parent}'\n"
            )
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
    named = f"{url.replace('localhost', 'db.localhost')}&sslrootcert={folder / 'own.pem'}"
    with pytest.raises(Transient, match="LEDGER_BUSY"):  # a name that is not in its certificate
        Ledger.open(f"{named}&sslcert={folder / 'own.pem'}&sslkey={folder / 'own.key'}")


@pytest.fixture(scope="module")
def services(by_tls: tuple[str, Path]) -> tuple[str, Path]:
    """The same server, where each service has a role that comes by its certificate only, and those of an authority that
    it does not trust: NAME.pem and NAME.key."""
    url, folder = by_tls
    owner = f"{url}&sslrootcert={folder / 'own.pem'}"
    with psycopg.connect(owner) as connection:
        for service in Service:
            connection.execute(f"CREATE ROLE {service} LOGIN PASSWORD 's3cret'")
    postgres.granted(owner)
    held = serialized(folder)
    for service in Service:
        certificates.put(folder, certificates.signed(service, held), name=service)
    certificates.put(folder, certificates.signed(Service.CONSOLE, held, days=-1), name="expired")
    certificates.put(folder, certificates.signed(Service.CONSOLE, certificates.authority()), name="strange")
    return url.replace("://postgres@localhost", "://{role}@localhost") + f"&sslrootcert={folder / 'own.pem'}", folder


def serialized(folder: Path) -> certificates.Made:
    """The authority of the server, as it was put there."""
    key = load_pem_private_key((folder / "own.key").read_bytes(), None)
    return certificates.Made(load_pem_x509_certificate((folder / "own.pem").read_bytes()), key)


def by(services: tuple[str, Path], role: str, name: str) -> str:
    url, folder = services
    return f"{url.format(role=role)}&sslcert={folder / name}.pem&sslkey={folder / name}.key"


@pytest.mark.outside
def test_a_service_comes_by_its_own_certificate(services: tuple[str, Path]) -> None:
    for service in Service:
        with Ledger.open(by(services, service, service)) as ledger, ledger.reading() as session:
            assert granting.service_of(session) is service


@pytest.mark.outside
@pytest.mark.parametrize("name", ["batches", "expired", "strange", "none"])
def test_without_its_own_valid_certificate_a_service_does_not_come(services: tuple[str, Path], name: str) -> None:
    """Another's, one that has expired, one of another authority, or none: a password does not help."""
    url, folder = services
    with pytest.raises(Transient, match="LEDGER_BUSY"):
        Ledger.open(by(services, Service.CONSOLE, name) if name != "none" else url.format(role="console:s3cret"))
    assert (folder / f"{name}.pem").is_file() or name == "none"


@pytest.mark.outside
def test_a_server_that_asks_for_no_certificate_is_not_believed(
    services: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it were elsewhere: whoever would let us in without knowing us, or by a password, gets neither."""
    monkeypatch.setattr(elsewhere, "_here", lambda host: False)
    with Ledger.open(by(services, Service.CONSOLE, "console")) as ledger:
        assert ledger.batches() == []
    data = _data(services)
    rules, before = data / "pg_hba.conf", (data / "pg_hba.conf").read_text()
    try:
        rules.write_text(before.replace("all 127.0.0.1/32 cert", "all 127.0.0.1/32 scram-sha-256"))
        with psycopg.connect(by(services, "postgres", "console")) as connection:
            connection.execute("SELECT pg_reload_conf()")
        with pytest.raises(Transient, match="LEDGER_BUSY"):
            Ledger.open(by(services, Service.CONSOLE, "console"))
    finally:
        rules.write_text(before)
        with psycopg.connect(by(services, "postgres", "console")) as connection:
            connection.execute("SELECT pg_reload_conf()")


def _data(services: tuple[str, Path]) -> Path:
    with psycopg.connect(by(services, "postgres", "console")) as connection:
        (found,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    return Path(found)


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
