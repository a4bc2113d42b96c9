"""Who may not decide on a batch, where its agreement says so: whoever took it in by hand, and whoever signed the
enrolment of what it rests on.

That is the agreement, as it was at receipt and as it is now, if either version says so; the orders that stood against
it at receipt; and the determinations that clear it. Nobody is barred by what stands for other agreements.
"""

import json
from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expectations.base.errors import Usage
from expectations.instruments import Agreement, CourtOrder, Determination, Instrument, parse_enrolled
from expectations.instruments.standing import against
from flows.ledger.database.models import Batch, Enrolled, Operator, Signature
from flows.ledger.events.base import is_unknown
from flows.ledger.roles import Act, may
from flows.ledger.signing import KEYS_NEEDED, roles_of


def barred(session: Session, batch: Batch) -> frozenset[str]:
    """The operators whom the agreement bars from deciding on this batch; nobody, unless it says so."""
    recorded = json.loads(batch.instruments)
    all_versions = session.scalars(select(Enrolled).where(Enrolled.id == batch.agreement).order_by(Enrolled.seq)).all()
    versions = [row for row in all_versions if row.digest == recorded.get(row.id) or row is all_versions[-1]]
    agreements = [one for row in versions if isinstance(one := _read(row), Agreement)]
    took = {batch.received_by} if batch.received_by and any(one.bars_receivers for one in agreements) else set()
    if not any(one.bars_enrollers for one in agreements):
        return frozenset(took)
    then = session.scalars(select(Enrolled).where(Enrolled.digest.in_(recorded.values()))).all()
    now = _newest(session)
    rests = [row for one in agreements for row in _stands(one, then, now, batch.decided_on)]
    return _signers(session, (*versions, *rests)) | took


def able(session: Session, act: Act, but: Collection[str]) -> tuple[str, ...]:
    """The operators, by name, whose roles allow this today, but for these."""
    rows = session.scalars(select(Operator).where(Operator.revoked_at.is_(None)).order_by(Operator.name))
    return tuple(row.name for row in rows if row.name not in but and may(roles_of(row), act))


def require_two(session: Session, agreement: Agreement, signers: Collection[str], today: date) -> None:
    """Raises Usage unless two operators remain who may decide under an agreement that these sign, if it bars anybody:
    whoever of them takes a batch in by hand."""
    but, whom = frozenset[str](), []
    if agreement.bars_enrollers:
        now = _newest(session)
        but, whom = _signers(session, _stands(agreement, now, now, today)) | set(signers), ["signed its instruments"]
    remain = len(able(session, Act.DROP, but))
    if agreement.bars_receivers:  # an approver may take batches in
        remain, whom = remain - 1, [*whom, "takes a batch in"]
    if whom and remain < KEYS_NEEDED:
        what = f"it bars whoever {' or '.join(whom)}, and fewer than two approvers would remain to decide"
        remedy = "Enrol another approver first, have others sign it, or leave out bars_enrollers or bars_receivers."
        raise Usage("NOBODY_TO_DECIDE", what, where=agreement.id, remedy=remedy)


def _stands(agreement: Agreement, then: Iterable[Enrolled], now: Iterable[Enrolled], day: date) -> list[Enrolled]:
    """The orders of `then` that stand against it on a day, and the determinations of `now` that clear it."""
    orders = {row.id: row for row in then if row.kind == "court_order"}
    read = (_read(row) for row in orders.values())
    standing = [orders[id] for id in against(agreement, (o for o in read if isinstance(o, CourtOrder)), day)]
    return [*standing, *(row for row in now if _clears(row, agreement, day))]


def _clears(row: Enrolled, agreement: Agreement, day: date) -> bool:
    made = _read(row)
    if not isinstance(made, Determination) or agreement.id not in made.agreements or not made.stands(day):
        return False
    return (day - made.determined_on).days <= agreement.thresholds.determination_days


def _read(row: Enrolled) -> Instrument | None:
    """The instrument; None where a chain is verified that was handed out without what it has by digest only: what
    cannot be read there is verified where it lies."""
    return None if is_unknown(row.body) else parse_enrolled(row.body, row.id)


def _newest(session: Session) -> list[Enrolled]:
    """The newest version of each instrument."""
    newest = select(func.max(Enrolled.seq)).group_by(Enrolled.id)
    return list(session.scalars(select(Enrolled).where(Enrolled.seq.in_(newest))))


def _signers(session: Session, rows: Iterable[Enrolled]) -> frozenset[str]:
    seqs = {row.seq for row in rows}
    return frozenset(session.scalars(select(Signature.signer).where(Signature.seq.in_(seqs))))
