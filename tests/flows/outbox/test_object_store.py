"""Publication into an object store: the manifest, put last and once, is what publishes; whatever crashes, races or lies
there."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from expectations.base.clock import Clock
from expectations.base.errors import Fault, Transient, Usage
from flows.audit import sealed as audit
from flows.batch import publication
from flows.batch.advance import advance
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.cases.opening import Chosen, open_cases
from flows.home.tree import Home
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.cases import CaseReason, CaseState
from flows.ledger.lifecycles.states import State
from flows.outbox import outbox_at, package_digest
from flows.outbox.folder import Folder
from flows.reports.status import one
from flows.sandbox.home import REQUESTER_AGE
from pipelines import sealing
from pipelines.recall.listing import open_recall
from tests.factories import installations, s3
from tests.factories.law import any_order, no_law
from tests.factories.ledgers import ORDER, Office, accounted, package, pairs, sealed, sha
from tests.flows.batch.test_last_moment import rows
from tests.flows.ledger import killer


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3.server() as settings, pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield f"s3://{s3.BUCKET}"


@pytest.fixture
def url(bucket: str, request: pytest.FixtureRequest) -> str:
    """A prefix of the test's own."""
    return f"{bucket}/{sha(request.node.name)[:12]}/packages"


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as opened:
        yield opened


def names(url: str) -> list[str]:
    return sorted(meta["path"] for page in obstore.list(from_url(url)) for meta in page)


def prepare(ledger: Ledger, batch: str, made: Path, *keys: str) -> publication.Step:
    return publication.prepare(
        ledger,
        batch,
        keys=pairs(*keys),
        package=made,
        merkle_root=accounted(ledger, batch),
        content_digest=sha("rows"),
        law=no_law,
    )


def test_a_package_leaves_whole_and_once(ledger: Ledger, url: str, tmp_path: Path) -> None:
    made = package(tmp_path / "lake" / "batch-1")
    sealed(ledger)
    prepare(ledger, "batch-1", made, "a")
    for _ in range(2):
        assert publication.publish(ledger, "batch-1", package=made, outbox=url, law=no_law).state is State.PUBLISHED
    assert names(url) == ["batch-1/data/part.parquet.age", "batch-1/manifest.json"]
    assert outbox_at(url).digest("batch-1") == package_digest(made)
    assert outbox_at(url).names() == ["batch-1"]
    assert outbox_at(url).digest("batch") is None  # a name is not the beginning of another
    assert ledger.verify() == []


def test_halts_and_orders_stop_it_up_to_the_last_moment(ledger: Ledger, url: str, tmp_path: Path) -> None:
    made = package(tmp_path / "lake" / "batch-1")
    office = Office(ledger, "ada", "ben")
    sealed(ledger)
    prepare(ledger, "batch-1", made, "a")
    office.enrol(ORDER)
    step = publication.publish(ledger, "batch-1", package=made, outbox=url, law=any_order)
    assert (step.state, step.codes, names(url)) == (State.WITHDRAWN, ("COURT_ORDER",), [])


@pytest.mark.parametrize("there", ["another package", "a file without a manifest"])
def test_nothing_is_published_over_something_else(ledger: Ledger, url: str, tmp_path: Path, there: str) -> None:
    """Files without a manifest are half a publication: they go. Anything with a manifest stays."""
    made, store = package(tmp_path / "lake" / "batch-1"), from_url(url)
    sealed(ledger)
    prepare(ledger, "batch-1", made, "a")
    obstore.put(store, "batch-1/stray", b"x")
    if there == "another package":
        obstore.put(store, "batch-1/manifest.json", b"{}")
        with pytest.raises(Fault, match="OUTBOX_TAKEN"):
            publication.publish(ledger, "batch-1", package=made, outbox=url, law=no_law)
        with pytest.raises(Fault, match="OUTBOX_TAKEN"):
            publication.withdraw(ledger, "batch-1", url, ["HALTED"])
        assert names(url) == ["batch-1/manifest.json", "batch-1/stray"]
    else:
        publication.publish(ledger, "batch-1", package=made, outbox=url, law=no_law)
        assert outbox_at(url).digest("batch-1") == package_digest(made)


