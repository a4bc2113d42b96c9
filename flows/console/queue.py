"""The first page: everything that waits for people, the most urgent first, what the nights brought and what was
decided."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from expectations.base.errors import Usage
from flows.cases import lookbacks
from flows.console import kept, proposals
from flows.console.kept import Kept
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, MEANINGS, allowed
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.schedule import snooze, summary
from flows.schedule.things import Kind, Waits
from flows.schedule.waiting import looked_in

_NEWEST = 200  # batches of which the first page has a line
_DID = 100  # submissions of a night that are shown one by one; its counts are of all
_DECIDED = timedelta(days=7)  # so far back what was decided is shown, unless somebody asks for more
_MEASURED = 3  # figures of one batch on the first page
_UNHELD: dict[str, Any] = {
    **{"batch": None, "agreement": None, "checkpoint": None, "hold": None, "spoken": 0},
    **{"open": [], "measured": (), "deciders": {}},
}


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
    nights = [_night_line(line) for line in summary.trend(home)]
    shown, after = filtered(waiting, kind, agreement), since or now - _DECIDED
    return {
        "now": now,
        "waiting": shown,
        "all": len(waiting),
        "kind": kind,
        "agreement": agreement,
        "counts": Counter(one["kind"] for one in waiting),
        "snoozed": [one for one in shown if one["snoozed"]],
        "agreements": sorted({one["agreement"] for one in waiting if one["agreement"]}),
        "groups": grouped(one for one in shown if not one["snoozed"]),
        "night": _night(home),
        "nights": nights,
        "drawn": {name: [line[place] for line in nights] for place, name in enumerate(summary.TREND)},
        "trend": summary.TREND,
        "since": after,
        "decided": decided(ledger, after),
        "reader": None,
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
    waiting = [{**_UNHELD, **_told(one, now)} for one in found]
    records = ledger.named(one["id"] for one in waiting)
    spoken = ledger.spoken(record.hold for record in records.values() if record.hold)
    deciders = ledger.deciders_of(record.name for record in records.values() if record.state is State.HELD)
    asked = {str(one.number): one for one in ledger.proposals()}
    for one in waiting:
        if one["kind"] == Kind.PROPOSAL and (proposal := asked.get(one["id"])):
            one |= {"why": f"{proposals.title(proposal)}.", "spoken": proposal.spoken}
        if one["kind"] == Kind.LOOKBACK and (looked := lookbacks.waiting(home, ledger)):
            each = ", ".join(f"{code} {count:,}" for code, count in sorted(looked[1].codes.items()))
            rows = f"{looked[1].rows:,} of {looked[0].affected:,} disclosures that would not be made today"
            one |= {"why": f"{rows} are in no recall: {each}."}
        if record := records.get(one["id"]):
            may = {"deciders": deciders.get(record.name, {})}
            told = {"batch": record.name, "agreement": record.agreement, **may}
            one |= {**told, **_held(home, record, one["kind"], spoken)}
    return waiting


def _told(one: Waits, now: datetime) -> dict[str, Any]:
    aside = snooze.may_be(one) and not one.is_due(now)
    return {**one.told(now), "since": one.since, "folder": None, "thing": one.thing, "may_snooze": aside}


def _held(home: Home, record: BatchRecord, kind: str, spoken: Mapping[int, int]) -> dict[str, Any]:
    """Of a batch that waits at a checkpoint: why, with its figures; and how many have spoken, never what. Of one that
    failed: what did."""
    if record.state is State.FAILED:
        fault = home.fault(record.name)
        said = [fault.get("code"), fault.get("message")]
        return {"why": "{}: {}.".format(*said)} if all(isinstance(one, str) for one in said) else {}
    if kind != Kind.HELD or record.state is not State.HELD or record.checkpoint is None:
        return {}
    why, measured = _why(home, record.name, record.checkpoint)
    return {
        **({"why": why, "measured": measured} if why else {}),
        "checkpoint": record.checkpoint,
        "hold": record.hold,
        "spoken": spoken.get(record.hold or 0, 0),
        "open": sorted(allowed(record.checkpoint, record.codes)),
    }


@dataclass(frozen=True)
class Measured:
    """What failed, beside what it may be at most, or between."""

    actual: str
    limit: str


Why: TypeAlias = tuple[str | None, tuple[Measured, ...]]  # a sentence, and the first figures


def _why(home: Home, batch: str, which: Checkpoint) -> Why:
    path = kept.path(home, batch, which)
    try:
        stat = path.stat()
    except OSError:
        return None, ()
    return _read(home.verdicts, batch, which, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=10_000)
def _read(verdicts: Path, batch: str, which: Checkpoint, _as: tuple[int, ...]) -> Why:
    """Why a batch is held, by the result that lies there `_as` this: a server reads each once, not for each reader."""
    found = kept.at(verdicts, batch, which)
    return (found.sentence, _measured(found)[:_MEASURED]) if found and found.failed else (None, ())


def _measured(found: Kept) -> tuple[Measured, ...]:
    """The shares that failed; then the checks of rows that did, of which none may fail."""
    shares = [Measured(one.said, one.limit) for one in found.figures]
    judged = {str(one.measure) for one in found.figures}
    rows = [one for one in found.failed if one.failed and one.rows and one.check not in judged]
    return (*shares, *(Measured(f"{one.failed:,} of {one.rows:,} rows ({one.code})", "none") for one in rows))


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
