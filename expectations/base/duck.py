"""The only place that opens DuckDB.

Left alone, DuckDB takes every core and 80 % of memory per connection, spills beside the working directory, and tries to
download extensions. Every connection of ours has its threads, memory and temporary folder set, and no network.

To open a database takes 22 ms, and to make the macros and reference tables of addresses in it 240 ms; a batch has about
fifty sessions. So a session that ends leaves its database to the next one with as much memory, with what `once` made
in it and nothing else. No two sessions use one at the same time: each has its memory for itself.
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

# DuckDB's import opens a database of its own, with a thread for each core, that nobody uses. A process forked while it
# is open cannot end: it waits for threads that it has not, or dies of a signal.
duckdb.default_connection().close()


@dataclass(frozen=True)
class DuckSettings:
    """How much a connection may use, and how it plans.

    `temp` is where it spills, into a folder of its own, which goes with it; it must lie in the home tree (0700,
    encrypted volume). `threads` is SLUICEGATE_THREADS where nobody says another number. `preserve_order` off lets
    DuckDB stream: whoever needs an order says ORDER BY, with a tie-break. `few`: see `for_rows`.
    """

    threads: int = field(default_factory=lambda: _threads(2))
    memory: str = "2GB"
    temp: str | None = None
    preserve_order: bool = False
    few: bool = False

    def for_rows(self, rows: int, *, register: bool = False) -> "DuckSettings":
        """For queries over so many rows. A few are read by a plan that takes little time to make, and in one thread,
        unless a `register` is scanned for them: 1,000 addresses take 0.23 s of processor time, and 0.91 s in two
        threads by a full plan."""
        if rows > FEW:
            return self
        return replace(self, few=True, threads=self.threads if register else 1)


@dataclass(frozen=True)
class _Database:
    """One in memory: what it keeps from session to session."""

    connection: duckdb.DuckDBPyConnection
    memory: str
    optimizers: tuple[str, ...]  # all that this DuckDB has

    def is_light(self) -> bool:
        """Whether it may wait for the next session: it holds little more than what is always there."""
        (used,) = self.connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone() or (None,)
        return used is not None and used < _LIGHT


_LIGHT = 64 << 20  # bytes
_IDLE_AT_MOST = 4
_IDLE: list[_Database] = []  # the newest last
_LOCK = threading.Lock()
FEW = 10_000  # rows
# What a session makes is in a schema of its own, and goes with it; what `once` makes is in `main`.
_OF_EACH = "SET search_path = 'session,main'; SET TimeZone = 'UTC'; SET enable_progress_bar = false; "
_BEGIN = (
    f"CREATE SCHEMA session; {_OF_EACH}"
    "SET threads = {threads}; SET preserve_insertion_order = {preserve_order}; SET disabled_optimizers = '{left_out}'; "
    "SET temp_directory = {spill}"
)
# What a few rows still need beside a large register. Above all a CTE is not merged into what reads it: of the long
# chains that read an address, that makes one whose expressions are worked out several times.
_FOR_FEW = ("unused_columns", "filter_pushdown", "join_order", "build_side_probe_side", "join_filter_pushdown")
_END = "SET search_path = 'main'; DROP SCHEMA session CASCADE"


def _close_idle() -> None:
    """Before a fork: a copy of a database has no threads, and can be neither used nor closed."""
    _LOCK.acquire()
    while _IDLE:
        _IDLE.pop().connection.close()


os.register_at_fork(before=_close_idle, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


def _open(chosen: DuckSettings) -> _Database:
    """An in-memory database with pinned settings."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": chosen.threads,
        "memory_limit": chosen.memory,
        "temp_directory": "",  # each session says its own
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("CREATE TABLE made (what VARCHAR, version VARCHAR)")
    optimizers = tuple(name for (name,) in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall())
    return _Database(connection, chosen.memory, optimizers)


def _cursor(database: _Database) -> duckdb.DuckDBPyConnection:
    return database.connection.cursor()


