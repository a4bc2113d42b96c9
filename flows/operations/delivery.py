"""The audit log's events and the lines of all processes go to another system by themselves (`log.to`), over OTLP.

In order, and at least once: what was delivered is noted (`log/delivered.json`) after the receiver has taken it, so that
nothing is lost while it is down or when this process is killed, and some may come twice. An event has its number, its
hash and the hash before it, and its facts as the chain has them: whoever receives them sees a gap, and can verify the
chain. A line has the name of its process's file and its number there. A ledger that is another than what was delivered
(after a restoration) is sent from its first event.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from flows.home.tree import Home, alone
from flows.ledger import Ledger
from flows.ledger.chain import GENESIS, Link
from flows.ledger.database.models import to_us
from flows.operations import logs, spool
from flows.operations.observing import code
from flows.operations.otlp_logs import Record, Sender
from pipelines.lake import durable

_PAGE = 1_000  # records in one request
_PAUSE = 5.0  # seconds between looks
_DAY = timedelta(days=1)
_LEAVE = 2.0  # seconds for what is left when a process ends


@dataclass
class Delivered:
    """What was delivered: the newest event, when, and of each file of lines (bytes, lines)."""

    seq: int = 0
    hash: str = GENESIS
    at: str | None = None
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Home) -> Delivered:
        path = _noted(home)
        return cls(**json.loads(path.read_bytes())) if path.exists() else cls()

    def note(self, home: Home, now: datetime) -> None:
        self.at = now.isoformat(timespec="seconds")
        folder(home).mkdir(mode=0o700, exist_ok=True)
        durable.write(_noted(home), json.dumps(asdict(self)).encode())


def folder(home: Home) -> Path:
    return home.root / spool.FOLDER


def _noted(home: Home) -> Path:
    return folder(home) / "delivered.json"


def deliver(home: Home) -> None:
    """Sends all that was not delivered. Raises Transient if the receiver does not take it, Usage or BadInput if it is
    named wrongly."""
    with alone(home, "log"), Ledger.open(home.ledger_url, home.clock()) as ledger:
        done = Delivered.of(home)
        with closing(Sender(home, ledger.name())) as sender:
            _events(home, ledger, sender, done)
            for path in spool.files(folder(home)):
                _lines(home, ledger, sender, done, path)


def _events(home: Home, ledger: Ledger, sender: Sender, done: Delivered) -> None:
    if done.seq and not _follows(ledger, done):
        done.seq, done.hash = 0, GENESIS
    while page := list(islice(ledger.links(done.seq), _PAGE)):
        sender.send([_event(one) for one in page])
        done.seq, done.hash = page[-1].seq, page[-1].hash
        done.note(home, ledger.clock.machine())


def _follows(ledger: Ledger, done: Delivered) -> bool:
    """Whether the chain still has the event that was delivered last."""
    last = next(ledger.links(done.seq - 1), None)
    return last is not None and (last.seq, last.hash) == (done.seq, done.hash)


def _event(one: Link) -> Record:
    said: dict[str, str | int] = {"event": one.seq, "at": one.at, "hash": one.hash, "previous": one.previous}
    said |= {name: value for name, value in (("batch", one.batch), ("scheme", one.scheme)) if value}
    return Record(f"sluicegate.ledger.{one.kind}", one.facts, _ns(one.at), "info", _named(said))


def _lines(home: Home, ledger: Ledger, sender: Sender, done: Delivered, path: Path) -> None:
    offset, count = done.lines.get(path.stem, (0, 0))
    while page := list(islice(spool.lines(path, offset), _PAGE)):
        now = ledger.clock.machine()
        sender.send([_line(path.stem, count + n, text, now) for n, (_, text) in enumerate(page, 1)])
        offset, count = page[-1][0], count + len(page)
        done.lines[path.stem] = (offset, count)
        done.note(home, now)
    if spool.delete_ended(path, offset):
        done.lines.pop(path.stem, None)
        done.note(home, ledger.clock.machine())


def _line(process: str, number: int, text: bytes, now: datetime) -> Record:
    """A line that a power cut spoiled is sent as one that cannot be read: those behind it must not wait for it."""
    named = _named({"process": process, "line": number})
    try:
        said = json.loads(text)
        return Record(f"sluicegate.{said['event']}", text.decode(), _ns(said["at"]), said["level"], named)
    except (ValueError, KeyError, TypeError):
        return Record("sluicegate.log.unreadable", "", to_us(now) * 1_000, "warning", named)


def _named(said: dict[str, str | int]) -> dict[str, str | int]:
    return {f"sluicegate.{name}": value for name, value in said.items()}


def _ns(at: str) -> int:
    return to_us(datetime.fromisoformat(at)) * 1_000


def state(home: Home, ledger: Ledger) -> dict[str, Any]:
    """Whether another system gets the log; the newest event delivered, and when; how much waits."""
    done, folders = Delivered.of(home), spool.files(folder(home))
    waits = sum(1 for path in folders for _ in spool.lines(path, done.lines.get(path.stem, (0, 0))[0]))
    follows = not done.seq or _follows(ledger, done)
    events = ledger.newest_event() - (done.seq if follows else 0)
    named = home.config.log.to is not None
    return {"named": named, "event": done.seq, "at": done.at, "events_wait": events, "lines_wait": waits}


def seen(home: Home) -> dict[str, Any]:
    """The same, of the home's own ledger."""
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        return state(home, ledger)


def is_fresh(found: Mapping[str, Any], now: datetime) -> bool:
    """Whether nothing waits, or something was taken within the last day: a night delivers."""
    waits = found["events_wait"] or found["lines_wait"]
    return not waits or (found["at"] is not None and now - datetime.fromisoformat(found["at"]) < _DAY)


def sentence(found: Mapping[str, Any]) -> str:
    """What `state` gives, for people."""
    if not found["named"]:
        return "No other system gets the log"
    if found["at"] is None:
        return "The log goes to another system, which has taken nothing yet"
    waits = f"{found['events_wait']:,} events and {found['lines_wait']:,} lines wait"
    return f"Another system has the log up to event {found['event']:,}, taken last at {found['at']}; {waits}"


@contextmanager
def kept(home: Home) -> Iterator[None]:
    """Delivers every few seconds, in a thread of its own, while the caller does its work; what is left at its end is
    given two seconds."""
    if home.config.log.to is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(home, stop), name="delivery", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LEAVE)


def _keep(home: Home, stop: threading.Event) -> None:
    """A receiver that takes nothing is said once, until it does."""
    said = None
    while True:
        last = stop.is_set()
        try:
            deliver(home)
            said = None
        except Exception as error:
            if code(error) != said:
                said = code(error)
                logs.say("log.waits", logging.WARNING, code=said)
        if last:
            return
        stop.wait(_PAUSE)
