"""A home that has every kind of file that is sealed to the holder, and whose age key was renewed since."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from expectations.base import signatures
from expectations.base.clock import Clock
from flows.batch.decisions import sign
from flows.cases import Step, corrections, lookbacks, places
from flows.cases.advancing import advance
from flows.cases.opening import Chosen, open_cases
from flows.cases.steps import HandedIn, by_key
from flows.evidence import keys, notes
from flows.evidence.store import evidence_folder
from flows.home import holder, registers, renewal
from flows.home.tree import Home
from flows.ledger.database.models import KeyName
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.cases import CaseReason
from flows.replay.lookback import lookback
from flows.sandbox.home import OPERATORS
from pipelines import sealing
from tests.factories import installations, runs
from tests.factories.deltas import write_delta

CANARY = "Zebulon Quackenbush"


@dataclass(frozen=True)
class Sealed:
    """The home, a batch that was published, one that is held with a note on it, and the key that was renewed."""

    home: Home
    published: str
    held: str
    before: sealing.Identity


def make(folder: Path) -> Sealed:
    from tests.flows.cases.test_corrections import TODAY, moved
    from tests.flows.replay.test_lookback import WRONG, early_rules, release

    made = installations.make(folder / "home")
    home = made.home
    with installations.at_home(home), early_rules():
        rows = [installations.request(n, **WRONG.get(n, ({}, []))[0]) for n in range(1, 21)]
        release(made, home.inbox / "incident", rows)
    with runs.ledger_of(home) as ledger:
        (published,) = (record.name for record in ledger.batches())
    lookback(home, Clock())
    _recalled(home, folder)
    registers.update_register(home, write_delta(folder / "delta", [moved(3)], kind="correction", on=TODAY), TODAY)
    corrections.notify(home, Clock(), "operator-1")
    held = runs.held(made, folder / "held")
    sign(home, held, Decision.DROP, signatures.load(home.keys / "operator-1"), text=f"{CANARY} called")
    notes.store(home, f"{CANARY} called once more")
    runs.rejected(made, folder / "rejected")
    before = holder.identity(home)
    renew(home)
    return Sealed(home, published, held, before)


def _recalled(home: Home, folder: Path) -> None:
    (looked,) = lookbacks.newest(home, 1)
    (case,) = open_cases(
        home, Clock(), Chosen(listed=lookbacks.listed(home, looked)), CaseReason.LOOKBACK, "operator-1"
    )
    (folder / "receipt").write_text(f"{CANARY} received it")
    key = by_key(signatures.load(home.keys / "operator-1"))
    advance(home, Clock(), case.id, Step.NOTIFIED, HandedIn.of(Step.NOTIFIED, folder / "receipt"), key)
    with places.desk(home, Clock()) as desk:
        places.hand_in(desk, case.id, f"{CANARY} waits".encode())


def renew(home: Home) -> None:
    """Another age key takes the place of the holder's, signed for by two operators. Safe to repeat after a crash."""
    with runs.ledger_of(home) as ledger:
        renewal.renew(home, ledger, KeyName.HOLDER_AGE)
        said = ledger.keys_message(renewal.proposed(home))
        signed = {n: signatures.sign(said, signatures.load(home.keys / n), signatures.KEYS) for n in OPERATORS}
        renewal.record(home, ledger, signed)


def contents(home: Home) -> Mapping[str, str]:
    """The digest of what each sealed file holds, by its name in the home; the key of a batch by whether it opens."""
    found = {}
    for path in sorted(home.root.rglob("*.age")):
        name = str(path.relative_to(home.root))
        inside = any(part.startswith(".") for part in path.relative_to(home.root).parts)
        if inside or name.startswith(("outbox/", "keys/")) or path.parent.name in ("list", "notice"):
            continue
        batch = path.name.partition(".")[0] if path.parent == evidence_folder(home) else None
        with sealing.opened_stream(path, keys.identity(home, batch) if batch else keys.holder(home)) as stream:
            found[name] = hashlib.sha256(stream.read()).hexdigest()
    return found


def bytes_of(home: Home) -> Mapping[str, bytes]:
    """Every file that is sealed to the holder, or to the key of a batch, as it lies there."""
    names = ("accounting", "evidence", "keys/evidence", "notes", "lookback", "recalls", "corrections")
    paths = (
        path
        for name in names
        for path in sorted((home.root / name).rglob("*.age"))
        if path.parent.name not in ("list", "notice")
    )
    return {str(path.relative_to(home.root)): path.read_bytes() for path in paths}
