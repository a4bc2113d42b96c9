"""Two keys: what only counts once two operators have signed it. An instrument; an operator enrolled later, or revoked.

Each signature is over what it is for, in a namespace of its own, so that none counts for anything else; and over what went
before, so that none counts twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations import signatures
from expectations.digests import canonical_json, of_bytes
from expectations.errors import BadInput, Usage
from flows.ledger.keys import fingerprint
from flows.ledger.models import Endorsement, Operator

KEYS_NEEDED = 2


@dataclass(frozen=True)
class Endorsed:
    """An operator's signature that was found good."""

    operator: str
    key_line: str
    signature: str

    @property
    def facts(self) -> dict[str, str]:
        """What the chain keeps of it: who, the fingerprint of the key, the digest of the signature."""
        return {
            "by": self.operator,
            "key": fingerprint(self.key_line),
            "signature": of_bytes(self.signature.encode()),
        }


def instrument_message(kind: str, id: str, digest: str, after: int) -> bytes:
    """What enrols a version of an instrument (namespace signatures.INSTRUMENT).

    `after`: number of the version that it follows, 0 for a first one: an old signature cannot bring an old version back.
    """
    return canonical_json({"kind": kind, "id": id, "digest": digest, "after": after})


def operator_message(name: str, key: str, enrolled: bool) -> bytes:
    """What enrols an operator, or revokes one (namespace signatures.OPERATOR). `key`: fingerprint of the public key.

    A name and a key are enrolled once and revoked once, so that no signature over them counts twice.
    """
    return canonical_json({"operator": name, "key": key, "enrolled": enrolled})


def endorsed(session: Session, said: bytes, signed: Mapping[str, str], namespace: str) -> list[Endorsed]:
    """The operators who signed `said`, by name. `signed`: armored SSH signatures by where each was read.

    Raises BadInput at the first that is not the signature of an active operator over exactly this, Usage if two of them are
    one operator's or if there are fewer than two.
    """
    found: dict[str, Endorsed] = {}
    for where, signature in signed.items():
        one = signed_by(session, said, signature, namespace, where)
        if one.operator in found:
            raise Usage("SAME_OPERATOR", "two of the signatures are the same operator's", where=where,
                        remedy="A second, different operator must sign.")  # fmt: skip
        found[one.operator] = one
    if len(found) < KEYS_NEEDED:
        raise Usage("TWO_SIGNATURES", f"this takes the signatures of two different operators, and there is {len(found) or 'none'}",
                    remedy="Have each sign it, and give both files.")  # fmt: skip
    return [found[name] for name in sorted(found)]


def signed_by(session: Session, said: bytes, signature: str, namespace: str, where: str) -> Endorsed:
    """The operator who signed `said`; raises BadInput unless it is the signature of an active one over exactly this."""
    named = signatures.named(signature)
    if named is None:
        raise BadInput("NO_SIGNATURE", "this is no SSH signature", where=where,
                       remedy=f"Make one with ssh-keygen -Y sign -n {namespace}.")  # fmt: skip
    key, space = named
    if space != namespace:
        raise BadInput("WRONG_NAMESPACE", "the signature was made for another use", where=where,
                       remedy=f"Sign with the namespace {namespace}.")  # fmt: skip
    operator = key_owner(session, key, where)
    if signatures.signer(said, signature, [key], namespace) is None:
        raise BadInput("BAD_SIGNATURE", "the signature is not over this, as it would follow what stands now", where=where,
                       remedy="Sign it anew: the message command prints what to sign.")  # fmt: skip
    return Endorsed(operator.name, key, signature)


def key_owner(session: Session, key: str, where: str) -> Operator:
    """The operator whose public key this is; raises BadInput if there is none, or if it was revoked."""
    operator = session.scalar(select(Operator).where(Operator.key_line == key))
    if operator is None:
        raise BadInput("KEY_NOT_ENROLLED", "the key is not that of an enrolled operator", where=where,
                       remedy="Have it enrolled.")  # fmt: skip
    if operator.revoked_at is not None:
        raise BadInput("OPERATOR_REVOKED", "the operator who signs with this key was revoked", where=where,
                       remedy="Have another operator sign.")  # fmt: skip
    return operator


def keep(session: Session, seq: int, signed: Sequence[Endorsed]) -> None:
    """Keeps the signatures that an event rests on."""
    session.add_all(Endorsement(seq=seq, **vars(one)) for one in signed)
