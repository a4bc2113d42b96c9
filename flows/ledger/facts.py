"""What an event may say: counts, codes, digests, ids that the ledger already knows. Everything else is refused.

The last line of defence against a value in the ledger: a caller that hands over a name by mistake fails here.
"""

import re
from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any

from expectations import codes
from expectations.base.algorithms import Scheme
from expectations.base.digests import canonical_json
from expectations.base.errors import Fault
from expectations.base.total import total
from expectations.contracts.lists import Outcome, Stage
from expectations.instruments.parse import Kind
from flows.ledger.calling import CallReason
from flows.ledger.database.models import KeyName, SealKind
from flows.ledger.decisions import Decision, Reason
from flows.ledger.hashed import Hashed
from flows.ledger.lifecycles.cases import CaseReason, CaseState, Proof
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.looks import LookReason
from flows.ledger.proposed import Proposed
from flows.ledger.roles import Act, Role
from flows.ledger.snoozing import SnoozeReason


class View(StrEnum):
    """What of a batch somebody may look at; each look is an event."""

    VALUES = "values"  # a row's fields, as they were asked for
    REGISTER = "register"  # these, and what the register has of the person
    PERSON = "person"  # to whom a person's record was disclosed
    EVIDENCE = "evidence"  # the sealed evidence of a batch
    NOTES = "notes"  # what people wrote about why they decided
    ACCOUNTING = "accounting"  # the rows of its sealed accounting


class Page(StrEnum):
    """A page of the console that holds ids, counts and codes only; looks at it are counted."""

    QUEUE = "queue"
    BATCH = "batch"
    CHECKPOINT = "checkpoint"
    ROWS = "rows"  # the numbers of the rows that go no further, as a file
    INSTRUMENTS = "instruments"
    INSTRUMENT = "instrument"
    RECALLS = "recalls"
    CASE = "case"  # a recall case, and what is signed of it
    DOCUMENT = "document"  # one of a recall case; none holds a value
    OPERATORS = "operators"
    PROPOSALS = "proposals"  # the list, and each of them
    ROW = "row"  # how one row was judged
    VIEWS = "views"  # who looked at values


class Way(StrEnum):
    """How somebody comes in, or tries to."""

    PASSWORD = "password"  # the first of two factors
    PASSKEY = "passkey"
    SSH_KEY = "ssh_key"  # after a password
    INVITATION = "invitation"
    PROVIDER = "provider"  # an identity there


class Failure(StrEnum):
    """Why somebody does not."""

    WRONG = "wrong"  # it is none that counts
    LATE = "late"  # it was asked for too long ago, or answered already
    LOCKED = "locked"  # after too many wrong ones
    OFTEN = "often"  # not looked at: it must wait


# What the roles of who looks must allow. A batch that is decided again from its evidence shows counts and codes only.
LOOKS: Mapping[View, tuple[Act, ...]] = total(
    View,
    {
        View.VALUES: (Act.VIEW_REQUEST,),
        View.REGISTER: (Act.VIEW_REGISTER, Act.VIEW_REQUEST),
        View.PERSON: (Act.VIEW_REGISTER,),
        View.EVIDENCE: (),
        View.NOTES: (Act.VIEW_REQUEST,),
        View.ACCOUNTING: (Act.VIEW_REGISTER,),
    },
)
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
DIGEST = re.compile(r"^[0-9a-f]{64}$")
_KEY = re.compile(r"^[a-z][a-z0-9_]{0,47}(\.[a-z][a-z0-9_]{0,47})?$")
_CLOSED = (
    State,
    Checkpoint,
    Stage,
    Outcome,
    Decision,
    Reason,
    View,
    Page,
    Way,
    Failure,
    CaseState,
    Proof,
    CaseReason,
    KeyName,
    SealKind,
    Hashed,
    Scheme,
    Role,
    Act,
    Proposed,
    LookReason,
    SnoozeReason,
    CallReason,
)
_WORDS = {codes.NOT_CONFIRMED, *Kind}
_WORDS |= {*codes.CODES, *(c.source for c in codes.CODES.values()), *(w.value for closed in _CLOSED for w in closed)}


def checked(facts: Mapping[str, Any], known: Set[str] = frozenset()) -> str:
    """`facts` as canonical JSON. `known`: ids that the ledger knows. Raises Fault for anything that may be a value."""
    return canonical_json({_key(k): _value(k, v, known) for k, v in facts.items()}).decode()


def _key(key: str) -> str:
    if not isinstance(key, str) or not (_KEY.match(key) or key in _WORDS):
        raise Fault("UNSAFE_FACT", "the name of a fact is not plain")
    return key


def _value(key: str, value: Any, known: Set[str]) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and (DIGEST.match(value) or value in _WORDS or value in known):
        return str(value)
    if isinstance(value, list | tuple):
        return [_value(key, v, known) for v in value]
    if isinstance(value, Mapping):
        return {_key(k): _value(key, v, known) for k, v in value.items()}
    raise Fault("UNSAFE_FACT", "a fact is neither a count, a code, a digest nor an id that the ledger knows", where=key)


def name(value: str, what: str) -> str:
    """`value` if it has the form of an id (of a party, an operator …); raises Fault otherwise."""
    if not isinstance(value, str) or not NAME.match(value):
        raise Fault("UNSAFE_NAME", "an id has letters, digits, dot, hyphen and underscore only, 64 at most", where=what)
    return value


def digest(value: str, what: str) -> str:
    """`value` if it is a digest in hex; raises Fault otherwise."""
    if not isinstance(value, str) or not DIGEST.match(value):
        raise Fault("UNSAFE_DIGEST", "a digest is 64 hexadecimal digits", where=what)
    return value
