"""What is due from time to time beside the nights, each a flow of its own for a schedule (infra/prefect.yaml)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from prefect import flow
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.suites.selftest import selftest
from flows.audit import signed_heads
from flows.cases import watching
from flows.home import registers
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.operations import kept
from flows.operations.progress import Reporter
from flows.schedule.retries import PARTS, Part
from flows.schedule.tasks import as_task

Result = TypeVar("Result")


def _part(part: Part, work: Callable[[], Result]) -> Result:
    return as_task(part.value, work, PARTS[part])


@contextmanager
def _opened(home: str | None) -> Iterator[tuple[Home, Ledger]]:
    opened = open_home(Path(home) if home else None)
    with Ledger.open(opened.ledger_url, opened.clock()) as ledger:
        yield opened, ledger


@flow(name="gates", persist_result=False, validate_parameters=False)
def gates_flow() -> PrefectState:
    """Every rule of every suite fails on its known-bad batch, or this fails."""
    proofs = _part(Part.GATES, selftest)
    blind = [f"{proof.suite} {proof.rule}" for proof in proofs if not proof.can_fail]
    if blind or not proofs:
        return Failed(name="Gates", message=f"not caught: {', '.join(blind) or 'nothing was proven'}")
    return Completed(message=f"{len(proofs)} rules can fail")


@flow(name="register refresh", persist_result=False, validate_parameters=False)
def register_flow(home: str | None = None) -> PrefectState:
    """Prepares the register's newest extract, so that no batch has to wait for it."""
    with _opened(home) as (opened, _), Reporter(quiet=True) as progress:
        prepared = _part(Part.REGISTER, lambda: registers.current_register(opened, progress))
    return Completed(message=prepared.name)


@flow(name="recall watch", persist_result=False, validate_parameters=False)
def recalls_flow(home: str | None = None) -> PrefectState:
    """Issues the notices that are due, and ends as `Due` if a deadline of a recall has passed or soon will."""
    with _opened(home) as (opened, ledger):
        _part(Part.RECALLS, lambda: watching.issue_notices(opened, ledger.clock))
        due = watching.deadlines_due(opened, ledger)
    if not due:
        return Completed(message="no deadline is near")
    return Failed(name="Due", message="; ".join(f"{one['case']}: {one['deadline']} {one['status']}" for one in due))


@flow(name="signed head", persist_result=False, validate_parameters=False)
def signed_head_flow(home: str | None = None) -> PrefectState:
    """Signs what the audit log is now."""
    with _opened(home) as (opened, ledger):
        return Completed(message=_part(Part.SIGNED_HEAD, lambda: signed_heads.write(opened, ledger).stem))


@flow(name="backup", persist_result=False, validate_parameters=False)
def backup_flow(home: str | None = None) -> PrefectState:
    """Makes a backup in the folder that backups.folder of sluicegate.toml names; without one, none is made."""
    with _opened(home) as (opened, ledger):
        if opened.config.backups.folder is None:
            return Completed(name="NoFolder", message="backups.folder of sluicegate.toml names none: no backup is made")
        made = _part(Part.BACKUP, lambda: kept.take(opened, ledger))
    if made.manifest.differs:
        count = len(made.manifest.differs)
        message = f"files in it that are not what the ledger says: {count}; see sluicegate ledger verify"
        return Failed(name="Differs", message=message)
    return Completed(message=f"made {made.manifest.at}, {made.bytes:,} bytes")
