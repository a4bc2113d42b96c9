"""A batch that is about to leave, whose rows meet every limit of its agreement and would not meet a narrower one; and
copies of its home, so that many tests share the making of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.forms import to_toml
from expectations.contracts.register import REGISTER_ADDRESS
from expectations.instruments import Agreement
from flows.batch.advance import advance
from flows.batch.plan import PLAN
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.registry import enrolled
from flows.sandbox.home import REQUESTER_SIGNING, enrol
from pipelines import release, sealing
from pipelines.release.package import ADDRESSES_PARQUET
from tests.factories import installations, submissions
from tests.factories.past import waved_through

ID = "sandbox-2026"
TODAY = Clock().today("America/New_York")
GOOD = tuple(range(1, 9))  # persons of whom everything agrees
WEAK, NO_STATE, EARLIER, TRIED, CROWD = 10, 11, 12, 13, (14, 15)
NOBODY = {"first_name": "Ottoline", "last_name": "Vandersloot", "tin": None, "birth_date": "1944-11-30"}
OLD_HOME = {"street": "9 Bygone Ave", "city": "Denver", "state": "CO", "zip": "80202"}
RELEASED = len(GOOD) + 6
# What the sandbox's agreement does not say by itself.
GENEROUS = {
    "may_be_left_out": ["state"],
    "thresholds": {"identical_reason_share": 0.2, "identical_reason_share_period": 0.2, "rows_30_days": 1000},
}


def rows() -> list[dict[str, Any]]:
    """Of all but the last three, the address is released."""
    lost = [installations.request(70 + n, street=f"{n} Elsewhere Rd", **NOBODY) for n in (1, 2)]
    same = {"reason": "The address is needed to serve the indictment."}
    return [
        *(installations.request(n, **(same if n < 3 else {})) for n in GOOD),
        installations.request(WEAK, tin=None, last_name=f"Quillfeather {installations.person(WEAK)['last_name']}"),
        installations.request(NO_STATE, state=None),
        installations.request(EARLIER, **OLD_HOME),
        installations.request(TRIED),
        installations.request(CROWD[0]),
        installations.request(CROWD[1], **_home(CROWD[0])),
        installations.request(60, street="NA NA"),
        *lost,
    ]


def _home(n: int) -> dict[str, Any]:
    return {k: installations.address(n)[k] for k in ("street", "city", "state", "zip")}


def _register(folder: Path) -> None:
    """With somebody who has moved, and two at one address."""
    part = folder / "addresses" / "part-0000.parquet"
    kept = [a for a in pq.read_table(part).to_pylist() if a["record_id"] != CROWD[1]]
    moved = {"record_id": EARLIER, **OLD_HOME, "valid_from": date(2001, 1, 1), "valid_to": date(2019, 12, 31)}
    shared = {**installations.address(CROWD[0]), "record_id": CROWD[1]}
    pq.write_table(pa.Table.from_pylist([*kept, moved, shared], schema=REGISTER_ADDRESS), part)


def text_of(agreement: Agreement) -> bytes:
    """An agreement as the TOML of a version of it."""
    said = agreement.model_dump(mode="python", exclude_none=True)
    return "".join(f"{k} = {to_toml(v)}\n" for k, v in said.items()).encode()


def changed(agreement: Agreement, **changes: Any) -> Agreement:
    """A version with other words: a mapping changes single keys of its table."""
    said = agreement.model_dump(mode="python", exclude_none=True)
    for key, value in changes.items():
        said[key] = {**said[key], **value} if isinstance(value, Mapping) else value
    return Agreement.model_validate(said)


@dataclass(frozen=True)
class Ready:
    """A home with one batch in it; `last`: how far the batch had come."""

    home: Home
    batch: str
    last: State

    @contextmanager
    def work(self) -> Iterator[BatchSteps]:
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            yield BatchSteps(self.home, ledger, self.batch)

    @property
    def agreement(self) -> Agreement:
        """As it is enrolled now."""
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            return enrolled.newest(ledger).agreements[ID]

    def enrol(self, body: bytes | Agreement, where: str = "test.toml") -> None:
        text = body if isinstance(body, bytes) else text_of(body)
        with Ledger.open(self.home.ledger_url, Clock()) as ledger:
            enrol(self.home, ledger, text, where)

    def run(self) -> State:
        """Until it ends."""
        with self.work() as one:
            return advance(one)

    def until(self, state: State) -> None:
        with self.work() as one:
            bring(one, state)

    def opened(self, folder: Path, identity: sealing.Identity) -> list[dict[str, Any]]:
        """What the recipient finds in the package."""
        release.open_package(self.home.outbox / self.batch, identity, folder, self.home.holders)
        return list(pq.read_table(folder / ADDRESSES_PARQUET).to_pylist())

    def manifest(self) -> dict[str, Any]:
        """What the published package says of itself."""
        return dict(release.verify(self.home.outbox / self.batch, self.home.holders))


def bring(one: BatchSteps, state: State) -> None:
    while (now := one.record.state) is not state:
        assert PLAN[now], (now, one.record.codes)
        for step in PLAN[now]:
            if one.record.state is now:
                one.do(step)


def make(folder: Path, state: State) -> Ready:
    """A batch that came to this state: its checkpoints passed it, whatever they would have found."""
    installation = installations.make(folder / "home")
    _register(folder / "home" / "register" / "raw")
    generous = changed(installation.agreement, **GENEROUS)
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        enrol(installation.home, ledger, text_of(generous), "generous.toml")
    day = TODAY - timedelta(days=2)
    attested = {"solely": True, "no_informant_or_investigation_harmed": True, "attested_on": day - timedelta(days=1)}
    key = signatures.load(installation.home.keys / REQUESTER_SIGNING)
    where = submissions.write(folder / "submission", rows(), key, generous, date=day, attestations=attested)
    with waved_through(), Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        name = receive(installation.home, ledger, Clock(), where)
        bring(BatchSteps(installation.home, ledger, name), state)
    return Ready(installation.home, name, state)


@cache
def kept(folder: Path, state: State) -> Ready:
    """One for all tests of this process, which only copy it: each state is made of the one before."""
    before = {State.SEALED: State.INGESTED, State.PREPARED: State.SEALED}.get(state)
    if before is None:
        return make(folder / state, state)
    made = replace(copy(kept(folder, before), folder / state), last=state)
    with waved_through():
        made.until(state)
    return made


def copy(ready: Ready, target: Path) -> Ready:
    """The same in a copy of its home: times stay, or the register would be another."""
    shutil.copytree(ready.home.root, target / "home", copy_function=shutil.copy2)
    settings = target / "home" / "sluicegate.toml"
    settings.write_text(settings.read_text().replace(str(ready.home.root), str(target / "home")))
    return replace(ready, home=open_home(target / "home"))
