"""What each service may do in the tables of the ledger on PostgreSQL, where it has a role of its own: the one table of
rights, total over all tables. Only their owner makes and changes tables; nobody else changes or deletes an event.

A right is written as SQL grants it. `UPDATE` always names its columns: those that an event, or the console, changes.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from expectations.base.errors import Fault
from expectations.base.total import total
from flows.ledger.database.models import Base
from flows.ledger.entrance.models import Private


class Service(StrEnum):
    """Who uses the ledger, other than its owner."""

    BATCHES = "batches"  # workers, the relay, nights; and commands by hand
    CONSOLE = "console"


Rights: TypeAlias = Sequence[str]
VERSION = "alembic_version"  # has the form of the ledger, and no model

_NONE: Rights = ()
_READ: Rights = ("SELECT",)
_ADD: Rights = ("SELECT", "INSERT")
_PUT: Rights = ("SELECT", "INSERT", "DELETE")


def _change(*columns: str) -> Rights:
    """Adds rows, and changes these columns of those that are there."""
    return (*_ADD, f"UPDATE ({', '.join(columns)})")


_OPERATORS, _HALTS = _change("roles", "changed", "revoked_at"), _change("voided", "resumed_at")
_KEYS, _CASES = _change("removed_at"), _change("state", "seq")
_SEALS = (*_PUT, "UPDATE (digest, seq)")
# Where a batch is; the submission that it came from stays what it was.
_MOVES = _change(
    *("state", "resumes", "hold", "voided", "checkpoint", "content_digest", "codes", "cites"),
    *("package_digest", "merkle_root", "evidence"),
)

# table → what batches may, what the console may
_TABLE: Mapping[str, tuple[Rights, Rights]] = {
    VERSION: (_READ, _READ),
    "events": (_ADD, _ADD),
    "signatures": (_ADD, _ADD),
    "decisions": (_PUT, _PUT),
    "batches": (_MOVES, ("SELECT", "UPDATE (state, resumes, hold, voided)")),
    "claims": (_PUT, _READ),
    "tries": (_PUT, _READ),
    "instruments": (_ADD, _ADD),
    "operators": (_OPERATORS, _OPERATORS),
    "operator_keys": (_KEYS, _KEYS),
    "halts": (_HALTS, _HALTS),
    "snoozes": (_PUT, _PUT),
    "home_keys": (_ADD, _READ),
    "seals": (_SEALS, _SEALS),
    "restorations": (_change("opened_at", "complete"), _READ),
    "recall_cases": (_CASES, _CASES),
    "recalled": (_PUT, _ADD),
    "console_accounts": (_READ, _change("password")),
    "console_wrong": (_NONE, (*_PUT, "UPDATE (failures, locked_until, tried_at)")),
    "console_sessions": (("SELECT", "UPDATE (ended)"), (*_PUT, "UPDATE (seen_at, ended)")),
    "console_invitations": ((*_PUT, "UPDATE (used)"), (*_PUT, "UPDATE (used)")),
    "proposals": (_PUT, _PUT),
    "proposal_signatures": (_PUT, _PUT),
    "console_identities": (("SELECT", "DELETE"), _PUT),
    "console_seen": (_READ, _change("at")),
}

_WITHOUT = {VERSION, *Base.metadata.tables, *Private.metadata.tables} ^ _TABLE.keys()
if _WITHOUT:
    raise Fault("LIST_INCOMPLETE", f"tables without rights, or rights without a table: {', '.join(sorted(_WITHOUT))}")

RIGHTS: Mapping[Service, Mapping[str, Rights]] = total(
    Service,
    {
        Service.BATCHES: {name: rights for name, (rights, _) in _TABLE.items()},
        Service.CONSOLE: {name: rights for name, (_, rights) in _TABLE.items()},
    },
)
