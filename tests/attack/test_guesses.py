"""What a requester can confirm about one person by guessing is bounded, whatever it varies, in however many batches.

All strategies are played against one home, in batches that they share, each on persons of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from expectations.base.clock import Clock
from flows.batch.advance import advance
from flows.batch.law import READ, TRIED
from flows.batch.plan import PLAN, Step
from flows.ledger.lifecycles.states import State
from flows.replay.explain import explain
from flows.replay.opened import opened
from flows.replay.replay import replay
from flows.reports import status
from tests.factories import requesters, runs
from tests.factories.requesters import Requester, Row, person

pytestmark = pytest.mark.slow  # more than a minute: four batches of all strategies

# Persons by record id. 21 and 22 are father and son at one address; 7 and 8 have no TIN on file.
PEOPLE = {
    **{n: person(n) for n in range(1, 17)},
    2: person(2, unit="Apt 17"),
    7: person(7, tin=None),
    8: person(8, tin=None),
    12: person(12, first_name="William"),
    21: person(21),
    22: person(22, **{k: person(21)[k] for k in ("first_name", "last_name", "street", "city", "state", "zip")}),
}
Plan, Answers = list[list[Row]], dict[str, list[list[bool]]]  # the rows of each batch; whether each was released


def streets(row: Row, count: int) -> list[Row]:
    """The row at so many wrong addresses in its city."""
    return [{**row, "street": f"{3001 + 2 * n} Larkspur St"} for n in range(count)]


def tins(row: Row, count: int) -> list[Row]:
    return [{**row, "tin": f"{700 + n:03d}{11 + n:02d}{4000 + n:04d}"} for n in range(count)]


def units(row: Row, count: int) -> list[Row]:
    return [{**row, "unit": f"Apt {20 + n}"} for n in range(count)]


def births(row: Row, count: int) -> list[Row]:
    return [{**row, "birth_date": f"{1931 + n}-{1 + n % 12:02d}-{10 + n % 18}"} for n in range(count)]


def each(*rows: Row) -> Plan:
    """A batch for each of these rows."""
    return [[row] for row in rows]


def all_at_once(guesses: Callable[[Row, int], list[Row]], right: Row, count: int) -> Plan:
    """So many guesses with the right values among them; then the right ones alone."""
    some = guesses(right, count)
    return [[*some[:3], right, *some[3:]], [right]]


def right(n: int, **changes: str | None) -> Row:
    """A request for person `n` that must be released, unless `changes` spoil it."""
    return requesters.right(PEOPLE[n], **changes)


def attacks() -> dict[str, Plan]:
    """By what they try: at most four batches, of which the last three are received before any of them is run."""
    nickname, swapped = right(12, first_name="Bill", tin=None), right(13, tin=None)
    swapped |= {"first_name": swapped["last_name"], "last_name": swapped["first_name"]}
    married, mixed, date, street = right(14, last_name="Zimmerman"), right(6), right(3, tin=None), right(5, tin=None)
    others = [right(7, tin=tin) for tin in ("700114000", person(9)["tin"], "701124001", "702134002")]
    return {
        "streets for a name and birth date": all_at_once(streets, right(1, tin=None), 59),
        "units for a name and number": all_at_once(units, right(2, birth_date=None), 50),
        "birth dates at a known address": each(*births(date, 3), date),
        "numbers at a known address": all_at_once(tins, right(4, birth_date=None), 45),
        "the right street after three wrong ones": each(*streets(street, 3), street),
        "several values at once": [
            [*streets(mixed, 1), *births(mixed, 1), *tins(mixed, 1), mixed],
            [mixed, *streets(mixed, 1)],
            [mixed],
        ],
        # none is on file for the person: whether it is for somebody else shows, and is a try like any other
        "numbers that others may have": each(*others),
        "two numbers at a time": [[right(8, tin=f"71{n}114000"), right(8, tin=None)] for n in range(4)],
        "a nickname, at many streets": all_at_once(streets, nickname, 12),
        "names swapped, and many birth dates": all_at_once(births, swapped, 12),
        "a surname from before, and many numbers": all_at_once(tins, married, 12),
    }


@pytest.fixture(scope="module")
def requester(tmp_path_factory: pytest.TempPathFactory) -> Requester:
    return requesters.make(tmp_path_factory.mktemp("guesses"), PEOPLE)


@pytest.fixture(scope="module")
def answers(requester: Requester) -> Answers:
    refused(requester, [*streets(right(16), 4), right(16)])
    honest = {
        "father and son": [[right(21), right(22)]] * 4,
        "the same values again": each(*[right(9)] * 4),
        "a slip, then the right values": each(*streets(right(10), 1), right(10)),
        "two rows of one person": [[right(11), right(11)]],
        "what a refused batch tried": [[right(16)]],
    }
    return requester.send({**attacks(), **honest})


def refused(requester: Requester, rows: list[Row]) -> None:
    """A batch that is refused after what it tried is recorded: the requester learns nothing of its rows."""
    with runs.ledger_of(requester.installation.home) as ledger:
        name = requester.take_in(ledger, rows)
        batch = runs.work(requester.installation.home, ledger, name)
        for step in (*PLAN[State.RECEIVED], *PLAN[State.INGESTED], Step.VALIDATE):
            batch.do(step)
        assert sum(values is not None for _, _, values in ledger.tries([name])) > len(rows)
        ledger.refuse(name, ["COURT_ORDER"], [requester.installation.agreement.id])
        assert advance(batch) is State.REFUSED


@pytest.mark.parametrize("what", attacks())
def test_guesses_find_nothing(answers: Answers, what: str) -> None:
    found = [any(rows) for rows in answers[what]]
    if what == "numbers that others may have":
        assert found == [True, False, True, False]  # the second is; of the fourth nothing shows
    else:
        assert not any(found)


def test_honest_rows_are_released(answers: Answers) -> None:
    """Father and son do not use up each other's tries; the same values are no new try; one slip is forgiven."""
    assert answers["father and son"] == [[True, True]] * 4
    assert answers["the same values again"] == [[True]] * 4
    assert answers["a slip, then the right values"] == [[False], [True]]
    assert answers["two rows of one person"] == [[True, True]]
    assert answers["what a refused batch tried"] == [[True]]


