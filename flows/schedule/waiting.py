"""What waits for people: all of it, every night until nobody has to do anything, whatever that night itself did."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations.base.errors import SluicegateError
from expectations.instruments import Agreement
from flows.batch import expiry, inbox
from flows.batch.unreadable import shown_name
from flows.cases import lookbacks, watching
from flows.home.holder import earlier_are_kept
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.ledger.events import Kind as EventKind
from flows.ledger.lifecycles.states import OPEN, State
from flows.operations import kept
from flows.registry import compliance
from flows.registry.enrolled import agreement_at_receipt
from flows.schedule.things import Kind, Waits

_BESIDE = frozenset(kind.value for kind in (EventKind.SNOOZED, EventKind.UNSNOOZED, EventKind.CALLED, EventKind.VIEW))
_BATCHES = {
    State.HELD: Kind.HELD,
    State.SEALED: Kind.HALTED,
    State.PREPARED: Kind.HALTED,
    **dict.fromkeys((State.FAILED, State.RECEIVED, State.INGESTED, State.MATCHED, State.VALIDATED), Kind.FAILED),
}


def everything(home: Home, ledger: Ledger) -> list[Waits]:
    """All that waits now, the most urgent first: by kind, then by what is due first, then the oldest."""
    found: list[Waits] = []
    for name, look in _SOURCES.items():
        try:
            found += look(home, ledger)
        except SluicegateError as error:  # one that cannot be read hides no other
            found.append(Waits(Kind.UNKNOWN, name, codes=(error.code,)))
    kinds, never = list(Kind), datetime.max.replace(tzinfo=UTC)
    found = list(_with_words(ledger, found))
    return sorted(found, key=lambda w: (kinds.index(w.kind), w.until or never, w.since or never, w.id))


def _with_words(ledger: Ledger, found: Iterable[Waits]) -> Iterator[Waits]:
    """With what people said of it. A snooze ends early where a deadline is near; where anything has changed, it was of
    another thing."""
    now = ledger.clock.now()
    snoozes, calls = ledger.snoozes(now), ledger.calls()
    if not snoozes and not calls:
        yield from found
        return
    for one in found:
        snoozed = None if one.is_due(now) else snoozes.get(one.thing)
        yield replace(one, snoozed=snoozed, called=tuple(calls.get(one.thing, ())))


def seen(home: Home) -> list[dict[str, Any]]:
    """The same as `told`, for people who look."""
    now, found = looked(home)
    return [one.told(now) for one in found]


def looked(home: Home) -> tuple[datetime, list[Waits]]:
    """The time, and all that waits then."""
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        return looked_in(home, ledger)


def looked_in(home: Home, ledger: Ledger) -> tuple[datetime, list[Waits]]:
    """The same in an open ledger: by the time of the newest event where this machine's clock is wrong, since whoever
    looks must see what waits."""
    now = ledger.time_now().shown
    return now, everything(home, ledger.at(replace(home.clock(), fixed=now, pretended=True)))


def _batches(home: Home, ledger: Ledger) -> Iterator[Waits]:
    records = [record for record in ledger.batches(*OPEN) if not busy(home, record.name)]
    events, agreements = ledger.events_by_batch(r.name for r in records), dict[str, Agreement | None]()
    for record in records:
        under = record.instruments.get(record.agreement, "")
        if under not in agreements:  # most batches share one
            agreements[under] = agreement_at_receipt(ledger, record)
        own = [event for event in events[record.name] if event["kind"] not in _BESIDE]
        last = expiry.last_day_of(record, agreements[under], own)
        until = None if last is None else last.over
        kind, mark = _BATCHES[record.state], int(own[-1]["seq"])
        yield Waits(kind, record.name, _since(own), until, tuple(record.codes), mark=mark)


def _since(events: Sequence[Mapping[str, Any]]) -> datetime:
    return expiry.waiting_since(events) or datetime.fromisoformat(events[-1]["at"])


def _submissions(home: Home, ledger: Ledger) -> Iterator[Waits]:
    for folder in inbox.waiting(home):
        if ledger.batch(inbox.batch_of(folder)) is None:  # else the batch stands for it
            yield Waits(Kind.NOT_READ, inbox.id_of(folder), _modified(folder), folder=shown_name(folder))
    for one in inbox.unfinished(home, ledger.clock.now()):
        kind = Kind.UNSIGNED if one.has_letter else Kind.INCOMPLETE
        yield Waits(kind, inbox.id_of(one.path), one.since, folder=shown_name(one.path))
    for path in inbox.put_aside(home):
        name = path.name.rpartition("-")[0]
        events = ledger.events(name)
        codes = tuple(code for event in events for code in event["facts"].get("codes", ()))
        since = datetime.fromisoformat(events[0]["at"]) if events else None
        yield Waits(Kind.UNREADABLE, path.name, since, codes=codes)


def _recalls(home: Home, ledger: Ledger) -> Iterator[Waits]:
    for due in watching.deadlines_due(home, ledger):
        until = datetime.fromisoformat(due["at"]) if due["at"] else None
        yield Waits(Kind.RECALL, due["case"], until=until, codes=(due["deadline"],))


def _lookbacks(home: Home, ledger: Ledger) -> Iterator[Waits]:
    if found := lookbacks.waiting(home, ledger):
        looked, left = found
        yield Waits(Kind.LOOKBACK, looked.name, looked.at, codes=tuple(sorted(left.codes)), mark=left.rows)


def _orders(home: Home, ledger: Ledger) -> Iterator[Waits]:
    for order in compliance.due(ledger, home.config.alert_hours):
        yield Waits(Kind.ORDER, order["order"], until=order["end"])


def _halts(_: Home, ledger: Ledger) -> Iterator[Waits]:
    halts = ledger.halts()
    spoken = ledger.spoken(halt.seq for halt in halts)
    for halt in halts:
        yield Waits(Kind.HALT, str(halt.seq), halt.at, codes=(halt.reason.value,), mark=spoken.get(halt.seq, 0))


def _proposals(_: Home, ledger: Ledger) -> Iterator[Waits]:
    for one in ledger.proposals():
        yield Waits(Kind.PROPOSAL, str(one.number), one.proposed_at, one.expires_at, mark=one.spoken)


def _restorations(_: Home, ledger: Ledger) -> Iterator[Waits]:
    for one in ledger.restorations():
        if one.opened_at is None:
            yield Waits(Kind.RESTORED, str(one.seq), one.at)


def _backups(home: Home, ledger: Ledger) -> Iterator[Waits]:
    if kept.missing(home, ledger.clock.now()):
        yield Waits(Kind.BACKUP, "backup", kept.newest(home))


def _keys(home: Home, ledger: Ledger) -> Iterator[Waits]:
    if earlier_are_kept(home):
        known = ledger.known_keys()
        yield Waits(Kind.EARLIER_KEY, KeyName.HOLDER_AGE.value, known[0].at if known else None)


def _modified(folder: Path) -> datetime | None:
    written = inbox.stamp(folder)
    return datetime.fromtimestamp(written / 1e9, UTC) if written else None


_SOURCES = {
    "batches": _batches,
    "submissions": _submissions,
    "recalls": _recalls,
    "lookbacks": _lookbacks,
    "orders": _orders,
    "halts": _halts,
    "proposals": _proposals,
    "restorations": _restorations,
    "backups": _backups,
    "keys": _keys,
}
