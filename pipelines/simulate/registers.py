"""A made-up register: any number of persons with their addresses, written in parts, deterministic by seed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

import duckdb

from expectations.base.duck import DuckSettings, default_settings, session
from expectations.base.errors import BadInput, Usage
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from pipelines.lake import Progress, durable
from pipelines.simulate import chance, dwellings, people, reference, tables

VERSION = 1  # of the generator: a register is named by (version, rows, seed)
STEP = "simulate.register"
PART_BLOCKS = 2_400  # 518,400 persons a part
MOVED_TOGETHER, MOVED_ALONE, TWICE = 0.16, 0.05, 0.2  # of the households, of the persons, of those who moved
_WRITTEN = ("persons", REGISTER_PERSON, "record_id"), ("addresses", REGISTER_ADDRESS, "record_id, valid_from")


@dataclass(frozen=True)
class Made:
    """What a register folder says of itself (`register.json`)."""

    rows: int
    seed: int
    version: int


@dataclass(frozen=True)
class Maker:
    """A connection that can make any span of one register's people."""

    connection: duckdb.DuckDBPyConnection
    chance: chance.Chance
    sizes: dict[str, int]
    rows: int

    @classmethod
    def on(cls, connection: duckdb.DuckDBPyConnection, rows: int, seed: int) -> Maker:
        """Sets a connection up for the register (rows, seed)."""
        name = f"register {VERSION}|{seed}"
        chance.setup(connection)
        sizes = reference.load(connection)
        people.setup(connection, name)
        return cls(connection, chance.Chance(name), sizes, rows)

    def make(self, first: int, last: int) -> None:
        """Makes the tables persons, members, households and addresses for record ids first..last (included)."""
        people.make(self.connection, first, last, self.chance, self.sizes)
        tables.make(self.connection, "moves", self._moves())
        tables.make(self.connection, "addresses", self._addresses())

    def _moves(self) -> str:
        """Members with the day they came to where they live now, and how many earlier addresses are on file."""
        c, together = self.chance, self.chance.happens("dwelling", "moved", MOVED_TOGETHER)
        alone = c.happens("record_id", "moved alone", MOVED_ALONE)
        key = f"(CASE WHEN {together} THEN dwelling ELSE record_id END)"
        return f"""
        SELECT record_id, dwelling, CASE WHEN {together} THEN dwelling * 4 ELSE record_id * 4 + 2 END AS mover,
          CASE WHEN {together} OR {alone} THEN CASE WHEN {c.happens(key, "moved twice", TWICE)} THEN 2 ELSE 1 END
            ELSE 0 END AS earlier,
          DATE '2024-12-31' - CAST(CASE WHEN {together} OR {alone} THEN {c.below(key, "came lately", 2900)}
            ELSE 300 + {c.below("dwelling", "came", 7000)} END AS INTEGER) AS since
        FROM members"""

    def _addresses(self) -> str:
        c = self.chance
        # an earlier home is a dwelling of the same register: someone else may well live there now
        before = f"""(
          SELECT record_id, turn, since, mover,
            {c.below("(mover + turn)", "earlier home", people.dwellings_of(self.rows))} AS dwelling,
            since - CAST(400 + {c.below("mover", "stay", 2000)} AS INTEGER) AS until
          FROM moves, (VALUES (0), (1)) t(turn) WHERE turn < earlier)"""
        columns = "street, unit, urbanization, city, state, zip"
        # a negative key would need a sign; the second earlier home ends where the first one begins
        return f"""
        SELECT m.record_id, {columns}, since AS valid_from, CAST(NULL AS DATE) AS valid_to
        FROM moves m JOIN households h USING (dwelling)
        UNION ALL
        SELECT record_id, {columns}, CASE turn WHEN 0 THEN until ELSE until - 1500 END,
          CASE turn WHEN 0 THEN since ELSE until END
        FROM ({dwellings.addresses(before, c, self.sizes)})"""


def register(
    rows: int,
    seed: int,
    out: Path,
    *,
    duck: DuckSettings | None = None,
    progress: Progress = lambda step, done, total: None,
) -> Made:
    """Writes `out/persons/part-*.parquet`, `out/addresses/part-*.parquet` and `out/register.json`.

    The same (rows, seed) give the same files, whatever the number of threads: each part is made by one thread.
    `progress` gets (step, rows done, rows). Raises Usage on fewer than one row, and on a folder that holds something
    already.
    """
    if rows < 1:
        raise Usage("NO_ROWS", "a register needs at least one row", remedy="Give --rows.")
    if out.exists() and any(out.iterdir()):
        raise Usage("FOLDER_NOT_EMPTY", "the output folder holds something already", remedy="Name a new folder.")
    settings = duck or default_settings()
    for dataset, *_ in _WRITTEN:
        (out / dataset).mkdir(parents=True, exist_ok=True, mode=0o700)
    step = PART_BLOCKS * people.PERSONS
    spans = [(i, first, min(first + step - 1, rows)) for i, first in enumerate(range(1, rows + 1, step))]
    threads = max(1, min(settings.threads, len(spans)))
    makers: SimpleQueue[Maker] = SimpleQueue()
    # one thread a connection, so that the order of rows does not hang on how threads interleave
    alone = DuckSettings(threads=1, memory=settings.memory, temp=settings.temp, preserve_order=True)

    def part(index: int, first: int, last: int) -> int:
        maker = makers.get()
        try:
            maker.make(first, last)
            for table, schema, order in _WRITTEN:
                query = f"SELECT {', '.join(schema.names)} FROM {table} ORDER BY {order}"
                tables.write(maker.connection, query, out / table / f"part-{index:05d}.parquet")
        finally:
            makers.put(maker)
        return last - first + 1

    done = 0
    with ExitStack() as open_connections:
        for _ in range(threads):
            makers.put(Maker.on(open_connections.enter_context(session(alone)), rows, seed))
        with ThreadPoolExecutor(max_workers=threads) as pool:
            for finished in as_completed([pool.submit(part, *span) for span in spans]):
                done += finished.result()
                progress(STEP, done, rows)
    made = Made(rows, seed, VERSION)
    durable.write(out / "register.json", json.dumps(asdict(made), sort_keys=True).encode())
    return made


def read(folder: Path) -> Made:
    """What register was made in `folder`; raises BadInput if none was, or an unfinished one, or by another version."""
    try:
        made = Made(**json.loads((folder / "register.json").read_text()))
    except (OSError, ValueError, TypeError):
        made = None
    if made is None or made.version != VERSION:
        said, remedy = "the folder holds no register of this simulator", "Make one with sluicegate simulate register."
        raise BadInput("NOT_A_MADE_REGISTER", said, where="register.json", remedy=remedy)
    return made
