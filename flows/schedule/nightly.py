"""The nightly run that nobody watches: gates first, then every submission in the inbox that is not done, then what
waited too long or did not end cleanly; a signed head of the audit log; one summary. A held, refused or unreadable batch
stops nothing but itself. If a gate let its known-bad batch pass, nothing runs at all."""

import json
from pathlib import Path
from typing import Any, cast

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.states import Failed

from expectations.base.errors import DONE, HELD, BadInput, Fault, SluicegateError
from expectations.suites.selftest import selftest
from flows.audit import signed_heads
from flows.batch.receive import receive
from flows.batch.unreadable import put_aside, shown_name
from flows.cases.watching import deadlines_due
from flows.home import keys
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.registry import compliance
from flows.schedule import sweep
from flows.schedule.batch import batch_flow
from flows.schedule.inbox import waiting
from flows.schedule.run import EXIT_CODES
from pipelines.lake import durable

PASSED, FAILED = "passed", "FAILED: nothing was run"


@task(name="gate self-test", persist_result=False)
def gates_fail_as_they_must() -> bool:
    """Every rule of every suite fails on its known-bad batch."""
    results = selftest()
    return bool(results) and all(proof.can_fail for proof in results)


@flow(name="nightly", persist_result=False, validate_parameters=False)
def nightly(home: str | None = None, quiet: bool = False) -> Any:
    """Runs what lies in the inbox of `home` (SLUICEGATE_HOME if left out); returns the summary, which is stored too."""
    opened = open_home(Path(home) if home else None)
    with Ledger.open(opened.ledger_url, opened.clock()) as ledger:
        now = ledger.clock.now().isoformat(timespec="seconds")
        keys.prove(opened, ledger)
    summary: dict[str, Any] = {"at": now, "selftest": PASSED, "batches": [], "recalls": [], "orders": []}
    proven = gates_fail_as_they_must(return_state=True)
    if not (proven.is_completed() and proven.result() is True):
        summary["selftest"] = FAILED
        _store(opened, summary)
        return Failed(name="Gates", message="a gate let its known-bad batch pass: nothing was run", data=summary)
    with Ledger.open(opened.ledger_url, opened.clock()) as ledger:
        summary["batches"] = [_submission(opened, ledger, folder, quiet) for folder in waiting(opened)]
        summary["batches"] += [_batch(opened, ledger, batch, quiet) for batch in sweep.due(opened, ledger)]
        sweep.age_tries(ledger)
        sweep.delete_abandoned(opened, ledger.clock)
        ledger.tick()
        summary["recalls"] = _recalls(opened)
        summary["orders"] = _orders(opened, ledger)
        summary["signed_head"] = _signed_head(opened, ledger)
    _store(opened, summary)
    return summary


def _submission(home: Home, ledger: Ledger, folder: Path, quiet: bool) -> tuple[str, str | None, str, list[str]]:
    """One submission, whatever becomes of it: (folder, batch, state, codes)."""
    name = shown_name(folder)
    try:
        ended = _batch(home, ledger, receive(home, ledger, ledger.clock, folder), quiet)
        if ended[2] == State.UNREADABLE:
            put_aside(home, folder)
        return name, *ended[1:]
    except SluicegateError as error:
        unreadable = isinstance(error, BadInput)
        return name, None, State.UNREADABLE.value if unreadable else State.FAILED.value, [error.code]
    except Exception as error:  # whatever it is, the next submission goes on
        return name, None, State.FAILED.value, [type(error).__name__]


def _batch(home: Home, ledger: Ledger, batch: str, quiet: bool) -> tuple[str, str | None, str, list[str]]:
    """One batch, run until it is released, held or refused: ("", batch, state, codes)."""
    batch_flow(batch, str(home.root), quiet=quiet, return_state=True)
    record = ledger.known_batch(batch)
    return "", batch, record.state.value, list(record.codes)


def _signed_head(home: Home, ledger: Ledger) -> str:
    """Signs what the audit log is now; gives the name of the signed head, or FAILED and why."""
    try:
        return signed_heads.write(home, ledger).stem
    except SluicegateError as error:
        return f"FAILED: {error.code}"


def _recalls(home: Home) -> list[dict[str, Any]]:
    """What of the open recalls is due soon or has passed; recalls that cannot be read count as due too."""
    try:
        return deadlines_due(home, home.clock())
    except SluicegateError as error:
        return [{"case": "unknown", "deadline": "all", "status": error.code, "at": None}]


def _orders(home: Home, ledger: Ledger) -> list[dict[str, Any]]:
    """Orders whose compliance is to be confirmed soon, or was to be; what cannot be read counts as due too."""
    try:
        return compliance.due(ledger, home.config.alert_hours)
    except SluicegateError as error:
        return [{"order": "unknown", "confirm_by": None, "status": error.code}]


def _store(home: Home, summary: dict[str, Any]) -> None:
    folder = home.root / "nightly"
    folder.mkdir(exist_ok=True, mode=0o700)
    name = summary["at"].replace(":", "").replace("+0000", "Z")
    durable.write(folder / f"{name}.json", json.dumps(summary, indent=1).encode())
    rows = [{"batch": b or "-", "state": s, "codes": ", ".join(c)} for _, b, s, c in summary["batches"]]
    due = [f"{d['case']}: {d['deadline']} {d['status']}" for d in summary["recalls"]]
    due += [f"{d['order']}: confirmation by {d['confirm_by']} {d['status']}" for d in summary["orders"]]
    description = "; ".join([f"gate self-test: {summary['selftest']}", *due])
    create_table_artifact(key="nightly", table=rows, description=description)


def run_nightly(home: Home, *, quiet: bool) -> dict[str, Any]:
    """Runs the flow in this process; returns its summary."""
    ended = cast(Any, nightly)(str(home.root), quiet=quiet, return_state=True).result(raise_on_failure=False)
    if isinstance(ended, BaseException):
        raise ended
    return cast(dict[str, Any], ended)


def exit_code(summary: dict[str, Any]) -> int:
    """0 if all was done; 1 if a gate or the system failed; 3 if something waits for people, was refused or unreadable,
    or a recall, or the confirmation of compliance with an order, has a deadline that has passed or soon will."""
    codes = {EXIT_CODES[State(state)] for _, _, state, _ in summary["batches"]}
    if summary["selftest"] != PASSED or Fault.exit_code in codes or summary.get("signed_head", "").startswith("FAILED"):
        return Fault.exit_code
    return DONE if codes <= {DONE} and not summary["recalls"] and not summary.get("orders") else HELD