@contextmanager
def session(settings: DuckSettings | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an in-memory database, for the caller alone; closed at the end, whatever happens."""
    chosen = settings or DuckSettings()
    if chosen.temp:
        Path(chosen.temp).mkdir(parents=True, exist_ok=True, mode=0o700)
    database = _taken(chosen.memory) or _open(chosen)
    spill = Path(chosen.temp) / uuid.uuid4().hex if chosen.temp else None
    kept = False
    try:
        connection = _cursor(database)
        try:
            connection.execute(_begin(chosen, spill, database.optimizers))
            yield connection
            connection.execute(_END)
        finally:
            connection.close()
        kept = not (spill and spill.exists()) and database.is_light()
    finally:
        if kept:
            _leave(database)
        else:
            database.connection.close()


def _begin(chosen: DuckSettings, spill: Path | None, optimizers: Sequence[str]) -> str:
    """What a session begins with. Without a folder of ours a query too large for memory must fail, not spill values
    beside the caller. One session, one folder: spilled blocks are named by their numbers, and two in one folder write
    over each other's."""
    left_out = ",".join(name for name in optimizers if name not in _FOR_FEW) if chosen.few else ""
    place = quote(str(spill or ""))
    return _BEGIN.format(threads=chosen.threads, preserve_order=chosen.preserve_order, left_out=left_out, spill=place)


def _taken(memory: str) -> _Database | None:
    """The newest idle database with this much memory, which is then no longer idle."""
    with _LOCK:
        found = next((one for one in reversed(_IDLE) if one.memory == memory), None)
        if found:
            _IDLE.remove(found)
    return found


def _leave(database: _Database) -> None:
    """Lets it wait for the next session; of too many, the one that has waited longest is closed."""
    with _LOCK:
        _IDLE.append(database)
        found = _IDLE.pop(0) if len(_IDLE) > _IDLE_AT_MOST else None
    if found:
        found.connection.close()


def make_ready(
    several: int, settings: DuckSettings, setup: Sequence[Callable[[duckdb.DuckDBPyConnection], None]]
) -> None:
    """Opens so many databases, and lets `setup` make in each what `once` keeps: the next sessions with these settings
    have it (0.1 s each)."""
    with ExitStack() as opened:  # all at the same time: each session has a database of its own
        for _ in range(several):
            connection = opened.enter_context(session(settings))
            for define in setup:
                define(connection)


def beside(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """One more connection to a session's database, for another thread. It sees what the session has made, but for
    variables and what is temporary; the session must not end before it."""
    another = connection.cursor()
    another.execute(_OF_EACH)
    return another


def once(connection: duckdb.DuckDBPyConnection, what: str, version: str, make: Callable[[], None]) -> None:
    """Runs `make`, which makes things in the schema `main`, unless this version of them is there."""
    found = connection.execute("SELECT version FROM main.made WHERE what = ?", [what]).fetchone()
    if found == (version,):
        return
    connection.execute("DELETE FROM main.made WHERE what = ?", [what])
    make()
    connection.execute("INSERT INTO main.made VALUES (?, ?)", [what, version])


def default_settings(temp: str | None = None) -> DuckSettings:
    """Settings from the environment: SLUICEGATE_THREADS, SLUICEGATE_MEMORY (a DuckDB size)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return DuckSettings(_threads(cores), os.environ.get("SLUICEGATE_MEMORY", "2GB"), temp)


def _threads(otherwise: int) -> int:
    """SLUICEGATE_THREADS; what is no number is for the configuration to refuse, and not for whatever imports this."""
    said = os.environ.get("SLUICEGATE_THREADS", "")
    return int(said) if said.isdecimal() and int(said) > 0 else otherwise


def quote(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def parquet(paths: list[str] | list[Path]) -> str:
    """A FROM clause over Parquet files, in their order; raises ValueError on none (nothing to read is a fault)."""
    if not paths:
        raise ValueError("no Parquet files to read")
    return f"read_parquet([{', '.join(quote(str(p)) for p in paths)}])"