def test_the_holder_sees_why(requester: Requester, answers: Answers) -> None:
    """By code, in the status of a batch; and of a row that was held at the last moment, in `explain`."""
    assert answers
    home, (first, *_, last) = requester.installation.home, requester.codes
    assert set(status.one(home, first)["tries"]) == {"TRIED_TOGETHER", "TOO_MANY_TRIES"}
    row = next(n for n, codes in enumerate(requester.codes[last]) if codes == ["TOO_MANY_TRIES"])
    found = explain(home, Clock(), last, row)
    failed = [(rule["rule"], rule["code"]) for rule in found["rules"] if rule["verdict"] == "failed"]
    assert (found["outcome"], failed) == ("held", [("disclosure.few_tries", "TOO_MANY_TRIES")])
    assert found["validate"]["earlier_tries"] >= 3


def test_replay_reproduces_what_was_held_at_the_last_moment(requester: Requester, answers: Answers) -> None:
    assert answers
    home, last = requester.installation.home, list(requester.codes)[-1]
    assert not replay(home, Clock(), last, who="ada")["differs"]
    with runs.ledger_of(home) as ledger:
        batch = runs.work(home, ledger, last)
        with opened(home, batch) as (ctx, _):
            said = json.loads((ctx.root / READ).read_text())["read"]
            assert 0 < said["position"] < ledger.head().seq and said["clauses"]["tries"]
            assert (ctx.root / TRIED).exists()
        assert ledger.verify() == []
