"""A recall is opened from the page of a batch: first what would be frozen, then it is frozen at once. Nobody signs
that: to freeze is always safe. The same rows are the same case, however often the form is sent."""

import re
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from expectations.base.errors import BadInput, Usage
from flows.cases import documents, opening
from flows.cases.opening import Chosen
from flows.console.web.problems import Problem
from flows.console.web.recalls import LARGEST, at
from flows.console.web.sign import refused
from flows.console.web.visit import Visit
from flows.ledger.core import BatchRecord
from flows.ledger.facts import NAME
from flows.ledger.lifecycles.cases import CaseReason
from flows.ledger.lifecycles.states import State

_MOST_ROWS = 5_000
TIME = "%Y-%m-%dT%H:%M"
_LINES = re.compile(r"[\s,;]+")


def page(visit: Visit) -> Response:
    """The form: why, which rows, and since when it is known."""
    return _form(visit, _batch(visit))


def recall(visit: Visit) -> Response:
    """Shows what would be frozen; once that was looked at (`sure`), opens the case."""
    record = _batch(visit)
    if record.state is not State.PUBLISHED:
        return _form(visit, record)
    reason, console = reason_of(visit), visit.console
    try:
        chosen, found_at = _chosen(visit, record), discovered(visit)
        if visit.form.get("sure") != "yes":
            return _foreseen(visit, record, chosen, (reason, found_at))
        operator = visit.signed_in.operator
        opened = opening.open_cases(console.home, console.ledger.clock, chosen, reason, operator, found_at)
    except BadInput as error:
        where = f" ({error.where})" if error.where else ""
        return _form(visit, record, f"{error.message}{where}. {error.remedy}")
    except Usage as error:
        return refused(visit, error, "/recalls")
    return visit.to(at(opened[0].id))


def _foreseen(visit: Visit, record: BatchRecord, chosen: Chosen, why: tuple[CaseReason, datetime]) -> Response:
    console, (reason, found_at) = visit.console, why
    (found,) = opening.foresee(console.home, console.ledger.clock, chosen, found_at)
    return visit.page(
        "recall-sure.html",
        made=console.ledger.clock.machine(),
        record=record,
        found=found,
        reason=reason,
        why=documents.HOW[reason],
        which=visit.form["which"],
        found_at=found_at,
        discovered=found_at.strftime(TIME),
        rows="\n".join(chosen.rows) if isinstance(chosen.rows, tuple) else "",
        contact=console.home.config.contact,
    )


def _form(visit: Visit, record: BatchRecord, wrong: str = "") -> Response:
    if record.state is not State.PUBLISHED:
        what = "nothing of this batch was disclosed: there is nothing to recall"
        return refused(visit, Usage("NOT_PUBLISHED", what), f"/batches/{record.name}")
    now, outcomes = visit.console.ledger.clock.machine(), visit.console.ledger.accounted(record.name) or {}
    given: dict[str, Any] = {"record": record, "reasons": documents.HOW, "wrong": wrong, "most": _MOST_ROWS}
    given |= {"released": outcomes.get("outcomes", {}).get("released"), "now": now.strftime(TIME)}
    return visit.page("recall-open.html", 422 if wrong else 200, made=now, mebibytes=LARGEST >> 20, **given)


def _chosen(visit: Visit, record: BatchRecord) -> Chosen:
    """Which rows were named; what is no number is found where files of rows are read, and never shown."""
    which = visit.form.get("which")
    if which not in ("all", "these"):
        raise Problem(400)
    if which == "all":
        return Chosen(record.name)
    try:
        text = visit.form.get("rows", "") + "\n" + visit.file.decode("ascii")
    except UnicodeDecodeError:
        remedy = "Give a text file with the number of a row in each line."
        raise BadInput("ORDINAL_UNREADABLE", "the file has something else than numbers", remedy=remedy) from None
    rows = tuple(one for one in _LINES.split(text) if one)
    if not rows or len(rows) > _MOST_ROWS:
        what = f"name 1 to {_MOST_ROWS:,} rows, or every row"
        raise BadInput("WHICH_ROWS", what, remedy="More rows are recalled by command: sluicegate recall open.")
    return Chosen(record.name, rows)


def discovered(visit: Visit) -> datetime:
    """Since when it is known, as the form says; raises BadInput for what is no time."""
    try:
        return datetime.strptime(visit.form.get("discovered", ""), TIME).replace(tzinfo=UTC)
    except ValueError:
        what = "the time of discovery is no time"
        raise BadInput("NO_TIME", what, remedy="Write it as YYYY-MM-DDTHH:MM, in UTC.") from None


def reason_of(visit: Visit) -> CaseReason:
    """Why, as the form says; raises Problem for what it does not offer."""
    try:
        return CaseReason(visit.form.get("reason", ""))
    except ValueError:
        raise Problem(400) from None


def _batch(visit: Visit) -> BatchRecord:
    name = visit.path("batch")
    found = visit.console.ledger.batch(name) if NAME.fullmatch(name) else None
    if found is None:
        raise Problem(404)
    return found
