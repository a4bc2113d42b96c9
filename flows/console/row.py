"""The page of one row: how it ended, the rules that it failed first, why it was matched or not, and what each
checkpoint said of it. Codes, tiers and counts; its values are shown to who asks for them, and says why (`web.rows`)."""

from collections.abc import Iterator, Mapping
from typing import Any

from expectations.base.errors import Usage
from expectations.base.places import MISSING
from expectations.base.total import total
from expectations.code import CodePhase
from expectations.codes import CODES, NOT_CONFIRMED
from expectations.contracts.lists import Outcome
from expectations.rules.book import every_rule, register_rules, request_rules
from flows.console import kept
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import FINAL, Checkpoint, State
from flows.replay import judged
from flows.replay.judged import Judged

# Who sees to a code of each phase; what the requester can do stands after it.
_SEES_TO: Mapping[CodePhase, str] = total(
    CodePhase,
    {
        **dict.fromkeys((CodePhase.SUBMISSION, CodePhase.READ, CodePhase.REQUEST), "the requester"),
        CodePhase.REGISTER: f"nobody here: the requester reads {NOT_CONFIRMED}",
        CodePhase.BATCH: "operators, on the batch's page",
    },
)
_RULE_OF = {rule.code: rule.id for rule in every_rule()}


def row(home: Home, ledger: Ledger, record: BatchRecord, number: int) -> dict[str, Any]:
    """What the template `row.html` names. Raises Usage if the batch has no such row; where nothing is kept of how it
    was judged, the page says why."""
    given: dict[str, Any] = {"record": record, "number": number, "found": None, "gone": None}
    try:
        found = judged.row(home, ledger, record, number)
    except Usage as error:
        if error.code in ("NO_SUCH_ROW", MISSING) or not 0 <= number < record.rows:
            raise
        return {**given, "gone": error, "end": _stopped(record)}
    reached = kept.reached(home, record.name)
    intake = reached.get(Checkpoint.INTAKE)
    statute = intake.letter.statute if intake and intake.letter else None
    return {
        **given,
        "found": found,
        "end": _end(record, found),
        "left": ledger.ended_at(record.name) if _left(record, found) else None,
        "failed": [_code(one) for one in sorted(found.codes, key=_order)],
        "passed": list(_passed(found, statute)),
        "said": [(which, reached.get(which), which in reached, _said(which, record, found)) for which in Checkpoint],
    }


def _left(record: BatchRecord, found: Judged) -> bool:
    return record.state is State.PUBLISHED and found.outcome is Outcome.RELEASED


def _end(record: BatchRecord, found: Judged) -> str:
    """How it ended, in a sentence."""
    if _left(record, found):
        return "It left, in the batch's package."
    if record.state is State.PUBLISHED and found.outcome:
        return f"It did not leave: {_words(found.outcome)}."
    return _stopped(record)


def _stopped(record: BatchRecord) -> str:
    if record.state is State.PUBLISHED:
        return "The batch was published; whether this row left is in its accounting."
    if record.state in FINAL:
        return f"It did not leave: the batch is {record.state}."
    return f"It has not left: the batch is {record.state}."


def _code(name: str) -> dict[str, Any]:
    code = CODES[name]
    return {"code": code, "rule": _RULE_OF.get(name, ""), "sees_to": _SEES_TO[code.phase]}


def _order(name: str) -> tuple[int, str]:
    """Rules first, in the order of their phases."""
    return name not in _RULE_OF, f"{list(CodePhase).index(CODES[name].phase)} {name}"


def _passed(found: Judged, statute: str | None) -> Iterator[str]:
    """Rules that judged the row, and that it met. `statute`: what the letter says; its own rules judged it, too."""
    asked = () if found.screened is Outcome.REJECTED else request_rules(statute or "")
    on_file = register_rules() if found.verdict else ()
    yield from (rule.id for rule in (*asked, *on_file) if rule.code not in found.codes)


def _said(which: Checkpoint, record: BatchRecord, found: Judged) -> str:
    """What a checkpoint, or the stage before it, said of this row."""
    match which:
        case Checkpoint.INTAKE:
            return f"goes no further: {_words(found.screened)}" if found.screened else "passed on"
        case Checkpoint.MATCHING:
            return _matched(found)
        case Checkpoint.ELIGIBILITY:
            return _eligible(found)
        case Checkpoint.DISCLOSURE:
            return _disclosed(record, found)


def _matched(found: Judged) -> str:
    if found.screened:
        return "not looked up"
    if found.match is None:
        return "not looked up yet"
    return _words(found.match.outcome) if found.match.outcome else f"one candidate, tier {found.match.tier}"


def _eligible(found: Judged) -> str:
    if found.verdict is None:
        return "not asked"
    return _words(found.verdict.outcome) if found.verdict.outcome else "eligible"


def _disclosed(record: BatchRecord, found: Judged) -> str:
    if _left(record, found):
        return "in the package"
    return "not in a package"


def _words(outcome: Outcome) -> str:
    return outcome.replace("_", " ")
