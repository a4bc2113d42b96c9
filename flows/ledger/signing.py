"""Signatures of people, whatever they are for: who may sign, what a good one is, and what the chain says of it.

Each is over what it is for, in a namespace of its own, so that none counts for anything else; and over what went
before, so that none counts twice. An instrument, and an operator enrolled later or revoked, take two operators.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from expectations.base import signatures
from expectations.base.digests import canonical_json, name_of_bytes, of_bytes
from expectations.base.errors import BadInput, Usage
from flows.ledger import passkeys
from flows.ledger.database.models import Operator, OperatorKey
from flows.ledger.roles import Act, Role, require

KEYS_NEEDED = 2  # of an instrument, and of an operator
FEWER = "TWO_SIGNATURES"  # the code where one is missing, and nothing else is wrong
ANOTHER = "A second, different operator must sign."  # the remedy where one signed twice


@dataclass(frozen=True)
class SignedBy:
    """A signature as the chain has it: who, the fingerprint of the key, the digest of the signature."""

    by: str
    key: str
    signature: str


@dataclass(frozen=True)
class Given:
    """A signature that was found good."""

    signer: str
    key_line: str
    signature: str

    @property
    def named(self) -> SignedBy:
        return SignedBy(self.signer, fingerprint(self.key_line), of_bytes(self.signature.encode()))

    @property
    def contents(self) -> dict[str, str]:
        """What the chain has by digest only."""
        return {self.named.key: self.key_line, self.named.signature: self.signature}


def plain_key(line: str) -> str:
    """Type and key of a line of authorized_keys, or of a passkey, without its comment; raises BadInput if it is no
    Ed25519 key, and no passkey of a site."""
    parts = line.split()
    if passkeys.Passkey.of(" ".join(parts[:2])):
        return " ".join(parts[:2])
    if len(parts) < 2 or parts[0] != "ssh-ed25519" or len(_blob(parts[1])) != 51:
        remedy = "Give the .pub file that ssh-keygen -t ed25519 made."
        raise BadInput("KEY_NOT_ED25519", "the public key is not an Ed25519 key in OpenSSH form", remedy=remedy)
    return " ".join(parts[:2])


def fingerprint(key: str) -> str:
    """SHA-256 of the public key, in hex: what it is called, for good. Two keys with one fingerprint could only be made
    together, by one hand."""
    return name_of_bytes(_blob(key.partition(" ")[2]))


def _blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def instrument_message(kind: str, id: str, digest: str, after: int, home: str | None) -> bytes:
    """What enrols a version of an instrument (namespace signatures.INSTRUMENT).

    `after`: number of the version before it, 0 for a first one: an old signature cannot bring an old version back.
    `home`: for which home it is signed (see `Core.home_id`); None in events of an older version.
    """
    return _for_home({"kind": kind, "id": id, "digest": digest, "after": after}, home)


def compliance_message(order: str, digest: str, proof: str, home: str | None) -> bytes:
    """What confirms that the holder complies with a version of an order (namespace signatures.COMPLIANCE). `proof`:
    digest of the confirmation as it was filed."""
    return _for_home({"order": order, "digest": digest, "proof": proof}, home)


def operator_message(
    name: str, key: str, enrolled: bool, home: str | None, roles: Iterable[Role] | None = None
) -> bytes:
    """What enrols an operator, or revokes one (namespace signatures.OPERATOR). `key`: fingerprint of the public key;
    `roles`: those of who is enrolled; None in events of an older version.

    A name and a key are enrolled once and revoked once, so that no signature over them counts twice.
    """
    said = {"operator": name, "key": key, "enrolled": enrolled}
    return _for_home(said if roles is None else {**said, "roles": [*roles]}, home)


def key_message(name: str, key: str, added: bool, home: str) -> bytes:
    """What gives an operator one more key, or takes one away (namespace signatures.OPERATOR): each once, for ever."""
    return _for_home({"operator": name, "key": key, "added": added}, home)


def roles_message(name: str, roles: Iterable[Role], after: int, home: str) -> bytes:
    """What gives an operator other roles (namespace signatures.OPERATOR). `after`: the event that gave those of now."""
    return _for_home({"operator": name, "roles": [*roles], "after": after}, home)


def _for_home(said: dict[str, Any], home: str | None) -> bytes:
    """Operators may serve several homes: what they sign for one of them must not count in another."""
    return canonical_json(said if home is None else {**said, "home": home})


def is_good(text: bytes, given: Given, namespace: str) -> bool:
    """The one verifier: whether this key made this signature over exactly this text, for this use."""
    if given.key_line.startswith(f"{passkeys.KIND} "):
        return passkeys.is_good(text, given.signature, given.key_line, namespace)
    return signatures.signer(text, given.signature, [given.key_line], namespace) is not None


def signed_by_two(
    session: Session,
    text: bytes,
    signed: Mapping[str, str],
    namespace: str,
    act: Act,
    refuse: Callable[[Given], None] = lambda _: None,
) -> tuple[tuple[SignedBy, ...], dict[str, str]]:
    """The signatures over `text`, by name, and what the chain has of them by digest only.

    `signed`: armored SSH signatures, or those of passkeys, by where each was read. Raises BadInput at the first that is
    not the signature of an active operator over exactly this, NotYourRole if the roles of one do not allow `act`, Usage
    if two of them are one operator's or if there are fewer than two (FEWER). `refuse`: raises for one that counts for
    other things, and not for this.
    """
    found: dict[str, Given] = {}
    for where, signature in signed.items():
        one = signed_by(session, text, signature, namespace, where, act)
        if one.signer in found:
            raise Usage("SAME_OPERATOR", "two of the signatures are the same operator's", where=where, remedy=ANOTHER)
        refuse(one)
        found[one.signer] = one
    if len(found) < KEYS_NEEDED:
        what = f"this takes the signatures of two different operators, and there is {len(found) or 'none'}"
        raise Usage(FEWER, what, remedy="Have each sign it, and give both files.")
    by = [found[name] for name in sorted(found)]
    return tuple(one.named for one in by), {digest: text for one in by for digest, text in one.contents.items()}


def signed_by(session: Session, text: bytes, signature: str, namespace: str, where: str, act: Act) -> Given:
    """The operator who signed `text`; raises BadInput unless it is the signature of an active one over exactly this,
    NotYourRole if the roles do not allow `act`."""
    by_passkey = passkeys.Assertion.of(signature)
    named = (by_passkey.by, by_passkey.use) if by_passkey else signatures.named(signature)
    if named is None:
        remedy = f"Make one with ssh-keygen -Y sign -n {namespace}."
        raise BadInput("NO_SIGNATURE", "this is no SSH signature, and none of a passkey", where=where, remedy=remedy)
    key, space = named
    if space != namespace:
        remedy = f"Sign with the namespace {namespace}."
        raise BadInput("WRONG_NAMESPACE", "the signature was made for another use", where=where, remedy=remedy)
    operator = key_owner(session, key, where)
    given = Given(operator.name, key, signature)
    if not is_good(text, given, namespace):
        what = "the signature is not over this, as it would follow what stands now"
        remedy = "Sign it anew: the message command prints what to sign."
        raise BadInput("BAD_SIGNATURE", what, where=where, remedy=remedy)
    require(roles_of(operator), act, operator.name)
    return given


def signing_operator(session: Session, text: bytes, key_line: str, signature: str, namespace: str, act: Act) -> Given:
    """The signature of the operator who signed `text` with this key; raises BadInput if nobody did, NotYourRole if the
    roles do not allow `act`."""
    key = plain_key(key_line)
    operator = key_owner(session, key, "key")
    given = Given(operator.name, key, signature)
    if not is_good(text, given, namespace):
        remedy = "Sign what sluicegate review show prints, anew for each hold."
        raise BadInput("BAD_SIGNATURE", "the signature is not this key's over this decision", remedy=remedy)
    require(roles_of(operator), act, operator.name)
    return given


def key_owner(session: Session, key: str, where: str) -> Operator:
    """The operator whose public key this is; raises BadInput if there is none, or if either no longer counts."""
    found = session.get(OperatorKey, fingerprint(key))
    if found is None or found.key_line != key:
        what = "the key is not that of an enrolled operator"
        raise BadInput("KEY_NOT_ENROLLED", what, where=where, remedy="Have it enrolled.")
    operator = session.get_one(Operator, found.operator)
    if operator.revoked_at is not None:
        what = "the operator who signs with this key was revoked"
        raise BadInput("OPERATOR_REVOKED", what, where=where, remedy="Have another operator sign.")
    if found.removed_at is not None:
        what = "this key was taken away from its operator"
        raise BadInput("KEY_REMOVED", what, where=where, remedy="Sign with another key.")
    return operator


def roles_of(operator: Operator) -> tuple[Role, ...]:
    """What the operator's row says."""
    return tuple(Role(name) for name in json.loads(operator.roles))
