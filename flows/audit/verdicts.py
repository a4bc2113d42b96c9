"""The stored checkpoint results of a home, compared with what the ledger's events say of them.

People decide by what `review show` prints from these files, so an edited one must not pass. Batches that an older
version checked have no digests in their events; their files are not judged.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from expectations.base.digests import file_matches
from flows.home.tree import FAULT, OUTCOMES, Home, busy
from flows.ledger import Ledger
from flows.ledger.chain import Problem
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import FINAL, RUNS_IN, Checkpoint, State

_WHICH = {state.value: checkpoint for checkpoint, state in RUNS_IN.items()}  # by the state that its event began from
_NAMES = {f"{name}.json" for name in (*Checkpoint, OUTCOMES, FAULT)}


def problems(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every stored result that is missing, changed, or of nobody."""
    records = {record.name: record for record in ledger.batches()}
    for record in records.values():
        if not busy(home, record.name):
            yield from _batch(home, ledger, record)
    for folder in sorted(home.verdicts.iterdir()) if home.verdicts.is_dir() else ():
        if folder.name not in records:
            yield Problem(f"verdicts/{folder.name}", "the ledger knows no batch of this name")
            continue
        for path in sorted(folder.iterdir()):
            if path.name not in _NAMES and not path.name.startswith("."):
                yield Problem(f"verdicts/{folder.name}/{path.name}", "it is no result of a checkpoint")


def _batch(home: Home, ledger: Ledger, record: BatchRecord) -> Iterator[Problem]:
    for name, digest in _said(ledger, record).items():
        path = home.verdicts / record.name / f"{name}.json"
        yield from _compared(path, f"verdicts/{record.name}/{name}.json", digest)
    accounted = ledger.accounted(record.name) if record.state in FINAL else None
    if accounted is not None:
        yield from _outcomes(home, record.name, accounted["outcomes"])


def _said(ledger: Ledger, record: BatchRecord) -> dict[str, str]:
    """The digest of each result, by its name. A checkpoint that runs again now is not judged."""
    found: dict[str, str] = {}
    for event in ledger.events(record.name):
        facts = event["facts"]
        if "verdict" in facts:
            found[_WHICH[facts["start"]].value] = facts["verdict"]
        if event["kind"] == State.FAILED and "fault" in facts:
            found[FAULT] = facts["fault"]
    if record.state in _WHICH.values() or record.state.value in _WHICH:
        found.pop(_WHICH[record.state.value].value, None)
    if record.state is not State.FAILED:  # a later fault need not have an event of its own
        found.pop(FAULT, None)
    elif record.resumes:
        found.pop(_WHICH.get(record.resumes.value, ""), None)
    return found


def _compared(path: Path, place: str, digest: str) -> Iterator[Problem]:
    try:
        if not file_matches(path, digest):
            yield Problem(place, "it was changed")
    except FileNotFoundError:
        yield Problem(place, "it is missing")
    except OSError as error:
        yield Problem(place, f"it cannot be read ({type(error).__name__})")


def _outcomes(home: Home, batch: str, accounted: Mapping[str, int]) -> Iterator[Problem]:
    path, place = home.verdicts / batch / f"{OUTCOMES}.json", f"verdicts/{batch}/{OUTCOMES}.json"
    try:
        said: Any = json.loads(path.read_bytes())
        if {k: n for k, n in said.items() if n} != {k: n for k, n in accounted.items() if n}:
            yield Problem(place, "its rows by outcome are not those that were accounted for")
    except FileNotFoundError:
        yield Problem(place, "it is missing")
    except (OSError, ValueError, AttributeError, RecursionError):
        yield Problem(place, "it cannot be read")
