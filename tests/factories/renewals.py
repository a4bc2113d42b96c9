"""Another key of the keyed hashes in the place of a home's."""

from __future__ import annotations

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.clock import Clock
from flows.home import renewal
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.sandbox.home import OPERATORS


def renew_hash(home: Home, algorithm: Scheme | None = None) -> None:
    """Gives the key one more generation, signed for by both operators of a sandbox."""
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        renewal.renew(home, ledger, KeyName.HASH, algorithm)
        assert renewal.record(home, ledger, signed(home, ledger))


def signed(home: Home, ledger: Ledger) -> dict[str, str]:
    """What both operators sign."""
    said = renewal.message(home, ledger)
    keys = {name: signatures.load(home.keys / name) for name in OPERATORS}
    return {name: signatures.sign(said, key, signatures.KEYS) for name, key in keys.items()}