def test_a_package_that_left_before_the_crash_is_published(ledger: Ledger, url: str, tmp_path: Path) -> None:
    made = package(tmp_path / "lake" / "batch-1")
    sealed(ledger)
    prepare(ledger, "batch-1", made, "a")
    with outbox_at(url).staged(made, "batch-1") as copy:
        copy.put()
    with pytest.raises(Fault, match="HAS_LEFT"):
        publication.reopen(ledger, "batch-1", url)
    assert publication.recover(ledger, "batch-1", url) is State.PUBLISHED


def test_of_two_publishers_that_know_nothing_of_each_other_one_wins(url: str, tmp_path: Path) -> None:
    """Two packages under one name, both staged; whoever puts its manifest first has the name."""
    first, second = (package(tmp_path / n / "batch-1", n) for n in ("one", "two"))
    with outbox_at(url).staged(first, "batch-1") as a, outbox_at(url).staged(second, "batch-1") as b:
        a.put()
        for late in (b, a):
            with pytest.raises(Fault, match="OUTBOX_TAKEN"):
                late.put()
    assert outbox_at(url).digest("batch-1") == package_digest(first)
    assert names(url) == ["batch-1/data/part.parquet.age", "batch-1/manifest.json"]


def test_the_store_itself_lets_one_manifest_through(url: str) -> None:
    """What the protocol rests on: of many conditional puts at a time, one succeeds."""
    store = from_url(url)

    def put(n: int) -> bool:
        try:
            obstore.put(store, "b/manifest.json", str(n).encode(), mode="create")
            return True
        except obstore.exceptions.AlreadyExistsError:
            return False

    with ThreadPoolExecutor(16) as pool:
        won = [n for n, ok in enumerate(pool.map(put, range(64))) if ok]
    assert len(won) == 1 and bytes(obstore.get(store, "b/manifest.json").bytes()) == str(won[0]).encode()


