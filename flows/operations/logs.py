"""The one set-up of logging. `text`: progress for people, and errors of libraries. `json`: one object a line on stderr,
with ids, counts and codes; nothing that a library says, since libraries quote values. Where another system gets the
log, the same lines wait for it in files of the home (`spool`), whatever stderr has.

A line has `at`, `level` and `event`, then what the event is about: `batch`, `step`, `ledger_event` and so on.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.home.observing import LogFormat
from flows.home.tree import Home
from flows.operations.spool import FOLDER, Spool

_OURS = logging.getLogger("sluicegate")
_OURS.addHandler(logging.NullHandler())
# these log at ERROR what we report ourselves, or addresses that may hold secrets
_NOISE = ("apache_beam", "openlineage", "opentelemetry")


class _Lines(logging.Formatter):
    """A record of ours as it was given; of any other, who spoke and where, and no word of it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower()}
        if record.name == _OURS.name:
            return json.dumps(line | {"event": record.msg} | getattr(record, "ids", {}))
        where = f"{Path(record.pathname).name}:{record.lineno}"
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        return json.dumps(line | {"event": "library", "logger": record.name, "where": where, "error": error})


def set_up(form: LogFormat, home: Home | None = None) -> None:
    """Sets up this process's logging; safe to repeat. Other handlers of the root logger go. `home`: whose log another
    system gets, if it names one."""
    stream, told = logging.StreamHandler(), form == "json"
    stream.setLevel(logging.INFO if told else logging.ERROR)  # GX sets its own logger to INFO
    if told:
        _as_lines(stream)
    else:
        stream.addFilter(lambda record: record.name != _OURS.name)
    handlers: list[logging.Handler] = [stream]
    if home is not None and home.config.log.to is not None:
        handlers.append(_as_lines(Spool(home.root / FOLDER)))
    logging.basicConfig(level=logging.ERROR, handlers=handlers, force=True)
    hush()
    _OURS.setLevel(logging.INFO if told or len(handlers) > 1 else logging.CRITICAL)


def _as_lines(handler: logging.Handler) -> logging.Handler:
    """Lines of ours, and that a library logged an error."""
    handler.setFormatter(_Lines())
    handler.addFilter(lambda record: record.name == _OURS.name or record.levelno >= logging.ERROR)
    return handler


def hush() -> None:
    """Silences libraries that log what must not be shown, or what we report ourselves; in any process."""
    for name in _NOISE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def join(home: Home) -> None:
    """The same for a run in a process that somebody else has set up, such as a worker: only where lines are chosen."""
    log = home.config.log
    if (log.format == "json" or log.to is not None) and not heard():
        set_up(log.format, home)


def heard() -> bool:
    """Whether anybody gets this process's lines."""
    return _OURS.level == logging.INFO


def as_json() -> bool:
    """Whether this process logs lines of JSON on stderr."""
    handlers = logging.getLogger().handlers
    return heard() and any(isinstance(one.formatter, _Lines) and not isinstance(one, Spool) for one in handlers)


def tell(event: str, text: str, level: int = logging.WARNING, **ids: Any) -> None:
    """A line for whoever keeps the machine: JSON, or `text` where people read."""
    if not as_json():
        print(text, file=sys.stderr, flush=True)
    say(event, level, **ids)


def say(event: str, level: int = logging.INFO, **ids: Any) -> None:
    """A line of ours; nothing where nobody gets any."""
    _OURS.log(level, event, extra={"ids": ids})
