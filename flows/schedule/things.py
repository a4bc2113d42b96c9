"""A thing that waits for people: of which kind, since when and until when, why, and what to do about it.

A batch or submission is named by ids of ours. The name that a requester chose for a folder stands apart, escaped, for
whoever looks on this machine: it may hold values.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from expectations.base.digests import name_of_json
from expectations.base.total import total
from expectations.codes import CODES
from flows.ledger.calling import CALL_MEANINGS
from flows.ledger.calls import CallRecord
from flows.ledger.snoozes import SnoozeRecord
from flows.ledger.snoozing import DUE, SNOOZE_MEANINGS


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
    EARLIER_KEY = "earlier key"  # an age key that another took the place of is kept, since files may need it


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
        Kind.EARLIER_KEY: "seal anew what needs it, and destroy it: sluicegate keys reseal --operator NAME",
    },
)
# Events of a batch after which it waits as before.


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
        return name_of_json([self.kind.value, self.id, *times, list(self.codes), self.mark])

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


def _said(one: SnoozeRecord | CallRecord, why: str) -> dict[str, str]:
    return {"by": one.operator, "reason": one.reason.value, "why": why}


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="minutes")
