"""Random histories of the ledger: whatever is tried in whatever order, it stays whole, and nothing leaves twice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from expectations.base.errors import SluicegateError
from flows.batch import publication
from flows.ledger import facts
from flows.ledger.decisions import Decision, Reason
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import TRANSITIONS, Checkpoint, State
from tests.factories.law import no_law
from tests.factories.ledgers import ROWS, Office, accounted, package, pairs, receive, sha
from tests.generative.examples import examples

BATCHES = ["batch-1", "batch-2"]
OPERATORS = ["ada", "ben"]
batch = st.sampled_from(BATCHES)
ACTIONS = st.one_of(
    st.tuples(st.just("receive"), batch),
    st.tuples(st.just("advance"), batch, st.sampled_from(State)),
    st.tuples(st.just("on"), batch),
    st.tuples(st.just("on"), batch),
    st.tuples(st.just("hold"), batch, st.sampled_from(Checkpoint)),
    st.tuples(st.just("refuse"), batch),
    st.tuples(st.just("decide"), batch, st.sampled_from(OPERATORS), st.sampled_from(Decision)),
    st.tuples(st.just("account"), batch, st.sampled_from(["root", "other"])),
    st.tuples(st.just("prepare"), batch, st.sets(st.sampled_from("abc"), min_size=1)),
    st.tuples(st.just("publish"), batch),
    st.tuples(st.just("reopen"), batch),
    st.tuples(st.just("withdraw"), batch),
    st.tuples(st.just("halt"), st.sampled_from(OPERATORS)),
)
LATE = st.one_of(
    st.tuples(st.just("account"), batch, st.sampled_from(["root", "other"])),
    st.tuples(st.just("prepare"), batch, st.sets(st.sampled_from("abc"), min_size=1)),
    st.tuples(st.just("publish"), batch),
    st.tuples(st.sampled_from(["on", "publish", "reopen", "withdraw"]), batch),
)


class Installation:
    """A ledger, an outbox, and one method for each action."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.outbox = ledger, folder / "outbox"
        self.office = Office(ledger, *OPERATORS)
        self.packages = {b: package(folder / "lake" / b, b) for b in BATCHES}

    def receive(self, name: str) -> None:
        receive(self.ledger, name)

    def advance(self, name: str, to: State) -> None:
        self.ledger.advance(name, to)

    def on(self, name: str) -> None:
        """The next stage, so that histories get anywhere."""
        found = self.ledger.batch(name)
        if found:
            order = list(State)
            self.ledger.advance(name, order[(order.index(found.state) + 1) % len(order)])

    def hold(self, name: str, checkpoint: Checkpoint) -> None:
        self.ledger.hold(name, checkpoint, ROWS, ["MATCH_RATE" if checkpoint == "matching" else "TOO_MANY_INCOMPLETE"])

    def refuse(self, name: str) -> None:
        self.ledger.refuse(name, ["COURT_ORDER"], ["mou"])

    def decide(self, name: str, operator: str, decision: Decision) -> None:
        found = self.ledger.batch(name)
        if found and found.checkpoint:
            self.office.decide(operator, name, found.checkpoint, decision)

    def account(self, name: str, root: str) -> None:
        accounted(self.ledger, name, root)

    def prepare(self, name: str, names: set[str]) -> None:
        found = self.ledger.batch(name)
        known = found and found.merkle_root
        publication.prepare(
            self.ledger,
            name,
            keys=pairs(*sorted(names)),
            package=self.packages[name],
            merkle_root=known or sha("none"),
            content_digest=sha("rows"),
            law=no_law,
        )

    def publish(self, name: str) -> None:
        publication.publish(self.ledger, name, package=self.packages[name], outbox=self.outbox, law=no_law)

    def reopen(self, name: str) -> None:
        publication.reopen(self.ledger, name, self.outbox)

    def withdraw(self, name: str) -> None:
        publication.withdraw(self.ledger, name, self.outbox, ["HALTED"])

    def halt(self, operator: str) -> None:
        self.ledger.halt(operator, Reason.SUSPECTED_FAULT)


@settings(max_examples=examples(25), deadline=None)
@given(
    st.one_of(
        st.tuples(st.just(5), st.lists(LATE, min_size=4, max_size=20)),
        st.tuples(st.integers(0, 4), st.lists(ACTIONS, min_size=4, max_size=30)),
    )
)
def test_any_history_leaves_a_whole_ledger(told: tuple[int, list[tuple[str, ...]]]) -> None:
    ahead, history = told
    with tempfile.TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
        installation = Installation(ledger, Path(folder))
        for name in BATCHES if ahead else []:
            receive(ledger, name)
            for _stage in range(ahead - 1):
                installation.on(name)
        for action, *arguments in history:
            before, step = ledger.head(), getattr(installation, action)
            _try(step, arguments, ledger, before)
        assert ledger.verify() == []
        disclosed = list(ledger.disclosed("agency", "mou"))
        assert len(disclosed) == len(set(disclosed))
        event(f"states {sorted({b.state.value for b in ledger.batches()})}")
        published = {b.name for b in ledger.batches(State.PUBLISHED)}
        assert {p.name for p in installation.outbox.glob("[!.]*")} == published
        for name in published:
            kinds = [State(e["kind"]) for e in ledger.events(name) if e["kind"] in list(State)]
            assert kinds[-3:] == [State.SEALED, State.PREPARED, State.PUBLISHED]
            assert all(pair in TRANSITIONS for pair in pairwise(kinds))


def _try(step: Callable[..., None], arguments: list[str], ledger: Ledger, before: object) -> None:
    try:
        step(*arguments)
    except SluicegateError:
        assert ledger.head() == before  # what is refused leaves no trace


@given(st.text(min_size=1).filter(lambda t: not facts.DIGEST.match(t) and t not in facts._WORDS))
def test_no_text_is_a_fact(text: str) -> None:
    for said in ({"x": text}, {"x": [text]}, {"x": {"y": text}}):
        try:
            facts.checked(said)
        except SluicegateError as error:
            assert "UNSAFE_FACT" in str(error)
        else:
            raise AssertionError("a text came through as a fact")
