"""The pages of recalls: all cases, the most urgent first; a case with its steps, its deadlines and what to do next."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from expectations.base.total import total
from flows.cases import Step, deadlines, documents, lookbacks, watching
from flows.cases.deadlines import Due
from flows.cases.steps import steps_from
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.lifecycles.cases import KEYS_NEEDED, CaseState, Proof


@dataclass(frozen=True)
class Words:
    """What a step is, in plain words. `takes`: the file that it rests on; `form`: the name of its blank form; `counts`:
    what each number is that is counted in the file (`flows.cases.steps.Proposed`)."""

    title: str
    does: str
    takes: str = ""
    form: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)


_DISPOSED = {"copies": "Copies on the list", "disposed": "Of these, destroyed or returned so far, with this log"}
WORDS: Mapping[Step, Words] = total(
    Step,
    {
        Step.FROZEN: Words("Freeze", "Opening was interrupted: put the recall list into the outbox."),
        Step.NOTIFIED: Words(
            "Record who was notified",
            "The recipient, the inspector general and the safeguards office know: send them the incident report and the"
            " freeze notice first.",
            "The receipts of both, in one file of any format.",
        ),
        Step.PERSONS: Words(
            "Record the notice to the persons concerned",
            "It is known who notifies the persons whose rows are recalled, and when; or that nobody need be notified.",
            "The record of notice.",
            documents.PERSONS,
            {
                "rows": "Recalled rows",
                "notified": "Of these, rows whose persons were notified; of the rest no notice is due",
            },
        ),
        Step.COPIES: Words(
            "Record the recipient's copies",
            "The recipient has listed all its copies, and what it derived from them.",
            "Its list of copies. A copy that was listed before stays on the list.",
            documents.COPIES,
            {
                "copies": "Copies on the list, those of an earlier list too",
                "rows": "Recalled rows in them, each counted once for each copy that has it",
                "derived": "Copies that were made from another copy",
            },
        ),
        Step.DISPOSED: Words(
            "Record what was destroyed",
            "The recipient has destroyed copies. The case goes on once every copy is covered.",
            "Its disposal log.",
            documents.DISPOSALS,
            _DISPOSED,
        ),
        Step.RETURNED: Words(
            "Record what was returned",
            "The recipient has returned copies, under receipt. The case goes on once every copy is covered.",
            "Its log of returns, which holds nothing else.",
            documents.DISPOSALS,
            _DISPOSED,
        ),
        Step.ATTESTED: Words(
            "Record the attestation",
            "The recipient has signed that nothing is left. Its signature counts, and nobody here signs this.",
            f"The file {ATTESTATION}.sig, as the recipient made it of {ATTESTATION}.",
        ),
        Step.CLOSED: Words("Close the case", "Two operators have gone through the case, and it is at its end."),
    },
)
NEXT: Mapping[CaseState, str] = total(
    CaseState,
    {
        CaseState.FOUND: "The rows are found, and nothing is frozen yet: do it now.",
        CaseState.FROZEN: "Send the incident report and the freeze notice, then record their receipts.",
        CaseState.NOTIFIED: "Wait for the recipient's list of copies, then record it.",
        CaseState.ENUMERATED: "Send the newest notice; then record the recipient's logs.",
        CaseState.DISPOSED: f"Send {ATTESTATION}; then record the recipient's signature.",
        CaseState.RETURNED: f"Send {ATTESTATION}; then record the recipient's signature.",
        CaseState.ATTESTED: "Two operators go through the case, and close it.",
        CaseState.CLOSED: "Nothing: the case is closed.",
    },
)
_LOOKBACKS = 20  # the newest are shown
_WAY = [state for state in CaseState if state is not CaseState.RETURNED]


def plain(state: CaseState) -> str:
    """A state in words."""
    return state.replace("_", " ")


def at_newest(home: Home, ledger: Ledger) -> tuple[datetime, Ledger]:
    """The time, and the ledger at it: that of the newest event where this machine's clock is wrong, since whoever looks
    must see what is due."""
    now = ledger.time_now().shown
    return now, ledger.at(replace(home.clock(), fixed=now, pretended=True))


def recalls(home: Home, ledger: Ledger, operator: str) -> dict[str, Any]:
    """What the template `recalls.html` names."""
    now, then = at_newest(home, ledger)
    found = _short(then, ledger.cases(), now, operator)
    never = datetime.max.replace(tzinfo=now.tzinfo)
    found.sort(key=lambda one: (one["case"].state is CaseState.CLOSED, one["first"] or never))
    still = sum(one["case"].state is not CaseState.CLOSED for one in found)
    return {"cases": found, "open": still, "lookbacks": lookbacks.newest(home, _LOOKBACKS)}


def case(home: Home, ledger: Ledger, id: str, operator: str) -> dict[str, Any]:
    """What the template `recall.html` names; raises Usage if there is no case of this name."""
    now, then = at_newest(home, ledger)
    found, shown = ledger.case(id), watching.one(home, then, id)
    open_now = steps_from(found.state)
    return {
        **_short(then, [found], now, operator)[0],
        "way": _way(found),
        "why": documents.HOW[found.reason],
        "documents": [{**one, "given": one["name"] != documents.AFFECTED} for one in shown["documents"]],
        "steps": found.steps,
        "words": {step: WORDS[step] for step in open_now},
        "notices": [one for one in ledger.corrections() if one.agreement == found.agreement],
    }


def _short(ledger: Ledger, cases: Sequence[CaseRecord], now: datetime, operator: str) -> list[dict[str, Any]]:
    signers, every = ledger.signers(), zip(cases, deadlines.of_cases(ledger, cases), strict=True)
    return [_one(case, [_due(d, now) for d in dues], signers.get(case.id, ()), operator) for case, dues in every]


def _one(case: CaseRecord, dues: list[dict[str, Any]], signed: Collection[str], operator: str) -> dict[str, Any]:
    waits = [one["due"].at for one in dues if one["status"] in ("open", "passed")]
    return {
        "case": case,
        "deadlines": dues,
        "first": min(waits, default=None),
        "late": any(one["status"] == "passed" for one in dues),
        "next": NEXT[case.state],
        "signed": len(signed),
        "mine": operator in signed,
        "needed": KEYS_NEEDED[Proof.REVIEW],
    }


def _due(due: Due, now: datetime) -> dict[str, Any]:
    hours = None if due.at is None or due.met else int((due.at - now).total_seconds() // 3600)
    return {"due": due, "status": due.status(now), "hours": hours}


def _way(case: CaseRecord) -> list[dict[str, Any]]:
    """The states on its way, and when each was reached; returned takes the place of disposed."""
    reached = case.reached()
    way = [CaseState.RETURNED if s is CaseState.DISPOSED and CaseState.RETURNED in reached else s for s in _WAY]
    return [{"state": state, "at": reached.get(state), "now": state is case.state} for state in way]
