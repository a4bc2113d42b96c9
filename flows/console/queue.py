"""The first page: everything that waits for people, the most urgent first, what the nights brought and what was
decided."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from expectations.base.errors import Usage
from flows.console import kept, proposals
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, MEANINGS, allowed
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.schedule import summary
from flows.schedule.waiting import Kind, Waits, looked_in

_NEWEST = 200  # batches of which the first page has a line
_DID = 100  # submissions of a night that are shown one by one; its counts are of all
_DECIDED = timedelta(days=7)  # so far back what was decided is shown, unless somebody asks for more
_UNHELD: dict[str, Any] = {"batch": None, "agreement": None, "checkpoint": None, "spoken": 0, "open": []}


def queue(
    home: Home,
    ledger: Ledger,
    kind: Kind | None = None,
    agreement: str | None = None,
    since: datetime | None = None,
) -> dict[str, Any]:
    """What the template `queue.html` names. `kind`, `agreement`: see `filtered`; `since`: from when on decisions are
    shown, for example since somebody last looked."""
    now, found = looked_in(home, ledger)
    waiting, newest = _waiting(home, ledger, now, found), ledger.newest_batches(_NEWEST)
    shown, after = filtered(waiting, kind, agreement), since or now - _DECIDED
    return {
        "now": now,
        "waiting": shown,
        "all": len(waiting),
        "kind": kind,
        "agreement": agreement,
        "counts": Counter(one["kind"] for one in waiting),
        "agreements": sorted({one["agreement"] for one in waiting if one["agreement"]}),
        "groups": grouped(shown),
        "night": _night(home),
        "nights": [_night_line(line) for line in summary.trend(home)],
        "trend": summary.TREND,
        "since": after,
        "decided": decided(ledger, after),
        "batches": newest,
        "more": sum(ledger.states().values()) - len(newest),
    }


def asked(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters that a link or a form names, as arguments of `queue`; raises Usage for a kind that there is not."""
    kind, agreement = query.get("kind"), query.get("agreement")
    if kind and kind not in list(Kind):
        raise Usage("UNKNOWN_FILTER", "nothing that waits is of this kind", remedy="Choose one on the first page.")
    return {"kind": Kind(kind) if kind else None, "agreement": agreement or None}


def filtered(
    waiting: Iterable[dict[str, Any]], kind: Kind | None = None, agreement: str | None = None
) -> list[dict[str, Any]]:
    """Those of a kind, and those of batches under an agreement; None: all. Their order stays."""
    return [
        one
        for one in waiting
        if (kind is None or one["kind"] == kind) and (agreement is None or one["agreement"] == agreement)
    ]


def grouped(waiting: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By kind, in the order in which they come: the most urgent kind first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in waiting:
        found.setdefault(one["kind"], []).append(one)
    return found


def decided(ledger: Ledger, since: datetime) -> list[dict[str, Any]]:
    """What enough people have decided since then, the newest first: on what, when, why, and how many signed."""
    return [
        {**vars(one), "needed": KEYS_NEEDED[one.decision], "why": [MEANINGS[reason] for reason in one.reasons]}
        for one in ledger.decided_since(since)
    ]


def _waiting(home: Home, ledger: Ledger, now: datetime, found: Iterable[Waits]) -> list[dict[str, Any]]:
    """All that waits, with what is known of its batch. No folder's name: a requester chose it, and a site may be
    carried elsewhere."""
    waiting = [{**_UNHELD, **one.told(now), "since": one.since, "folder": None} for one in found]
    records = ledger.named(one["id"] for one in waiting)
    spoken = ledger.spoken(record.hold for record in records.values() if record.hold)
    asked = {str(one.number): one for one in ledger.proposals()}
    for one in waiting:
        if one["kind"] == Kind.PROPOSAL and (proposal := asked.get(one["id"])):
            one |= {"why": f"{proposals.title(proposal)}.", "spoken": proposal.spoken}
        if record := records.get(one["id"]):
            one |= {"batch": record.name, "agreement": record.agreement, **_held(home, record, one["kind"], spoken)}
    return waiting


def _held(home: Home, record: BatchRecord, kind: str, spoken: Mapping[int, int]) -> dict[str, Any]:
    """Of a batch that waits at a checkpoint: why, with its figures; and how many have spoken, never what."""
    if kind != Kind.HELD or record.state is not State.HELD or record.checkpoint is None:
        return {}
    why = _why(home, record.name, record.checkpoint)
    return {
        **({"why": why} if why else {}),
        "checkpoint": record.checkpoint,
        "spoken": spoken.get(record.hold or 0, 0),
        "open": sorted(allowed(record.checkpoint, record.codes)),
    }


def _why(home: Home, batch: str, which: Checkpoint) -> str | None:
    path = kept.path(home, batch, which)
    try:
        stat = path.stat()
    except OSError:
        return None
    return _sentence(home.verdicts, batch, which, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=10_000)
def _sentence(verdicts: Path, batch: str, which: Checkpoint, _as: tuple[int, ...]) -> str | None:
    """Why a batch is held, by the result that lies there `_as` this: a server reads each once, not for each reader."""
    found = kept.at(verdicts, batch, which)
    return found.sentence if found and found.failed else None


def _night(home: Home) -> dict[str, Any] | None:
    """The last night: when, its sentence, its counts and what became of its batches. No folder's name."""
    last = summary.newest(home)
    if last is None:
        return None
    counts = dict(zip(summary.TREND, _night_line(summary.trend(home)[-1]), strict=True))
    ran = last["batches"]
    did = [{"batch": batch, "state": state, "codes": codes} for _, batch, state, codes in ran[:_DID]]
    return {"at": last["at"], "headline": summary.headline(last), "counts": counts, "did": did, "ran": len(ran)}


def _night_line(cells: Iterable[str]) -> list[str | int]:
    """A line of the trend, its counts as numbers."""
    return [int(cell) if cell.isdigit() else cell for cell in cells]
