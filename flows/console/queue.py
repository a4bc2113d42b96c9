"""The first page: everything that waits for people, the most urgent first, and what the nights brought."""

from collections import Counter
from typing import Any

from flows.console import kept
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import State
from flows.schedule import summary
from flows.schedule.waiting import Kind, looked

_NEWEST = 200  # batches of which the first page has a line


def queue(home: Home, ledger: Ledger) -> dict[str, Any]:
    """What the template `queue.html` names: `waiting`, `night`, `nights`, `batches`, `more`, `now`;
    `trend`: the columns of `nights`."""
    now, found = looked(home)
    records = ledger.named(one.id for one in found)
    # no folder's name: a requester chose it, and a site may be carried elsewhere
    waiting = [{**one.told(now), "since": one.since, "batch": None, "folder": None} for one in found]
    for one in waiting:
        if record := records.get(one["id"]):
            one |= {"batch": record.name, **_held(home, ledger, record, one["kind"])}
    newest = ledger.newest_batches(_NEWEST)
    return {
        "now": now,
        "waiting": waiting,
        "counts": Counter(one["kind"] for one in waiting),
        "night": _night(home),
        "nights": summary.trend(home),
        "trend": summary.TREND,
        "batches": newest,
        "more": sum(ledger.states().values()) - len(newest),
    }


def _held(home: Home, ledger: Ledger, record: BatchRecord, kind: str) -> dict[str, Any]:
    """Of a batch that waits at a checkpoint: why, with its figures; and how many have spoken, never what."""
    if kind != Kind.HELD or record.state is not State.HELD:
        return {}
    why = next((one for one in kept.read(home, record.name) if one.checkpoint is record.checkpoint), None)
    said = {d.operator for d in ledger.decisions(record.name) if d.hold == record.hold}
    return {
        **({"why": why.sentence} if why and why.failed else {}),
        "checkpoint": record.checkpoint,
        "spoken": len(said),
        "open": sorted(ledger.allowed_decisions(record.name)),
    }


def _night(home: Home) -> dict[str, Any] | None:
    last = summary.newest(home)
    return None if last is None else {"at": last["at"], "headline": summary.headline(last)}
