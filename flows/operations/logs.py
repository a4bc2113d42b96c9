"""The one set-up of logging. `text`: progress for people, and errors of libraries. `json`: one object a line on stderr,
with ids, counts and codes; nothing that a library says, since libraries quote values.

A line has `at`, `level` and `event`, then what the event is about: `batch`, `step`, `ledger_event` and so on.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.home.observing import LogFormat

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


def set_up(form: LogFormat) -> None:
    """Sets up this process's logging; safe to repeat. Other handlers of the root logger go."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO if form == "json" else logging.ERROR)  # GX sets its own logger to INFO
    if form == "json":
        handler.setFormatter(_Lines())
        handler.addFilter(lambda record: record.name == _OURS.name or record.levelno >= logging.ERROR)
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    hush()
    _OURS.setLevel(logging.INFO if form == "json" else logging.CRITICAL)


def hush() -> None:
    """Silences libraries that log what must not be shown, or what we report ourselves; in any process."""
    for name in _NOISE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def join(form: LogFormat) -> None:
    """The same for a run in a process that somebody else has set up, such as a worker: only where JSON is chosen."""
    if form == "json" and not as_json():
        set_up(form)


def as_json() -> bool:
    """Whether this process logs lines of JSON."""
    return _OURS.level == logging.INFO


def tell(event: str, text: str, level: int = logging.WARNING, **ids: Any) -> None:
    """A line for whoever keeps the machine: JSON, or `text` where people read."""
    if as_json():
        say(event, level, **ids)
    else:
        print(text, file=sys.stderr, flush=True)


def say(event: str, level: int = logging.INFO, **ids: Any) -> None:
    """A line of ours; nothing where people read text."""
    _OURS.log(level, event, extra={"ids": ids})
