"""Pages to look at: what waits, batches, checkpoints, the numbers of rows. Each look is counted in the audit log."""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, TypeVar

import duckdb
from starlette.responses import Response, StreamingResponse

from expectations.base.errors import Usage
from flows.console import batch as batches
from flows.console import checkpoint as checkpoints
from flows.console import kept, notices, queue, reader
from flows.console.kept import Kept
from flows.console.rows import Ended, Rows
from flows.console.web.problems import Problem
from flows.console.web.visit import Visit
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import Decision
from flows.ledger.entrance import seen
from flows.ledger.facts import NAME, Page
from flows.ledger.lifecycles.states import Checkpoint
from flows.ledger.roles import Act, may
from flows.reports import notes

T = TypeVar("T")
_PART, _DAYS = 64 * 1024, timedelta(days=7)


def waiting(visit: Visit) -> Response:
    """The first page."""
    visit.look(Page.QUEUE)
    try:
        wanted = queue.asked(visit.request.query_params)
    except Usage:
        raise Problem(404) from None
    console = visit.console
    # an event that changes anything makes it anew at once; what lies in the inbox shows a moment later
    key = (console.ledger.newest_change(), *wanted.values())
    given = console.fresh.get(key, lambda: queue.queue(console.home, console.ledger, **wanted))
    operator = visit.signed_in.operator
    mine = reader.for_reader(console.ledger, given, operator, visit.roles, seen.until(console.ledger, operator))
    mine["news"] = console.fresh.get(("news", visit.signed_in.id), lambda: _news(visit))
    return visit.page("queue.html", made=given["now"], viewed=_viewed(visit, key[0]), **mine)


def _news(visit: Visit) -> dict[str, Any]:
    """What happened to the account of whoever looks, since they came in before."""
    console = visit.console
    return notices.told(console.ledger, visit.signed_in, console.entrance.limits.idle)


def _viewed(visit: Visit, newest: int) -> tuple[int, int] | None:
    """How often values were looked at in the last days, and by how many; for those whose roles ask."""
    ledger = visit.console.ledger
    if not may(visit.roles, Act.VIEWS):
        return None
    since = ledger.clock.machine() - _DAYS
    return visit.console.fresh.get(("viewed", newest), lambda: ledger.viewed_since(since))


def batch(visit: Visit) -> Response:
    """The page of a batch."""
    name = one_batch(visit).name
    visit.look(Page.BATCH, name)
    console = visit.console
    given = twice(lambda: batches.batch(console.home, console.ledger, one_batch(visit)))
    may_read, deciders = may(visit.roles, Act.VIEW_REQUEST), console.ledger.deciders(name)
    given |= {"may_read": may_read, "deciders": deciders, "barred": _barred(visit, deciders)}
    return visit.page("batch.html", made=console.ledger.clock.machine(), **given)


def _barred(visit: Visit, deciders: Mapping[Decision, Collection[str]]) -> list[Decision]:
    return reader.barred(deciders, visit.signed_in.operator, visit.roles)


def reasons(visit: Visit) -> Response:
    """What was written on a batch about why somebody decided, for whom the audit log names first."""
    return _reasons(visit, one_batch(visit).name)


def other_reasons(visit: Visit) -> Response:
    """What was written on halts, and on what else is no batch."""
    return _reasons(visit, None)


def _reasons(visit: Visit, batch: str | None) -> Response:
    console = visit.console
    found = notes.read(console.home, console.ledger, batch, visit.signed_in.operator)
    return visit.page("reasons.html", made=console.ledger.clock.machine(), batch=batch, notes=found)


def checkpoint(visit: Visit) -> Response:
    """The page of a checkpoint that a batch has reached."""
    name, _found = _checkpoint(visit)
    number = _page(visit)
    visit.look(Page.CHECKPOINT, name.name)
    console = visit.console

    def given() -> dict[str, Any]:
        return checkpoints.checkpoint(console.home, console.ledger, *_checkpoint(visit), number)

    shown = twice(given)
    if number > max(shown["pages"], 1):
        raise Problem(404)
    shown |= {"barred": _barred(visit, shown["deciders"]), "lacking": reader.lacking(visit.roles)}
    return visit.page("checkpoint.html", made=console.ledger.clock.machine(), **shown)


def rows(visit: Visit) -> Response:
    """The numbers and codes of the rows that go no further, as CSV."""
    record, found = _checkpoint(visit)
    file = visit.console.downloads.opened(
        visit.signed_in.operator, lambda: twice(lambda: _written(visit, record, found))
    )
    visit.look(Page.ROWS, record.name)
    name = f"{record.name}-{found.checkpoint}-rows.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_parts(file), media_type="text/csv", headers=disposition)


def _written(visit: Visit, record: BatchRecord, found: Kept) -> IO[bytes]:
    """An open file that has no name any more: nothing stays, however the answer ends."""
    chosen = Rows(visit.console.home, record.name, found.checkpoint)
    if not found.failed or not chosen.page(1)[0]:
        raise Problem(404)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        chosen.write(path)
        return path.open("rb")


def _page(visit: Visit) -> int:
    """Which page of the rows is asked for; raises Problem for what is no number of one."""
    said = visit.request.query_params.get("page", "1")
    if not (said.isascii() and said.isdigit() and len(said) < 8 and int(said)):
        raise Problem(404)
    return int(said)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part


def twice(made: Callable[[], T]) -> T:
    """What `made` gives; once more if the batch ended meanwhile and its rows were deleted: now nothing reads them."""
    try:
        return made()
    except (duckdb.IOException, Ended):
        return made()


def one_batch(visit: Visit) -> BatchRecord:
    """The batch that the URL names; raises Problem if there is none."""
    name = visit.path("batch")
    found = visit.console.ledger.batch(name) if NAME.fullmatch(name) else None
    if found is None:
        raise Problem(404)
    return found


def _checkpoint(visit: Visit) -> tuple[BatchRecord, Kept]:
    """The batch, and what is kept of the checkpoint that the URL names; raises Problem if there is nothing."""
    record, which = one_batch(visit), visit.path("checkpoint")
    if which not in set(Checkpoint):
        raise Problem(404)
    found = kept.reached(visit.console.home, record.name).get(Checkpoint(which))
    if found is None:
        raise Problem(404)
    return record, found