def test_an_answer_that_was_lost_counts(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store took the manifest, its answer was lost, and the client sent it again: it is ours all the same."""
    made, real = package(tmp_path / "batch-1"), obstore.put

    def twice(*given: object, **named: object) -> object:
        real(*given, **named)  # type: ignore[arg-type]
        return real(*given, **named)  # type: ignore[arg-type]

    with outbox_at(url).staged(made, "batch-1") as copy:
        monkeypatch.setattr(obstore, "put", twice)
        copy.put()
    assert outbox_at(url).digest("batch-1") == package_digest(made)


def test_two_runs_of_one_batch_publish_it_once(ledger: Ledger, ledger_url: str, url: str, tmp_path: Path) -> None:
    made = package(tmp_path / "lake" / "batch-1")
    sealed(ledger)
    start = killer.context().Barrier(2)
    args = (ledger_url, "batch-1", made, url, ["a", "b"], start)
    processes = [killer.process(killer.race, *args) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [p.exitcode for p in processes] == [0, 0]
    assert Counter(e["kind"] for e in ledger.events())["published"] == 1
    assert names(url) == ["batch-1/data/part.parquet.age", "batch-1/manifest.json"]
    assert ledger.verify() == []


@pytest.mark.slow
def test_after_a_kill_at_any_point_the_next_run_ends_the_same(
    ledger: Ledger, ledger_url: str, url: str, tmp_path: Path
) -> None:
    died = 0
    while True:
        batch = f"batch-{died}"
        made = package(tmp_path / "lake" / batch, batch)
        sealed(ledger, batch, requester=f"agency-{died}")
        process = killer.process(killer.run_and_die, ledger_url, batch, made, url, died)
        process.start()
        process.join()
        killer.finish(ledger, batch, made, url, pairs("a", "b"))
        kinds = Counter(e["kind"] for e in ledger.events(batch))
        assert (kinds["prepared"], kinds["published"]) == (1, 1), died
        assert outbox_at(url).digest(batch) == package_digest(made)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        died += 1
    assert died >= 16  # commits, uploads, copies, the manifest, clearing away: before and after
    assert not [n for n in names(url) if n.startswith(".")]
    assert ledger.verify() == []


def test_a_store_out_of_reach_leaves_the_batch_prepared(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.outbox.object_store._RETRY", {"max_retries": 0})
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "r",
        "AWS_ACCESS_KEY_ID": "CANARY",
        "AWS_SECRET_ACCESS_KEY": "CANARY",
    }.items():
        monkeypatch.setenv(name, value)
    made = package(tmp_path / "lake" / "batch-1")
    sealed(ledger)
    prepare(ledger, "batch-1", made, "a")
    with pytest.raises(Transient, match="OUTBOX_UNWRITABLE") as caught:
        publication.publish(ledger, "batch-1", package=made, outbox="s3://out/of/reach", law=no_law)
    assert "CANARY" not in str(caught.value)
    record = ledger.batch("batch-1")
    assert record is not None and record.state is State.PREPARED


def test_urls(tmp_path: Path) -> None:
    assert isinstance(outbox_at(tmp_path), Folder) and isinstance(outbox_at(f"file://{tmp_path}"), Folder)
    assert [outbox_at(f"{s}://here/there/").place("b") for s in ("s3", "gs", "az")] == [
        f"{s}://here/there/b" for s in ("s3", "gs", "az")
    ]
    for wrong in (
        "s3://",
        "ftp://x/y",
        "s3://key:CANARY@bucket/x",
        "s3://bucket/x?CANARY=1",
        "file://host/x",
        "http://x/y",
    ):
        with pytest.raises(Usage, match="OUTBOX_URL") as caught:
            outbox_at(wrong)
        assert "CANARY" not in str(caught.value)


@pytest.fixture(scope="module")
def stored(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    """A home whose configuration names a URL (the environment has the keys), and the batch that it has released
    there."""
    installation = installations.make(tmp_path_factory.mktemp("home"))
    home = replace(installation.home, config=installation.home.config.model_copy(update={"outbox": f"{bucket}/whole"}))
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        batch = receive(home, ledger, Clock(), installation.submit(tmp_path_factory.mktemp("s"), rows(1, 8)))
        assert advance(BatchSteps(home, ledger, batch)) is State.PUBLISHED
    return home, batch


@pytest.mark.slow
def test_a_batch_goes_from_inbox_to_the_store(stored: tuple[Home, str]) -> None:
    home, batch = stored
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        assert list(audit.problems(home, ledger)) == []
    outbox = str(home.config.outbox)
    assert len(names(f"{outbox}/{batch}")) == 6 and list((home.root / "outbox").iterdir()) == []
    assert one(home, batch)["next"] == f"The package lies in {outbox}/{batch}."
    assert os.environ["AWS_SECRET_ACCESS_KEY"].encode() not in (home.root / "ledger.db").read_bytes()


@pytest.mark.slow
def test_a_recall_list_goes_to_the_store_too(
    stored: tuple[Home, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of reach first: the case is open, and stays to be frozen by the next try. Then whole, once, and watched
    over."""
    home, batch = stored
    (tmp_path / "rows.txt").write_text("0\n1\n")
    chosen = Chosen(batch, tmp_path / "rows.txt")
    with monkeypatch.context() as patch:
        patch.setattr("flows.outbox.object_store._RETRY", {"max_retries": 0})
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(Transient, match="OUTBOX_UNWRITABLE"):
            open_cases(home, Clock(), chosen, CaseReason.INCOMPLETE_ADDRESS, "operator-1")
    cases = open_cases(home, Clock(), chosen, CaseReason.INCOMPLETE_ADDRESS, "operator-1")
    assert [(c.state, c.rows) for c in cases] == [(CaseState.FROZEN, 2)]
    name, store = f"recall-{cases[0].id}", from_url(str(home.config.outbox))
    for path in (meta["path"] for page in obstore.list(store, name) for meta in page):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(bytes(obstore.get(store, path).bytes()))
    holder = (home.keys / "holder-signing.pub").read_text()
    recipient = sealing.load_identity(home.keys / REQUESTER_AGE)
    manifest, _ = open_recall(tmp_path / name, recipient, [holder], tmp_path / "opened", home.duck)
    assert (manifest["order"], manifest["rows"]) == ("freeze", 2)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        assert list(audit.problems(home, ledger)) == []
        obstore.put(store, f"{name}/manifest.json", b"{}")
        assert [p.place for p in audit.problems(home, ledger)] == [name]
