"""Corrections of what was disclosed: who has records that the register has corrected since, and the notice to them.

5 USC 552a(c)(4). A notice lies in the outbox like a package, named `correction-ID`; the ledger has its event. In this
order, each step durable before the next: the rows, sealed to the holder, and the sealed notice in `corrections/ID`; the
notice in the outbox; its event. After a crash the same command goes on: the same rows have the same id.
"""

import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.base.clock import Clock
from expectations.base.digests import of_file
from expectations.base.errors import Usage
from flows.cases import places
from flows.cases.places import Desk
from flows.evidence import keys
from flows.evidence.store import accounting_path, open_accounting, seal_to_holder
from flows.home import holder
from flows.home.keys import hashed_with
from flows.home.registers import all_versions
from flows.home.tree import Home
from flows.ledger.lifecycles.states import State
from pipelines import register, sealing
from pipelines.lake import durable
from pipelines.recall import corrected
from pipelines.replay.corrections import changes

LIST = "affected.age"


@dataclass(frozen=True)
class Outstanding:
    """Disclosures under one agreement that were corrected, and told to nobody. `rows`: plaintext Parquet."""

    agreement: str
    name: str
    batches: dict[str, int]
    rows: Path

    @property
    def id(self) -> str:
        return f"k-{self.name[:16]}"


def folder(home: Home, notice: str) -> Path:
    """`corrections/ID` (0700): the rows, sealed to the holder, and the notice, sealed to its recipient."""
    return home.root / "corrections" / notice


def name_of(notice: str) -> str:
    """What a notice is called in the outbox."""
    return f"correction-{notice}"


def due(home: Home, clock: Clock) -> list[dict[str, Any]]:
    """Who is to be told of corrections: recipient, agreement, disclosures, batches."""
    with places.desk(home, clock, places.SEALED) as at:
        return [_shown(at, one) for one in _outstanding(at)]


def notify(home: Home, clock: Clock, operator: str) -> list[dict[str, Any]]:
    """Makes and delivers the notices that are due; gives what was sent. Safe to repeat. `operator`: who sends them;
    nobody signs that. Raises Usage if no role of the operator allows it."""
    with places.desk(home, clock) as at:
        at.ledger.may_recall(operator)
        return [_shown(at, one) | {"notice": name_of(_send(at, one, operator))} for one in _outstanding(at)]


def _shown(at: Desk, one: Outstanding) -> dict[str, Any]:
    to = at.agreement(one.agreement).requester
    return {
        "agreement": one.agreement,
        "recipient": to.name,
        "address": to.address,
        "disclosures": sum(one.batches.values()),
        "batches": one.batches,
    }


def _outstanding(at: Desk) -> list[Outstanding]:
    versions = all_versions(at.home)
    changed, found = changes(versions), defaultdict(list)
    for record in at.ledger.batches(State.PUBLISHED) if changed else ():
        known = changes([v for v in versions if register.version(v) == record.register])
        rows = at.plain / f"{record.name}.corrected.parquet"
        if _find(at, record.name, rows, changed, known, at.agreement(record.agreement).zone):
            found[record.agreement].append(rows)
    each = [_rest(at, agreement, found[agreement]) for agreement in sorted(found)]
    return [one for one in each if one.batches]


def _find(at: Desk, batch: str, target: Path, changed: list[str], known: list[str], zone: str) -> int:
    if not accounting_path(at.home, batch).exists():
        raise Usage("NO_ACCOUNTING", "this batch has no accounting", where=batch, remedy="Restore accounting/.")
    plain = at.plain / f"{batch}.parquet"
    open_accounting(at.home, batch, plain)
    until, key = at.ledger.clock.today(zone), hashed_with(at.home, at.ledger, batch)
    counted = corrected.find(
        batch, plain, target, changed=changed, known=known, until=until, hash_key=key, duck=at.home.duck
    )
    plain.unlink()
    return counted


def _rest(at: Desk, agreement: str, found: list[Path]) -> Outstanding:
    """What no notice under this agreement has told of."""
    before = []
    for notice in at.ledger.corrections():
        if notice.agreement == agreement:
            plain = at.plain / f"{notice.id}.parquet"
            sealing.open_file(folder(at.home, notice.id) / LIST, plain, keys.holder(at.home))
            before.append(plain)
    rows = at.plain / f"{agreement}.corrected.parquet"
    return Outstanding(agreement, *corrected.outstanding(found, before, rows, at.home.duck), rows)


def _send(at: Desk, one: Outstanding, operator: str) -> str:
    home, place = at.home, folder(at.home, one.id)
    sealed = _sealed(at, one, place)
    package = places.deliver(home, sealed, name_of(one.id))
    at.ledger.record_correction(
        one.id,
        agreement=one.agreement,
        requester=at.agreement(one.agreement).requester.id,
        batches=one.batches,
        affected=of_file(place / LIST),
        package=package,
        operator=operator,
    )
    return one.id


def _sealed(at: Desk, one: Outstanding, place: Path) -> Path:
    """The notice in its folder, sealed once, with the list of its rows beside it."""
    stored, half, made = place / "notice", place / ".notice", at.plain / one.id
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not stored.exists():
        seal_to_holder(at.home, one.rows, place / LIST)
        corrected.seal_notice(
            made,
            one.rows,
            notice=one.id,
            agreement=at.agreement(one.agreement),
            packages={name: at.ledger.known_batch(name).package_digest or "" for name in one.batches},
            holder_key=holder.signing_key(at.home),
            created_at=at.ledger.clock.now(),
            duck=at.home.duck,
        )
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(made, half)
        for path in [*half.iterdir(), half]:
            durable.fsync(path)
        half.rename(stored)
        durable.fsync(place)
    return stored
