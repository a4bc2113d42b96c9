"""The holder's keys leave the place where they lie, the home or a vault, in no job graph, pickle, log, environment,
argument of a program, or file."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from apache_beam.internal import pickler
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from expectations.base import duck, places
from expectations.base.algorithms import Scheme
from expectations.base.errors import Usage
from expectations.base.hash_key import HashKey
from expectations.base.keyed import Generation, keyed_hash, sql_keyed_hash
from flows.home import holder
from flows.home.tree import HOLDER_SIGNING
from pipelines.lake import beam as beam_side
from tests.factories import installations, runs, vaults
from tests.factories.renewals import renew_hash

# Steps whose workers make keyed hashes, and how the texts begin that these are made of.
KEYED = {"ingest.judged", "validate.matched", "validate.tried", "validate.tries"}
KEYED_TEXTS = ("'officer|", "'reason|", "'request|", "'person|", "'values|", "'together|")


def forms_of(key: bytes) -> dict[str, bytes]:
    """Every way in which the key, or what it can be worked out from, may be written."""
    found = {}
    for name, data in {"key": key, **_blocks(key)}.items():
        half = data[:32]  # the rest of a block says nothing
        found |= {
            f"{name}, raw": half,
            f"{name}, hex": half.hex().encode(),
            f"{name}, HEX": half.hex().upper().encode(),
            f"{name}, base64": base64.b64encode(half)[:40],
            f"{name}, base64 for URLs": base64.urlsafe_b64encode(half)[:40],
            f"{name}, SQL": "".join(f"\\x{b:02X}" for b in half).encode(),
            f"{name}, escaped": "".join(f"\\x{b:02x}" for b in half).encode(),
            f"{name}, Python": repr(half)[2:-1].encode(),
            f"{name}, list": str(list(half))[1:-1].encode(),
        }
    return found


def _blocks(key: bytes) -> dict[str, bytes]:
    """What its HMACs are worked out from."""
    found = {}
    for scheme in Scheme:
        both = Generation(scheme, key).blocks()
        found |= {f"{part} of {scheme}": block for part, block in zip(("inner", "outer"), both, strict=True)}
    return found


def hidden(key: bytes, data: bytes) -> list[str]:
    return [name for name, form in forms_of(key).items() if form in data]


@dataclass
class Seen:
    """All that was handed to a runner: workers and their items, pickled, and graphs as runners are sent them; and every
    query that DuckDB was asked."""

    pickles: list[bytes] = field(default_factory=list)
    graphs: list[bytes] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    queries: set[str] = field(default_factory=set)
    arguments: set[bytes] = field(default_factory=set)
    key: bytes = b""
    others: list[bytes] = field(default_factory=list)
    home: Path = Path()
    vault: vaults.Vault | None = None

    def hidden(self, data: bytes) -> list[str]:
        """Every form of any of the keys that is in this."""
        found = hidden(self.key, data)
        for key in self.others:  # as text, as bytes, and without the first letters that all of them have
            found += [name for name, form in forms_of(key[-40:]).items() if form in data]
        return found


class Heard:
    """A session of DuckDB that notes what it is asked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, queries: set[str]) -> None:
        self._connection, self._queries = connection, queries

    def execute(self, query: str, *given: Any) -> Any:
        self._queries.add(query)
        return self._connection.execute(query, *given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture(scope="module", params=["files", "vault", "renewed"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A batch that is released, run with everything that is handed on recorded: the keys are files, or in a vault; or
    the key of the keyed hashes has a second generation, since a batch before."""
    with pytest.MonkeyPatch.context() as patched:
        yield from _seen(tmp_path_factory.mktemp("key"), request.param, patched)


def _seen(folder: Path, how: str, variables: pytest.MonkeyPatch) -> Iterator[Seen]:
    found = Seen(vault=vaults.make(folder / "vault") if how == "vault" else None)
    for name, value in (found.vault.variables if found.vault else {}).items():
        variables.setenv(name, value)
    made = installations.make(folder / "home")
    if how == "renewed":
        runs.released(made, folder / "before", 13, 24)
        renew_hash(made.home, Scheme.SHA3_256)
    first, *later = (one.key for one in made.home.hash_key.generations())
    assert len(later) == (how == "renewed")
    found.key, found.home = first, made.home.root
    fourth = made.home.key(HOLDER_SIGNING).read_key().split(b"\n")[4]  # line of base64, which has the key itself
    found.others = [*later, holder.signing_key(made.home).private_bytes_raw(), fourth]
    found.others.append(holder.identity(made.home).secret.encode())
    variables.setattr(places, "_printed", {})  # as in a process that has read no key yet
    run, run_graph = beam_side.run, FnApiRunner.run_via_runner_api

    def spy(place: Path, inputs: str, items: list[Any], worker: Any, then: Any, *rest: Any) -> None:
        found.steps.append(place.name)
        for one in (worker, then, items, inputs):
            found.pickles += [pickle.dumps(one), pickler.dumps(one), repr(one).encode()]
        run(place, inputs, items, worker, then, *rest)

    def graph(runner: FnApiRunner, proto: Any, options: Any) -> Any:
        found.graphs.append(proto.SerializeToString())
        return run_graph(runner, proto, options)

    stop = threading.Event()
    watching = threading.Thread(target=_watch, args=(found.arguments, stop))
    watching.start()
    cursor = duck._cursor
    handler = logging.Handler()
    handler.emit = lambda record: found.logged.append(record.getMessage())  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(beam_side, "run", spy)
        patched.setattr(duck, "_cursor", lambda database: Heard(cursor(database), found.queries))
        patched.setattr(FnApiRunner, "run_via_runner_api", graph)
        logging.getLogger().addHandler(handler)
        try:
            runs.released(made, folder / "a", 1, 12)
        finally:
            logging.getLogger().removeHandler(handler)
            stop.set()
            watching.join()
    yield found


def _watch(found: set[bytes], stop: threading.Event) -> None:
    """Notes the arguments of every process, as anybody on the machine sees them."""
    while not stop.is_set():
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found.add(place.read_bytes())
        time.sleep(0.02)


def test_nothing_that_is_handed_to_workers_holds_the_key(seen: Seen) -> None:
    assert set(seen.steps) >= KEYED and len(seen.graphs) >= len(seen.steps) > 8
    assert len(seen.key) == 32
    for data in (*seen.pickles, *seen.graphs, *(line.encode() for line in seen.logged)):
        assert seen.hidden(data) == []


def test_no_query_holds_the_key(seen: Seen) -> None:
    """Also none that is asked where the batch is planned: the keyed requests of the batch, the tries of its persons."""
    for text in KEYED_TEXTS:
        assert any(text in query and "sha256" in query for query in seen.queries), text
    for query in seen.queries:
        assert seen.hidden(query.encode()) == []


def test_what_a_graph_packs_is_searched_unpacked(seen: Seen) -> None:
    """Beam compresses and encodes what it pickles: the same DoFns, as a runner's worker gets them, opened."""
    opened = [pickler.loads(data) for data in seen.pickles[1::3]]
    assert sum(getattr(one, "hash_key", None) is not None for one in opened) >= len(KEYED)
    for one in opened:
        assert seen.hidden(pickle.dumps(one)) == []
        assert seen.hidden(repr(getattr(one, "__dict__", "")).encode()) == []


def test_no_file_but_its_own_and_no_variable_holds_a_key(seen: Seen) -> None:
    found = [p for p in sorted(seen.home.rglob("*")) if p.is_file() and seen.hidden(p.read_bytes())]
    own = [] if seen.vault else ["keys/hash", "keys/holder-age", "keys/holder-signing"]
    assert [str(p.relative_to(seen.home)) for p in found] == own
    assert seen.hidden(repr(dict(os.environ)).encode()) == []


def test_no_argument_of_a_program_holds_a_key(seen: Seen) -> None:
    assert any(b"pytest" in one for one in seen.arguments)
    assert [one for one in seen.arguments if seen.hidden(one) or vaults.TOKEN.encode() in one] == []


def test_from_a_vault_each_key_is_read_and_not_for_each_part(seen: Seen) -> None:
    if seen.vault is None:
        pytest.skip("the keys are files")
    assert {*seen.vault.reads} == {*vaults.SETTINGS}
    assert len(seen.vault.reads) < 3 * len(seen.steps)
    assert any(b"client.py" in one for one in seen.arguments)


def test_the_search_finds_a_key_that_is_there() -> None:
    key = bytes(range(100, 132))
    inner, _ = Generation(Scheme.SHA3_256, key).blocks()
    literal = "".join(f"\\x{b:02X}" for b in inner)
    assert hidden(key, b"x" + key + b"y") and hidden(key, f"SELECT '{literal}'::BLOB".encode())
    assert hidden(key, pickle.dumps({"a": key})) and not hidden(key, b"nothing")


def test_a_worker_reads_the_key_where_it_runs(tmp_path: Path) -> None:
    made = HashKey.made(tmp_path / "hash")
    sent: HashKey = pickle.loads(pickle.dumps(made))
    with duckdb.connect(":memory:") as connection:
        sent.install(connection)
        (row,) = connection.execute(
            f"SELECT {sql_keyed_hash((Scheme.SHA256,), 't')} FROM (SELECT 'a text' AS t)"
        ).fetchall()
    assert row[0] == keyed_hash([Generation(Scheme.SHA256, (tmp_path / "hash").read_bytes())], "a text")


def test_without_the_key_there_is_no_hash(tmp_path: Path) -> None:
    with duckdb.connect(":memory:") as connection, pytest.raises(duckdb.Error, match="no key"):
        connection.execute(f"SELECT {sql_keyed_hash((Scheme.SHA256,), 't')} FROM (SELECT 'a text' AS t)").fetchall()


def test_a_worker_takes_no_other_key(tmp_path: Path) -> None:
    """The file is replaced between the plan and the work."""
    made = HashKey.made(tmp_path / "hash")
    (tmp_path / "hash").write_bytes(bytes(32))
    with duckdb.connect(":memory:") as connection, pytest.raises(Usage, match="KEY_OTHER"):
        made.install(connection)
    (tmp_path / "hash").unlink()
    with pytest.raises(Usage, match="KEY_MISSING"):
        made.generations()
