"""What may be proposed: changes that take the signatures of two different operators. For each, what it is called, and
whose roles allow to propose and to sign it."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from expectations.base import signatures
from expectations.base.digests import canonical_json
from expectations.base.errors import BadInput
from expectations.base.total import total
from flows.ledger.roles import Act, Role, may


class Proposed(StrEnum):
    """Which change it is."""

    INSTRUMENT = "instrument"
    ENROL_OPERATOR = "enrol_operator"
    REVOKE_OPERATOR = "revoke_operator"
    ADD_KEY = "add_key"
    REMOVE_KEY = "remove_key"
    ROLES = "roles"


ACT: Mapping[Proposed, Act] = total(
    Proposed,
    {kind: Act.ENROL_INSTRUMENT if kind is Proposed.INSTRUMENT else Act.OPERATORS for kind in Proposed},
)
USE: Mapping[Proposed, str] = total(
    Proposed,
    {kind: signatures.INSTRUMENT if kind is Proposed.INSTRUMENT else signatures.OPERATOR for kind in Proposed},
)


def may_propose(roles: Collection[Role], kind: Proposed, subject: str, by: str) -> bool:
    """Whether somebody with these roles may propose this. Everybody may ask for one more key of their own."""
    return may(roles, ACT[kind]) or (kind is Proposed.ADD_KEY and subject == by)


@dataclass(frozen=True)
class Asked:
    """What a change of an operator is about, beside its name: a public key, roles, both or neither."""

    key: str | None = None
    roles: tuple[Role, ...] = ()

    @classmethod
    def of(cls, body: bytes) -> "Asked":
        """As a proposal keeps it. Raises BadInput for anything else."""
        try:
            said = json.loads(body)
            found = cls.about(said.get("key"), (Role(name) for name in said.get("roles", ())))
            if not isinstance(found.key, str | None) or found.body != body:
                raise ValueError
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise BadInput("PROPOSAL_UNREADABLE", "this says no key and no roles") from None
        return found

    @classmethod
    def about(cls, key: str | None = None, roles: Iterable[Role] = ()) -> "Asked":
        """Each role once, in order."""
        return cls(key, tuple(sorted(set(roles))))

    @property
    def body(self) -> bytes:
        """As a proposal keeps it. There is one way to write it."""
        said: dict[str, Any] = {} if self.key is None else {"key": self.key}
        return canonical_json({**said, **({"roles": list(self.roles)} if self.roles else {})})
