"""What an operator or a night does to a home, each safe to repeat, for a child that is killed at it: its path as text.

The home has a batch that was published, and `next` in its inbox. Beside it lies `delta`, a change of the register.
"""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.clock import Clock
from flows.audit import resealing, signed_heads
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.cases import Step
from flows.cases.advancing import advance as take
from flows.cases.opening import Chosen, open_cases
from flows.cases.steps import HandedIn, by_key
from flows.evidence import shred
from flows.home import registers, renewal
from flows.home.tree import Home, alone, open_home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import enrol as sign
from pipelines import lake, register
from tests.factories import renewals, sealed
from tests.factories.deltas import TODAY
from tests.factories.runs import at, ledger_of

ORDER = """
kind = "court_order"
id = "another-order"
court = "a court"
docket = "1"
title = "an order"
source = "a test"
effective_on = 2026-01-01
effect = "hold"
scope = { agreements = ["no-such-agreement"] }
"""


def run(home: str) -> None:
    """The second submission, to its end."""
    opened = open_home(Path(home))
    with Ledger.open(opened.ledger_url, Clock()) as ledger:
        name = receive(opened, ledger, Clock(), opened.inbox / "next")
        with alone(opened, name):
            advance(BatchSteps(opened, ledger, name))


def recall(home: str) -> None:
    """Two rows of the published batch: the case is opened, frozen, and its recipient's receipt recorded."""
    opened = open_home(Path(home))
    if not _cases(opened, "frozen"):
        chosen = Chosen(_published(opened), opened.root.parent / "rows")
        open_cases(opened, Clock(), chosen, CaseReason.LOOKBACK, "operator-1")
    if not _cases(opened, "notified"):
        sign = by_key(signatures.load(opened.keys / "operator-1"))
        receipt = HandedIn.of(Step.NOTIFIED, opened.root.parent / "receipt")
        take(opened, Clock(), _cases(opened, "frozen")[0], Step.NOTIFIED, receipt, sign)


def update(home: str) -> None:
    """The register, by the delta, unless that is done."""
    opened = open_home(Path(home))
    if persons(opened) == persons(opened, first=True):
        registers.update_register(opened, opened.root.parent / "delta", TODAY)


def enrol(home: str) -> None:
    """Another order, unless it is enrolled."""
    opened = open_home(Path(home))
    with ledger_of(opened) as ledger:
        if "another-order" not in {id for id, *_ in ledger.instruments()}:
            sign(opened, ledger, ORDER.encode(), "order.toml")


def shredding(home: str) -> None:
    """The evidence of the published batch, once its retention has ended."""
    opened = open_home(Path(home))
    with Ledger.open(opened.ledger_url, at(str(shred._years_on(date.today(), 6)))) as ledger:
        if shred.shred(opened, ledger, _published(opened)):
            raise SystemExit(4)


def reseal(home: str) -> None:
    """Another age key in the place of the holder's; everything is sealed to it anew, evidence included."""
    opened = open_home(Path(home))
    with ledger_of(opened) as ledger:
        told = [event for event in ledger.events() if event["kind"] == "keys"]
    if len(told) < 2 or renewal.renewing(opened):
        sealed.renew(opened)
    seal_anew(home, every=True)


def seal_anew(home: str, *, every: bool = False) -> None:
    """What an earlier age key opens, or everything. Files that are made for a while would lie beside the home."""
    opened = open_home(Path(home))
    os.environ["TMPDIR"] = tempfile.tempdir = str(opened.root.parent)
    with ledger_of(opened) as ledger:
        done = resealing.reseal(opened, ledger, "operator-1", every=every)
    if done.left or done.needs.earlier or done.needs.nothing:
        raise SystemExit(4)


def seal_all_anew(home: str) -> None:
    """Everything."""
    seal_anew(home, every=True)


def hash_renewed(home: str) -> None:
    """Another generation of the key of the keyed hashes, by another HMAC."""
    opened = open_home(Path(home))
    with ledger_of(opened) as ledger:
        if len(opened.hash_key.schemes) < 2 or renewal.renewing(opened):
            renewal.renew(opened, ledger, KeyName.HASH, Scheme.SHA3_256)
            renewal.record(opened, ledger, renewals.signed(opened, ledger))


def signed_head(home: str) -> None:
    """What the audit log is today."""
    opened = open_home(Path(home))
    with ledger_of(opened) as ledger:
        signed_heads.write(opened, ledger)


def persons(home: Home, *, first: bool = False) -> int:
    """How many persons the register of the home holds; `first`: its full extract."""
    versions = registers.all_versions(home)
    return register.persons(lake.stated(versions[0] if first else registers.current_register(home)))


def _published(home: Home) -> str:
    with ledger_of(home) as ledger:
        return next(record.name for record in ledger.batches() if record.state is State.PUBLISHED)


def _cases(home: Home, state: str) -> list[str]:
    """The ids of the cases that have come to a state."""
    with ledger_of(home) as ledger:
        return [case.id for case in ledger.cases() if state in {step.state for step in case.steps}]
