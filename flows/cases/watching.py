"""Which deadlines of the open cases are near or have passed: for people who ask, and for the nightly run."""

from collections.abc import Mapping, Sequence
from typing import Any

from expectations.base.clock import Clock
from expectations.base.total import total
from flows.cases import advancing, deadlines, documents
from flows.cases.deadlines import Due
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.case_records import CaseRecord
from flows.ledger.lifecycles.cases import STEPS, CaseState

_DOCUMENT = ("name", "state", "digest", "lies there")
_GO = "sluicegate recall advance {}"
_NOTIFY = f"send incident_report.md and freeze_notice.md, then: {_GO} notified --file RECEIPTS --key KEY"
_ATTEST = f"send attestation.txt; then: {_GO} attested --file attestation.txt.sig"
_PERSONS = f"{_GO} persons --file RECORD --key KEY"
_NEXT: Mapping[CaseState, str] = total(
    CaseState,
    {
        CaseState.FOUND: f"{_GO} frozen",
        CaseState.FROZEN: _NOTIFY,
        CaseState.NOTIFIED: f"when the recipient has listed its copies: {_GO} copies --file COPIES --key KEY",
        CaseState.ENUMERATED: f"send the newest notice; then: {_GO} disposed|returned --file LOG --key KEY",
        CaseState.DISPOSED: _ATTEST,
        CaseState.RETURNED: _ATTEST,
        CaseState.ATTESTED: f"unless it is done: {_PERSONS}; then two operators: {_GO} closed --key KEY",
        CaseState.CLOSED: "nothing: the case is closed",
    },
)


def every(home: Home, ledger: Ledger) -> list[dict[str, Any]]:
    """Each case in short, with the deadlines that have passed or soon will."""
    cases = ledger.cases()
    return [{**_short(c), "due": [_due(d, ledger.clock) for d in due]} for c, due in _alarms(home, ledger, cases)]


def one(home: Home, ledger: Ledger, id: str) -> dict[str, Any]:
    """A case with its deadlines, steps and documents; raises Usage if there is none of this name."""
    case = ledger.case(id)
    dues = [_due(d, ledger.clock) for d in deadlines.of_cases(ledger, [case])[0]]
    signed = ledger.signers().get(id, [])
    return {
        **_short(case),
        "batches": dict(case.batches),
        "codes": dict(case.codes),
        "discovered": f"{case.discovered_at:%Y-%m-%dT%H:%MZ}",
        "deadlines": dues,
        "steps": [
            {
                "event": s.seq,
                "at": f"{s.at:%Y-%m-%dT%H:%M:%SZ}",
                "state": s.state.value,
                "proof": s.proof.value if s.proof else None,
                "rests_on": s.rests_on,
            }
            for s in case.steps
        ],
        "documents": [dict(zip(_DOCUMENT, d, strict=True)) for d in documents.check(home, case)],
        "signed": signed,
        "waits_for": [p.value for s, p in STEPS if s is case.state],
        "next": _NEXT[case.state].format(*[case.id] * 2),
    }


def deadlines_due(home: Home, ledger: Ledger) -> list[dict[str, Any]]:
    """Every deadline that has passed, or will within `alert_hours`."""
    alarms = _alarms(home, ledger, _open(ledger))
    return [{"case": c.id, **_due(d, ledger.clock)} for c, due in alarms for d in due]


def issue_notices(home: Home, clock: Clock) -> None:
    """Issues the notices that are due now, of every open case."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        cases = _open(ledger)
    for case in cases:
        advancing.issue(home, clock, case.id)


def _open(ledger: Ledger) -> list[CaseRecord]:
    return [case for case in ledger.cases() if case.state is not CaseState.CLOSED]


def _alarms(home: Home, ledger: Ledger, cases: Sequence[CaseRecord]) -> list[tuple[CaseRecord, list[Due]]]:
    now, hours = ledger.clock.now(), home.config.alert_hours
    every = zip(cases, deadlines.of_cases(ledger, cases), strict=True)
    return [(case, [d for d in dues if d.alarms(now, hours)]) for case, dues in every]


def _short(case: CaseRecord) -> dict[str, Any]:
    shown = ("state", "agreement", "requester", "reason", "rows")
    return {"case": case.id, **{name: getattr(case, name) for name in shown}}


def _due(due: Due, clock: Clock) -> dict[str, Any]:
    return {
        "deadline": due.name,
        "status": due.status(clock.now()),
        "at": f"{due.at:%Y-%m-%dT%H:%MZ}" if due.at else None,
        "waits_for": list(due.waits),
        "source": due.source,
    }
