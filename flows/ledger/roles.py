"""Who may do what: the roles of operators, and the one table that the command line and the console both ask."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from expectations.base.errors import Usage
from expectations.base.total import total
from flows.ledger.decisions import Decision


class Role(StrEnum):
    """What an operator is there for. One may have several."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    INSTRUMENT_KEEPER = "instrument_keeper"
    AUDITOR = "auditor"


class Act(StrEnum):
    """What the table is asked about."""

    VIEW = "view"  # pages and reports: ids, counts, shares and codes
    VIEW_REQUEST = "view_request"  # the values of a request
    VIEW_REGISTER = "view_register"  # the values that the register has of a person
    VIEWS = "views"  # who looked at values, and why
    RECEIVE = "receive"  # take a submission in by hand
    HALT = "halt"
    REJECT = "reject"
    RETRY = "retry"
    DROP = "drop"
    CONFIRM = "confirm"
    RESUME = "resume"
    RECALL = "recall"  # open a case, sign a step of one
    SNOOZE = "snooze"  # set something that waits aside for a while
    CALL = "call"  # ask others to look at something that waits
    ENROL_INSTRUMENT = "enrol_instrument"
    COMPLIANCE = "compliance"  # confirm that an order is complied with
    OPERATORS = "operators"  # enrol and revoke them, their keys and their roles
    HOME = "home"  # its keys, its clock, its opening after a restore, what an older ledger did not say


_LOOKS_AFTER = frozenset(
    {Act.VIEW, Act.VIEW_REQUEST, Act.RECEIVE, Act.HALT, Act.REJECT, Act.RETRY, Act.RECALL, Act.SNOOZE, Act.CALL}
)
_ENTRUSTS = frozenset({Act.DROP, Act.CONFIRM, Act.RESUME, Act.OPERATORS, Act.HOME})  # what takes two people
ACTS: Mapping[Role, frozenset[Act]] = total(
    Role,
    {
        Role.VIEWER: frozenset({Act.VIEW}),
        Role.OPERATOR: _LOOKS_AFTER,
        Role.APPROVER: _LOOKS_AFTER | _ENTRUSTS,
        Role.INSTRUMENT_KEEPER: frozenset({Act.VIEW, Act.HALT, Act.CALL, Act.ENROL_INSTRUMENT, Act.COMPLIANCE}),
        Role.AUDITOR: frozenset({Act.VIEW, Act.VIEW_REQUEST, Act.VIEW_REGISTER, Act.VIEWS, Act.HALT}),
    },
)
ROLES: Mapping[Act, frozenset[Role]] = total(
    Act, {act: frozenset(role for role in Role if act in ACTS[role]) for act in frozenset[Act]().union(*ACTS.values())}
)
DECIDES: Mapping[Decision, Act] = total(
    Decision,
    {
        Decision.REJECT: Act.REJECT,
        Decision.RETRY: Act.RETRY,
        Decision.DROP: Act.DROP,
        Decision.CONFIRM: Act.CONFIRM,
        Decision.RESUME: Act.RESUME,
    },
)
ALL = tuple(sorted(Role))  # what the first two operators have, and those who were enrolled before there were roles


class Forbidden(Usage):
    """An operator may not do what was asked for: nothing is done, and the ledger keeps that it was tried."""

    by: str
    act: Act

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.by, self.act)


class NotYourRole(Forbidden):
    """The operator's roles do not allow it."""

    def __init__(self, by: str, act: Act) -> None:
        takes = f"It takes one of the roles {', '.join(sorted(ROLES[act]))}: see sluicegate operator list."
        super().__init__("NOT_YOUR_ROLE", f"the operator's roles do not allow this ({act})", where=by, remedy=takes)
        self.by, self.act = by, act


class Barred(Forbidden):
    """The batch's agreement bars those who enrolled what it rests on, or took it in: the operator is one of them."""

    def __init__(self, by: str, act: Act) -> None:
        what = "the agreement bars whoever signed its instruments, or took the batch in, from deciding on it"
        super().__init__("BARRED_BY_AGREEMENT", what, where=by, remedy="See sluicegate review show: it names who may.")
        self.by, self.act = by, act


def require(roles: Collection[Role], act: Act, by: str) -> None:
    """Raises NotYourRole unless somebody with these roles may do this."""
    if not may(roles, act):
        raise NotYourRole(by, act)


def may(roles: Collection[Role], act: Act) -> bool:
    """Whether somebody with these roles may do this."""
    return not ROLES[act].isdisjoint(roles)
