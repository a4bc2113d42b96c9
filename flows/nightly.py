"""The nightly run that nobody watches: gates first, then every submission in the inbox that is not done, then what waited too
long or did not end cleanly; a signed checkpoint of the chain; one summary.

A held, refused or unreadable batch stops nothing but itself. If a gate did not fail on its poison, nothing runs at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.states import Failed

from expectations.clock import Clock
from expectations.errors import DONE, HELD, Fault, SluicegateError
from expectations.suites.selftest import selftest
from flows import sweep
from flows.audit import checkpoints
from flows.batch import batch_flow
from flows.cases.watching import look
from flows.home import Home, open_home
from flows.inbox import waiting
from flows.ledger import Ledger
from flows.ledger.states import State
from flows.receive import receive
from flows.run import EXIT_CODES

PASSED, FAILED = "passed", "FAILED: nothing was run"


@task(name="gate self-test", persist_result=False)
def gates_fail_as_they_must() -> bool:
    """Every rule of every suite fails on its poison."""
    results = selftest()
    return bool(results) and all(proof.failed_as_expected for proof in results)


@flow(name="nightly", persist_result=False, validate_parameters=False)
def nightly(home: str | None = None, quiet: bool = False) -> Any:
    """Takes up what lies in the inbox of `home` (SLUICEGATE_HOME, if left out: a deployment's); returns the summary, which
    is also kept in the home tree."""
    opened = open_home(Path(home) if home else None)
    summary: dict[str, Any] = {
        "at": Clock().now().isoformat(timespec="seconds"),
        "selftest": PASSED,
        "batches": [],
        "recalls": [],
    }
    proven = gates_fail_as_they_must(return_state=True)
    if not (proven.is_completed() and proven.result() is True):
        summary["selftest"] = FAILED
        _keep(opened, summary)
        return Failed(name="Gates", message="a gate did not fail on its poison: nothing was run", data=summary)
    summary["batches"] = [_one(opened, folder, quiet) for folder in waiting(opened)]
    with Ledger.open(opened.ledger_url, Clock()) as ledger:
        due = sweep.due(opened, ledger)
        sweep.age(ledger)
    summary["batches"] += [_again(opened, batch, quiet) for batch in due]
    sweep.forsaken(opened, Clock())
    summary["recalls"] = _recalls(opened)
    summary["checkpoint"] = _checkpoint(opened)
    _keep(opened, summary)
    return summary


def _one(home: Home, folder: Path, quiet: bool) -> tuple[str, str | None, str, list[str]]:
    """One submission, whatever becomes of it: (folder, batch, state, codes)."""
    try:
        with Ledger.open(home.ledger_url, Clock()) as ledger:
            batch = receive(home, ledger, Clock(), folder)
        return folder.name, *_again(home, batch, quiet)[1:]
    except SluicegateError as error:
        return folder.name, None, "unreadable" if error.exit_code == 5 else "failed", [error.code]
    except Exception as error:  # whatever it is, the next submission goes on
        return folder.name, None, "failed", [type(error).__name__]


def _again(home: Home, batch: str, quiet: bool) -> tuple[str, str | None, str, list[str]]:
    """One batch, as far as it goes: ("", batch, state, codes)."""
    batch_flow(batch, str(home.root), quiet=quiet, return_state=True)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        record = ledger.batch(batch)
    assert record is not None
    return "", batch, record.state.value, list(record.codes)


def _checkpoint(home: Home) -> str:
    """Signs what the chain is now; gives the checkpoint's name, or FAILED and why."""
    try:
        with Ledger.open(home.ledger_url, Clock()) as ledger:
            return checkpoints.write(home, ledger).stem
    except SluicegateError as error:
        return f"FAILED: {error.code}"


def _recalls(home: Home) -> list[dict[str, Any]]:
    """What of the open recalls is due soon or has passed; what could not be looked at is due too."""
    try:
        return look(home, Clock())
    except SluicegateError as error:
        return [{"case": "unknown", "deadline": "all", "status": error.code, "at": None}]


def _keep(home: Home, summary: dict[str, Any]) -> None:
    folder = home.root / "nightly"
    folder.mkdir(exist_ok=True, mode=0o700)
    name = summary["at"].replace(":", "").replace("+0000", "Z")
    (folder / f"{name}.json").write_text(json.dumps(summary, indent=1))
    rows = [{"batch": b or "-", "state": s, "codes": ", ".join(c)} for _, b, s, c in summary["batches"]]
    create_table_artifact(key="nightly", table=rows, description=_described(summary))


def _described(summary: dict[str, Any]) -> str:
    due = [f"{d['case']}: {d['deadline']} {d['status']}" for d in summary["recalls"]]
    return "; ".join([f"gate self-test: {summary['selftest']}", *due])


def run_nightly(home: Home, *, quiet: bool) -> dict[str, Any]:
    """Runs the flow in this process; returns its summary."""
    ended = cast(Any, nightly)(str(home.root), quiet=quiet, return_state=True).result(raise_on_failure=False)
    if isinstance(ended, BaseException):
        raise ended
    summary: dict[str, Any] = ended
    return summary


def exit_code(summary: dict[str, Any]) -> int:
    """0 if all was done; 1 if a gate or the system failed; 3 if something waits for people, was refused or unreadable, or a
    recall has a deadline that has passed or soon will."""
    codes = {EXIT_CODES.get(State(state), Fault.exit_code) for _, _, state, _ in summary["batches"]}
    if summary["selftest"] != PASSED or Fault.exit_code in codes or summary.get("checkpoint", "").startswith("FAILED"):
        return Fault.exit_code
    return DONE if codes <= {DONE} and not summary["recalls"] else HELD
