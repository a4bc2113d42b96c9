"""Proposals and operators for people: what each change would do, what is signed for it, and who may."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from expectations.base import algorithms
from expectations.base.digests import of_bytes
from expectations.base.total import total
from flows.console.statements import Statement
from flows.ledger import Ledger
from flows.ledger.operators import OperatorRecord
from flows.ledger.passkeys import KIND
from flows.ledger.proposals import ProposalRecord
from flows.ledger.proposed import ACT, USE, Asked, Proposed
from flows.ledger.roles import ACTS, Act, Role, may
from flows.ledger.signing import KEYS_NEEDED, fingerprint, plain_key

# What somebody may do, in plain words.
DOES: Mapping[Act, str] = total(
    Act,
    {
        Act.VIEW: "see what waits, and why: ids, counts, shares and codes",
        Act.VIEW_REQUEST: "see the values of a request",
        Act.VIEW_REGISTER: "see the values that are on file for a person",
        Act.VIEWS: "see who looked at values, and why",
        Act.RECEIVE: "take a submission in by hand",
        Act.HALT: "stop all releases",
        Act.SNOOZE: "set aside for a while what waits",
        Act.CALL: "ask others to look at what waits",
        Act.REJECT: "reject a held batch",
        Act.RETRY: "have a held batch checked again",
        Act.DROP: "be one of two who drop incomplete rows",
        Act.CONFIRM: "be one of two who confirm a match rate",
        Act.RESUME: "be one of two who let releases go on",
        Act.RECALL: "open recalls, sign their steps, and send notices of corrections",
        Act.ENROL_INSTRUMENT: "be one of two who enrol an instrument",
        Act.COMPLIANCE: "confirm that an order is complied with",
        Act.OPERATORS: "be one of two who change operators, their keys and their roles",
        Act.HOME: "be one of two who change the home's keys and its clock, or open it after a restore",
    },
)
MAY: Mapping[Role, tuple[str, ...]] = {role: tuple(DOES[act] for act in Act if act in ACTS[role]) for role in Role}
TITLES: Mapping[Proposed, str] = total(
    Proposed,
    {
        Proposed.INSTRUMENT: "Enrol a version of the instrument {}",
        Proposed.ENROL_OPERATOR: "Enrol {} as an operator",
        Proposed.REVOKE_OPERATOR: "Revoke the operator {}",
        Proposed.ADD_KEY: "Give {} one more key",
        Proposed.REMOVE_KEY: "Take a key away from {}",
        Proposed.ROLES: "Give {} other roles",
    },
)
_VOID = "What {0} had signed, may sign no more, and still waits for another counts no more."


def _key(body: bytes) -> str:
    line = plain_key(Asked.of(body).key or "")
    return f"The key is {kind_of(line)} with the fingerprint {fingerprint(line)}: have its owner read it out to you."


# What each would do: of the one that it is about, and of what was proposed.
_SAYS: Mapping[Proposed, Callable[[str, bytes], tuple[str, ...]]] = total(
    Proposed,
    {
        Proposed.INSTRUMENT: lambda id, body: (
            f"Its text has {len(body):,} bytes, with the digest {of_bytes(body)} ({algorithms.in_words()}).",
            "From then on it decides, with the other instruments, what may leave.",
        ),
        Proposed.ENROL_OPERATOR: lambda id, body: (
            f"From then on what {id} signs counts, for what the roles below allow.",
            _key(body),
        ),
        Proposed.REVOKE_OPERATOR: lambda id, _: (
            f"From then on nothing that {id} signs counts; what was decided stays. It cannot be undone.",
            f"What {id} had signed, and still waits for another, counts no more.",
        ),
        Proposed.ADD_KEY: lambda id, body: (f"{id} is still one person, who signs once.", _key(body)),
        Proposed.REMOVE_KEY: lambda id, body: (
            "What was signed with it, and still waits for another, counts no more. It never comes back.",
            _key(body),
        ),
        Proposed.ROLES: lambda id, _: (f"{id} has these roles from then on, and no others.", _VOID.format(id)),
    },
)


def title(one: ProposalRecord) -> str:
    """What it is, in a line."""
    return TITLES[one.kind].format(one.subject)


def says(one: ProposalRecord) -> tuple[str, ...]:
    """What it would do, in sentences."""
    return _SAYS[one.kind](one.subject, one.body)


def statement(ledger: Ledger, one: ProposalRecord) -> Statement:
    """What two sign. Raises as `Ledger.proposal_message`."""
    command = f"sluicegate proposals sign {one.number} --key KEY"
    text = ledger.proposal_message(one.number)
    return Statement(title(one), says(one), text, KEYS_NEEDED, command, use=USE[one.kind])


def roles(one: ProposalRecord, known: Iterable[OperatorRecord]) -> list[dict[str, Any]]:
    """Of a proposal about roles: each role, what it may, whether the operator has it now, and whether then."""
    if one.kind not in (Proposed.ROLES, Proposed.ENROL_OPERATOR):
        return []
    now: Collection[Role] = next((o.roles for o in known if o.name == one.subject), ())
    then = Asked.of(one.body).roles
    return [{"role": role, "may": MAY[role], "now": role in now, "then": role in then} for role in Role]


def cannot(one: ProposalRecord, operator: str, roles: Collection[Role]) -> str:
    """Why this operator does not sign it, before the ledger refuses it; empty if nothing is known against it."""
    if one.obstacle:
        return f"It cannot be carried out: {one.obstacle}. Whoever proposed it withdraws it."
    if not may(roles, ACT[one.kind]):
        return "Your roles do not allow you to sign it."
    if operator == one.subject and one.kind in (Proposed.REVOKE_OPERATOR, Proposed.ROLES):
        return "It is about you: two other operators sign it."
    if operator in one.signed:
        return "You have signed it. Another operator signs; until then you can take your signature back."
    return ""


def kind_of(line: str) -> str:
    """What a public key is."""
    return "a passkey" if line.startswith(f"{KIND} ") else "an SSH key"
