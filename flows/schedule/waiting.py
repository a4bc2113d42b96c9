"""What waits for people: all of it, every night until nobody has to do anything, whatever that night itself did.

A batch or submission is named by ids of ours. The name that a requester chose for a folder stands apart, escaped, for
whoever looks on this machine: it may hold values.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from expectations.base.digests import of_json
from expectations.base.errors import SluicegateError
from expectations.base.total import total
from expectations.codes import CODES
from expectations.instruments import Agreement
from flows.batch import expiry, inbox
from flows.batch.unreadable import shown_name
from flows.cases import lookbacks, watching
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.calling import CALL_MEANINGS
from flows.ledger.calls import CallRecord
from flows.ledger.events import Kind as EventKind
from flows.ledger.lifecycles.states import OPEN, State
from flows.ledger.snoozes import SnoozeRecord
from flows.ledger.snoozing import DUE, SNOOZE_MEANINGS
from flows.operations import kept
from flows.registry import compliance
from flows.registry.enrolled import agreement_at_receipt


class Kind(StrEnum):
    """What it is that waits; the most urgent first."""

    RECALL = "recall deadline"
    LOOKBACK = "lookback"  # it found disclosures that are in no recall
    UNKNOWN = "unknown"  # what waits there could not be looked at
    RESTORED = "restored"  # from a backup: nothing runs
    FAILED = "failed"  # a fault of the system, or a run that broke off
    ORDER = "order deadline"
    HELD = "held"
    HALTED = "halted"  # ready to leave, and something stands against it
    NOT_READ = "not read"  # a complete submission that no run has read
    UNREADABLE = "unreadable"
    UNSIGNED = "unsigned"
    INCOMPLETE = "incomplete"
    HALT = "releases halted"
    PROPOSAL = "proposal"  # a change that one or nobody has signed
    BACKUP = "no backup"  # none is as young as sluicegate.toml says


_DO = total(
    Kind,
    {
        Kind.UNKNOWN: "fix the cause; until then nobody knows what waits of the {id}",
        Kind.RESTORED: "two operators open this home: sluicegate restored show",
        Kind.FAILED: "fix the cause, then: sluicegate run {id}",
        Kind.RECALL: "sluicegate recall show {id}",
        Kind.LOOKBACK: "recall {mark} rows: sluicegate recall open --reason lookback --from lookback/{id}.parquet.age",
        Kind.ORDER: "confirm that it is complied with, then: sluicegate instruments confirm {id}",
        Kind.HELD: "sluicegate review show {id}",
        Kind.HALTED: "once releases may go on: sluicegate run {id}",
        Kind.NOT_READ: "sluicegate run, with its folder in the inbox",
        Kind.UNREADABLE: "tell the requester why; then delete it from inbox/.unreadable",
        Kind.UNSIGNED: "ask the requester for letter.toml.sig; or delete the folder from the inbox",
        Kind.INCOMPLETE: "ask the requester for the rest; or delete it from the inbox",
        Kind.HALT: "two operators: sluicegate resume {id} --key KEY",
        Kind.PROPOSAL: "two operators sign it, or it is withdrawn: sluicegate proposals show {id}",
        Kind.BACKUP: "see why the deployment backup makes none; by hand: sluicegate backup",
    },
)
# Events of a batch after which it waits as before.
_BESIDE = frozenset(kind.value for kind in (EventKind.SNOOZED, EventKind.UNSNOOZED, EventKind.CALLED, EventKind.VIEW))
_BATCHES = {
    State.HELD: Kind.HELD,
    State.SEALED: Kind.HALTED,
    State.PREPARED: Kind.HALTED,
    **dict.fromkeys((State.FAILED, State.RECEIVED, State.INGESTED, State.MATCHED, State.VALIDATED), Kind.FAILED),
}


@dataclass(frozen=True)
class Waits:
    """One thing that waits.

    id       of the batch, submission, case, order or halt: never a name that somebody else chose
    since    when it began; None if nobody knows
    until    when it is too late; None: never
    codes    why
    folder   the submission's folder, escaped, for this machine's terminal and console only
    mark     changes with anything else that happens to it: a newer event, one more who has spoken
    snoozed  set aside for a while, by whom, until when and why: it is listed and counted all the same
    called   who has asked others to look at it, and why
    """

    kind: Kind
    id: str
    since: datetime | None = None
    until: datetime | None = None
    codes: tuple[str, ...] = ()
    folder: str | None = None
    mark: int = 0
    snoozed: SnoozeRecord | None = None
    called: tuple[CallRecord, ...] = ()

    @property
    def thing(self) -> str:
        """This thing as it waits now, as a digest: it is another once anything about it is."""
        times = [at.astimezone(UTC).isoformat() if at else None for at in (self.since, self.until)]
        return of_json([self.kind.value, self.id, *times, list(self.codes), self.mark])

    def is_due(self, now: datetime) -> bool:
        """Whether its deadline is so near that nobody may set it aside."""
        return self.until is not None and self.until - now <= DUE

    @property
    def to_do(self) -> str:
        """What to do about it, as a sentence or a command."""
        return _DO[self.kind].format(id=self.id, mark=self.mark)

    def told(self, now: datetime) -> dict[str, Any]:
        """As JSON for this machine: `folder` goes no further."""
        return {
            "kind": self.kind.value,
            "id": self.id,
            "codes": list(self.codes),
            "why": "; ".join(CODES[code].message for code in self.codes if code in CODES),
            "hours": None if self.since is None else max(0, int((now - self.since).total_seconds() // 3600)),
            "until": _minute(self.until) if self.until else None,
            "late": self.until is not None and self.until <= now,
            "to_do": self.to_do,
            "folder": self.folder,
            "snoozed": self._set_aside(),
            "called": [{**_said(one, CALL_MEANINGS[one.reason]), "at": _minute(one.at)} for one in self.called],
        }

    def _set_aside(self) -> dict[str, str] | None:
        one = self.snoozed
        if one is None:
            return None
        return {**_said(one, SNOOZE_MEANINGS[one.reason]), "until": _minute(one.until)}


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


def _said(one: SnoozeRecord | CallRecord, why: str) -> dict[str, str]:
    return {"by": one.operator, "reason": one.reason.value, "why": why}


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="minutes")


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
}
