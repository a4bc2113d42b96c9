"""The lines of JSON that a run of a batch logs."""

import logging
from typing import Any

from flows.operations.logs import say
from flows.operations.observer import Did, Observer, Place


class Lines(Observer):
    """The lines of one run."""

    def begins(self, at: Place) -> None:
        say("run.began", **_ids(at), rows=at.record.rows)

    def did(self, at: Place, what: Did) -> None:
        found = what.verdict
        counts = {} if found is None else {"verdict": found.status.value, "rows": found.rows, "codes": found.codes}
        said = {**_ids(at), "step": what.step.value, "seconds": round(what.seconds, 3), **counts}
        if what.error is None:
            say("step.ended", **said)
        else:
            say("step.failed", logging.ERROR, **said, error=what.error)

    def ends(self, at: Place, error: str | None) -> None:
        level = logging.INFO if error is None else logging.ERROR
        say("run.ended", level, **_ids(at), codes=at.record.codes, error=error)


def _ids(at: Place) -> dict[str, Any]:
    return {
        "batch": at.record.name,
        "agreement": at.record.agreement,
        "state": at.record.state.value,
        "ledger_event": at.event,
    }
