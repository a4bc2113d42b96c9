"""What a service may do in the ledger on PostgreSQL: what its table says, and nothing else, which is tried."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from expectations.base.errors import Fault, Usage
from flows.cli.main import run
from flows.ledger import Ledger
from flows.ledger.database import granting
from flows.ledger.database.engine import HEAD
from flows.ledger.database.models import Base
from flows.ledger.database.rights import RIGHTS, Service
from flows.ledger.entrance.models import Private
from tests.factories import postgres
from tests.factories.postgres import as_service

pytestmark = pytest.mark.outside
COLUMNS = {t.name: [c.name for c in t.columns] for base in (Base, Private) for t in base.metadata.sorted_tables}
COLUMNS["alembic_version"] = ["version_num"]
# What nobody but the owner may ever do, whatever the table says.
NEVER = (
    "UPDATE events SET facts = facts",
    "DELETE FROM events",
    "TRUNCATE events",
    "DROP TABLE events",
    "ALTER TABLE events ADD COLUMN more TEXT",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "CREATE INDEX more ON events (at)",
    "CREATE TRIGGER more BEFORE INSERT ON events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE more AS ON INSERT TO events DO INSTEAD NOTHING",
    "CREATE TABLE more (n INT)",
    "CREATE VIEW more AS SELECT 1",
    "CREATE FUNCTION more() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA more",
    "CREATE ROLE more",
    "ALTER ROLE {role} SUPERUSER",
    "SET ROLE postgres",
    "ALTER SYSTEM SET fsync = off",
    "COPY events TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a ledger as its owner's."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    with postgres.server(programs) as server:
        yield postgres.ledger_on(server)


def refused(url: str, statements: list[str]) -> int:
    """Tries each; gives how many there were, all of which PostgreSQL refused for lack of a right."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement.encode())
                pytest.fail(statement)
    return len(statements)


def forbidden(service: Service) -> Iterator[str]:
    """A statement for each right that a service has not."""
    for table, rights in RIGHTS[service].items():
        changed = {one for right in rights if right.startswith("UPDATE") for one in right[8:-1].split(", ")}
        if "SELECT" not in rights:
            yield f"SELECT FROM {table}"
        if "INSERT" not in rights:
            yield f"INSERT INTO {table} DEFAULT VALUES"
        if "DELETE" not in rights:
            yield f"DELETE FROM {table}"
        yield f"TRUNCATE {table}"
        yield f"DROP TABLE {table}"
        yield from (f"UPDATE {table} SET {one} = NULL" for one in COLUMNS[table] if one not in changed)


@pytest.mark.parametrize("service", Service)
def test_a_service_may_do_what_its_table_says_and_nothing_else(url: str, service: Service) -> None:
    tried = refused(as_service(url, service), [*forbidden(service), *(one.format(role=service) for one in NEVER)])
    assert tried > 150, tried
    assert not {"DELETE", "TRUNCATE"} & set(RIGHTS[service]["events"]) and "UPDATE" not in str(
        RIGHTS[service]["events"]
    )
    with psycopg.connect(as_service(url, service), autocommit=True) as connection:
        for table, rights in RIGHTS[service].items():
            changed = [one for right in rights if right.startswith("UPDATE") for one in right[8:-1].split(", ")]
            for one in changed:
                connection.execute(f"UPDATE {table} SET {one} = {one}".encode())
            if "DELETE" in rights:
                connection.execute(f"DELETE FROM {table}".encode())
        connection.execute(f"GRANT ALL ON events TO {service}".encode())  # warns, and gives nothing
    with Ledger.open(as_service(url, service)) as ledger, ledger.reading() as session:
        assert granting.service_of(session) is service


def test_every_table_has_rights(url: str) -> None:
    with psycopg.connect(url) as connection:
        there = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert all(there == RIGHTS[service].keys() for service in Service)


@pytest.fixture
def more(url: str) -> Iterator[psycopg.Connection]:
    """The administrator, who makes the role `more`; it goes afterwards with all that it got."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE more LOGIN")
        yield connection
        connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
        connection.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
        connection.execute("DROP OWNED BY more")
        connection.execute("DROP ROLE more")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("ALTER ROLE more SUPERUSER", "superuser"),
        ("ALTER ROLE more CREATEROLE", "superuser"),
        ("GRANT postgres TO more", "member of"),
        ("GRANT pg_write_all_data TO more", "DELETE on events"),
        ("GRANT CREATE ON SCHEMA public TO more", "may make tables"),
        ("GRANT CREATE ON DATABASE postgres TO more", "may make tables"),
        ("GRANT DELETE ON events TO PUBLIC", "DELETE on events"),
        ("GRANT UPDATE (facts) ON events TO PUBLIC", "UPDATE of facts in events"),
        ("GRANT SELECT ON console_sessions TO PUBLIC; GRANT DELETE ON events TO batches, more", ""),
    ],
)
def test_a_role_that_has_more_from_elsewhere_gets_nothing(
    url: str, more: psycopg.Connection, made: str, said: str
) -> None:
    for one in made.split("; "):
        more.execute(one.encode())
    with Ledger.open(url) as ledger:
        if not said:  # what the owner gave, it takes back
            with ledger.transaction() as session:
                granting.grant(session, {"more": Service.BATCHES, "batches": Service.BATCHES})
            assert refused(as_service(url, Service.BATCHES), ["DELETE FROM events"]) == 1
            return
        with pytest.raises(Usage, match=f"ROLE_TOO_MIGHTY.*{said}"), ledger.transaction() as session:
            granting.grant(session, {"more": Service.CONSOLE})
    found = more.execute("SELECT has_table_privilege('more', 'snoozes', 'INSERT')").fetchone()
    assert found == ((said == "superuser" and "SUPERUSER" in made) or "GRANT p" in made,)


def test_an_owner_or_nobody_is_no_service(url: str) -> None:
    for role, code in (("postgres", "ROLE_TOO_MIGHTY"), ("nobody-of-this-name", "NO_SUCH_ROLE")):
        with Ledger.open(url) as ledger, pytest.raises(Usage, match=code), ledger.transaction() as session:
            granting.grant(session, {role: Service.BATCHES})
    with Ledger.open(url) as ledger, ledger.reading() as session:
        assert granting.service_of(session) is None


def test_a_service_opens_a_current_ledger_only_and_says_what_to_do(
    url: str, more: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more.execute("CREATE DATABASE empty")
    with pytest.raises(Usage, match=r"LEDGER_FORM.*sluicegate ledger grant"):
        Ledger.open(as_service(url, Service.CONSOLE).replace("///postgres?", "///empty?"))
    more.execute("DROP DATABASE empty")
    more.execute("UPDATE alembic_version SET version_num = '0001'")
    for service in Service:
        with pytest.raises(Usage, match=r"LEDGER_FORM.*sluicegate ledger grant"):
            Ledger.open(as_service(url, service))
    more.execute("UPDATE alembic_version SET version_num = %s", [HEAD])
    more.execute("REVOKE ALL ON snoozes FROM console")  # as a table that came with an upgrade
    with Ledger.open(as_service(url, Service.CONSOLE)) as ledger:
        with pytest.raises(Fault, match=r"LEDGER_RIGHTS.*sluicegate ledger grant"):
            ledger.snoozes(ledger.clock.now())
        monkeypatch.setenv("SLUICEGATE_LEDGER", url)
        assert run(["ledger", "grant", "--console", "console", "--batches", "batches"]) == 0
        assert ledger.snoozes(ledger.clock.now()) == {}
    assert "console: the rights of console" in capsys.readouterr().out
