"""Gives roles of PostgreSQL what a service may do in the ledger, and no more; and says where a role has other rights.

Rights are judged as PostgreSQL itself would: those of everybody, and of the roles that a role is a member of, count.
"""

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from expectations.base.errors import Usage
from flows.ledger.database import engine
from flows.ledger.database.rights import RIGHTS, Service

_WHOLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_COLUMNS = re.compile(r"UPDATE \((.+)\)")


def grant(session: Session, roles: Mapping[str, Service]) -> None:
    """Gives each role the rights of its service in place of those that it has. The ledger must be current, and the
    session its owner's. Raises Usage if there is no such role, or it has more rights from elsewhere."""
    if not engine.on_postgresql(session):
        raise Usage("NO_ROLES", "SQLite has no roles: whoever may open the file may do all", where="ledger")
    quote = session.connection().dialect.identifier_preparer.quote_identifier
    database, schema = (quote(str(session.scalar(text(f"SELECT {one}()")))) for one in _PLACE)
    session.execute(text(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"))
    for role, service in roles.items():
        if not session.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role}):
            remedy = "The administrator of PostgreSQL makes it: createuser."
            raise Usage("NO_SUCH_ROLE", "PostgreSQL knows no such role", where=f"--{service}", remedy=remedy)
        session.execute(text(f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {quote(role)}"))
        session.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {quote(role)}"))
        for table, rights in RIGHTS[service].items():
            session.execute(text(f"REVOKE ALL ON {table} FROM {quote(role)}"))
            if rights:
                session.execute(text(f"GRANT {', '.join(rights)} ON {table} TO {quote(role)}"))
        if found := sorted(wrong(session, role, service)):
            what = f"the role has other rights than its service: {'; '.join(found)}"
            remedy = "Take from the role, and from PUBLIC, what somebody else gave; and run this again."
            raise Usage("ROLE_TOO_MIGHTY", what, where=f"--{service}", remedy=remedy)


_PLACE = ("current_database", "current_schema")


def service_of(session: Session) -> Service | None:
    """The service whose rights the role of this session has, no more and no less; None: it has others."""
    role = str(session.scalar(text("SELECT current_user")))
    return next((service for service in Service if not any(wrong(session, role, service))), None)


def wrong(session: Session, role: str, service: Service) -> Iterator[str]:
    """Each right that the role has and its service does not, or the other way round."""
    named = {"role": role}
    more = [what for what, query in _NEVER.items() if session.scalar(text(query), named)]
    yield from more
    for table, rights in RIGHTS[service].items():
        due = {right for right in rights if not right.startswith("UPDATE")}
        for right in _WHOLE:
            if session.scalar(text(_HAS_TABLE), named | {"table": table, "right": right}) != (right in due):
                yield f"{right} on {table}"
        columns = {one for right in rights for one in (_COLUMNS.findall(right) or [""])[0].split(", ") if one}
        held = set(session.scalars(text(_HAS_COLUMNS), named | {"table": table}))
        yield from (f"UPDATE of {column} in {table}" for column in columns ^ held)


_HAS_TABLE = "SELECT has_table_privilege(:role, :table, :right)"
_HAS_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped
    AND has_column_privilege(:role, attrelid, attnum, 'UPDATE')
"""
# What no service may be or do, as what people are told → what is true of one that may.
_NEVER: Mapping[str, str] = {
    "it is a superuser, or may make itself one of the owners": (
        "SELECT rolsuper OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = :role"
    ),
    "it is an owner, or a member of one": (
        "SELECT bool_or(pg_has_role(:role, owner, 'MEMBER')) FROM ("
        "SELECT relowner AS owner FROM pg_class WHERE oid = CAST('events' AS regclass)"
        " UNION SELECT datdba FROM pg_database WHERE datname = current_database()) AS owners"
    ),
    "it may make tables": (
        "SELECT has_schema_privilege(:role, current_schema(), 'CREATE')"
        " OR has_database_privilege(:role, current_database(), 'CREATE')"
    ),
}
