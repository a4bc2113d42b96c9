"""A restored home is opened by two operators: what is known outside of it is compared first, and they sign that.

Three things outside can contradict a restored ledger: signed heads that others hold, packages in the outbox of which
it does not know that they left, and the newest event that the operators know of. Where none of them does, and they do
not know the newest event, requests may have been answered that the ledger has forgotten: it counts as incomplete.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.digests import matching
from expectations.base.errors import Usage
from flows.audit import signed_heads
from flows.cases import corrections
from flows.cases.places import name_of
from flows.home import keys
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.chain import Problem
from flows.ledger.lifecycles.states import State
from flows.ledger.restorations import Outside
from flows.registry import endorsements
from flows.registry.endorsements import Endorsement


@dataclass(frozen=True)
class Known:
    """What is known outside of a restored home.

    heads      names of the signed heads that are not in the chain; unread: heads that nobody can vouch for
    packages   names of the packages of which the ledger does not know that they left
    """

    outside: Outside
    heads: tuple[str, ...]
    packages: tuple[str, ...]
    unread: tuple[Problem, ...]


def known(home: Home, ledger: Ledger, heads: Sequence[Path] = (), newest: str | None = None) -> Known:
    """Compares the ledger with the outbox, with the signed heads in the folders of `signed_heads`, and with these
    `heads`. `newest`: hash of the newest event that ever was, as the operators know it."""
    found, unread = signed_heads.read([*signed_heads.published(home), *heads], signed_heads.holders(home))
    lost = {head.name: (head.seq, head.hash) for head in found if not ledger.has_event(head.seq, head.hash)}
    packages = dict(_forgotten(home, ledger))
    outside = Outside(newest, tuple(lost.values()), tuple(packages.values()))
    return Known(outside, tuple(sorted(lost)), tuple(sorted(packages)), tuple(unread))


def _forgotten(home: Home, ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Name and digest of each package that lies in the outbox, and that by the ledger has not left so."""
    batches = {record.name: record for record in ledger.batches()}
    others = {corrections.name_of(notice.id) for notice in ledger.corrections()}
    others |= {name_of(case.id) for case in ledger.cases()}
    for name in home.delivery.names():
        record = batches.get(name)
        stored = record.package_digest if record else None
        digest = matching(stored, partial(home.delivery.digest, name))
        left = record is not None and (record.state, stored) == (State.PUBLISHED, digest)
        if digest is not None and not left and name not in others:
            yield name, digest


def sign(
    home: Home, ledger: Ledger, key: Ed25519PrivateKey, heads: Sequence[Path], newest: str | None
) -> tuple[Known, Endorsement]:
    """Signs what is known with an operator's key. Raises Usage or BadInput as `open_again`."""
    found = _sound(home, ledger, heads, newest)
    message = ledger.opening_message(found.outside)
    return found, endorsements.sign(ledger, message, key, signatures.OPENING)


def open_again(
    home: Home, ledger: Ledger, heads: Sequence[Path], newest: str | None, signed: Mapping[str, str]
) -> bool:
    """Opens a restored home on two operators' signatures; gives whether its ledger is complete. Raises Usage if the
    keys are not the ledger's, or `newest` is given and a signed head cannot be read; BadInput if a signature is not
    over exactly what is known now."""
    return ledger.open_restored(_sound(home, ledger, heads, newest).outside, signed)


def _sound(home: Home, ledger: Ledger, heads: Sequence[Path], newest: str | None) -> Known:
    keys.prove(home, ledger)
    found = known(home, ledger, heads, newest)
    if newest and found.unread:
        what = f"a signed head that may say more counts for nothing: {found.unread[0].what}"
        remedy = "Get it again; or leave --newest out."
        raise Usage("HEAD_UNREAD", what, where=found.unread[0].place, remedy=remedy)
    return found
