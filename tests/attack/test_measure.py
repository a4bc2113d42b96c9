"""How many bits a requester learns about one person, by the best strategies that we know (infra/docs/tries.md).

Each strategy is played against persons who differ in nothing but what is guessed at, all equally likely. What it learns
is how well its answers tell them apart. They are played at once, in batches that they share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from datetime import date
from itertools import count
from math import log2
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.factories import requesters
from tests.factories.requesters import Row, Strategy, person

LIMIT, ROUNDS = 3, 10  # tries of the sandbox agreement; batches
Ask = tuple[str, int]  # what a row is, and which guess it makes
Plan = Generator[list[Ask], list[bool], None]
KNOWN = ("known", 0)  # a row that is right whatever is guessed at

BORN = [date(1950 + n, 1 + n % 12, 3 + n % 25) for n in range(32)]
STREETS = ("Juniper Ave", "Larkspur Rd", "Oleander Way", "Nutmeg Blvd")


class Game(NamedTuple):
    """A strategy, and what it guesses at. `who`: what a person of this truth differs in; `row`: what a question is as a
    row for a person; `right`: whether it is right for a truth. `one`: all but one value is known."""

    plan: Callable[[], Plan]
    truths: int
    who: Callable[[int], Row]
    row: Callable[[Row, Ask], Row]
    right: Callable[[Ask, int], bool]
    one: bool = True


def one_by_one() -> Plan:
    for n in range(16):
        yield [("guess", n)]


def all_at_once() -> Plan:
    yield [("guess", n) for n in range(16)]
    yield [KNOWN]


def halving() -> Plan:
    """A row that is known to be right, beside guesses at half of what is left: it shows whether they count."""
    left = list(range(16))
    while len(left) > 1:
        half = left[: len(left) // 2]
        *_, known = yield [*(("guess", n) for n in half), KNOWN]
        left = left[len(half) :] if known else half
    yield [("guess", left[0])]


def halving_beside() -> Plan:
    """The same, with rows of which another value is wrong too: each is a try only where its guess is right."""
    left = list(range(16))
    while len(left) > 1:
        half = left[: len(left) // 2]
        *_, known = yield [*(("beside", n) for n in half), KNOWN]
        left = left[len(half) :] if known else half
    yield [("guess", left[0])]


def known_first() -> Plan:
    """The known row alone; then such rows in one batch and the known one in the next, again and again."""
    yield [KNOWN]
    for n in range(0, 32, 7):
        yield [(f"beside {wrong}", guess) for guess in range(n, min(n + 7, 32)) for wrong in range(LIMIT + 1)]
        yield [KNOWN]


def eliminating() -> Plan:
    """Three guesses a batch, each by as many rows as would use up all tries, beside the known row."""
    for n in range(0, 32, 3):
        some = range(n, min(n + 3, 32))
        yield [*((f"beside {wrong}", guess) for guess in some for wrong in range(LIMIT)), KNOWN]


def diagonals() -> Plan:
    """Two unknown values, four of each: four pairs a batch, no two of which share one."""
    for shift in range(4):
        yield [("pair", 4 * n + (n + shift) % 4) for n in range(4)]


def one_of_many() -> Plan:
    """Sixteen pairs, of which no two share a value, all at once: as an honest list of namesakes."""
    yield [("guess", n) for n in range(16)]


def _born(truth: int) -> Row:
    return {"birth_date": BORN[truth]}


def _birth_date(who: Row, asked: Ask) -> Row:
    kind, guess = asked
    if kind == "known":
        return requesters.right(who, birth_date=None)
    if kind == "guess":
        return requesters.right(who, birth_date=BORN[guess], tin=None)
    wrong = int(kind.removeprefix("beside") or 0)
    return requesters.right(who, birth_date=BORN[guess], tin=f"77{wrong}13{5000 + guess}")


def _guessed(asked: Ask, truth: int) -> bool:
    return asked == KNOWN or asked == ("guess", truth)


def _placed(truth: int) -> Row:
    return {"birth_date": BORN[truth % 4], "street": STREETS[truth // 4]}


def _pair(who: Row, asked: Ask) -> Row:
    number = who["street"].split()[0]
    return requesters.right(who, birth_date=BORN[asked[1] % 4], street=f"{number} {STREETS[asked[1] // 4]}", tin=None)


def _namesake(who: Row, asked: Ask) -> Row:
    number = int(who["street"].split()[0]) // 100
    return requesters.right(who, birth_date=BORN[asked[1]], street=f"{number * 100 + asked[1]} Magnolia St", tin=None)


def _of_birth(plan: Callable[[], Plan], truths: int = 16) -> Game:
    return Game(plan, truths, _born, _birth_date, _guessed)


GAMES = {
    "one by one": _of_birth(one_by_one),
    "all at once": _of_birth(all_at_once),
    "halving": _of_birth(halving),
    "halving beside": _of_birth(halving_beside),
    "known first": _of_birth(known_first, 32),
    "eliminating": _of_birth(eliminating, 32),
    "diagonals": Game(diagonals, 16, _placed, _pair, lambda asked, truth: asked[1] == truth, one=False),
    "one of many": Game(
        one_of_many,
        16,
        lambda truth: {"birth_date": BORN[truth], "number": truth},
        _namesake,
        lambda asked, truth: asked[1] == truth,
        one=False,
    ),
}


class Played(NamedTuple):
    """The questions of each batch and whether each was released, for each truth."""

    course: list[tuple[tuple[Ask, bool], ...]]

    def says(self, game: Game) -> int:
        """For how many truths all that was released is right."""
        released = [asked for batch in self.course for asked, answer in batch if answer]
        return sum(all(game.right(asked, truth) for asked in released) for truth in range(game.truths))


def play(folder: Path) -> dict[str, list[Played]]:
    people, numbers = dict[int, Row](), count(1)
    found: dict[str, list[Played]] = {name: [] for name in GAMES}
    strategies: dict[str, Strategy] = {}
    for name, game in GAMES.items():
        for truth in range(game.truths):
            n = next(numbers)
            people[n] = _person(n, game.who(truth))
            found[name].append(Played([]))
            strategies[f"{name} {truth}"] = _asking(game, people[n], found[name][-1])
    requesters.make(folder, people).play(strategies, ROUNDS)
    return found


def _person(n: int, changes: dict[str, Any]) -> Row:
    who = person(n)
    number = 100 * (10 + n) + changes.pop("number", 0)
    return {**who, **changes, "street": f"{number} {changes.get('street', 'Magnolia St')}"}


def _asking(game: Game, who: Row, played: Played) -> Strategy:
    plan = game.plan()
    asked = next(plan)
    while True:
        answers = yield [game.row(who, one) for one in asked]
        played.course.append(tuple(zip(asked, answers, strict=True)))
        try:
            asked = plan.send(answers)
        except StopIteration:
            return


def learnt(courses: list[Played]) -> float:
    """Bits that the answers tell, all of them: the entropy of the courses, of which each truth has one."""
    seen = Counter(repr(played.course) for played in courses)
    return sum(n / len(courses) * log2(len(courses) / n) for n in seen.values())


def beyond(game: Game, courses: list[Played]) -> float:
    """Bits that they tell beyond what the released rows themselves say."""
    seen = Counter(repr(played.course) for played in courses)
    return sum(log2(played.says(game) / seen[repr(played.course)]) for played in courses) / len(courses)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Played]]:
    return play(tmp_path_factory.mktemp("measure"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", GAMES)
def test_the_bits_learnt_about_one_person_are_at_most_the_tries(played: dict[str, list[Played]], name: str) -> None:
    game, courses = GAMES[name], played[name]
    print(f"{name}: {learnt(courses):.2f} bits, {beyond(game, courses):.2f} beyond what released rows say")
    assert beyond(game, courses) <= LIMIT
    assert not game.one or learnt(courses) <= LIMIT


def test_the_measure_counts_what_answers_tell() -> None:
    """Without limits guesses tell which of sixteen it is; so does a known row beside others, which find nothing."""

    def answered(game: Game) -> list[Played]:
        courses = []
        for truth in range(game.truths):
            plan, played = game.plan(), Played([])
            asked = next(plan)
            for _ in range(ROUNDS):
                # as if each row were answered by itself, but the known one by all that are right beside it
                hit = any(guess == truth for kind, guess in asked if kind.startswith("beside"))
                answers = [game.right(one, truth) and not (one == KNOWN and hit) for one in asked]
                played.course.append(tuple(zip(asked, answers, strict=True)))
                try:
                    asked = plan.send(answers)
                except StopIteration:
                    break
            courses.append(played)
        return courses

    once, halved, eliminated = (answered(GAMES[n]) for n in ("all at once", "halving beside", "eliminating"))
    assert learnt(once) == learnt(halved) == 4 > LIMIT
    assert beyond(GAMES["all at once"], once) == 0
    assert min(learnt(eliminated), beyond(GAMES["eliminating"], eliminated)) > LIMIT
