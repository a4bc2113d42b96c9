"""A new version of a prepared register: the version before it, and what a delta says (its form: see `opened`).

Parts are shared with the version before (the same files under two names), and the delta adds its own: what is written
is in proportion to the delta, and to the records that earlier ones changed. Versions are never changed: a batch goes on
against the one that it began with.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path

import duckdb

from expectations.base import duck
from expectations.base.errors import BadInput
from expectations.names import standard
from pipelines import lake
from pipelines.lake import Attempt, Manifest, Part
from pipelines.lake.runner import EMBEDDED
from pipelines.lake.sql import copy, quiet
from pipelines.register import opened
from pipelines.register.build import PART_ROWS
from pipelines.register.convert import in_parquet, nothing_left, working
from pipelines.register.delta import NAME, Delta, Kind, empty, open_delta
from pipelines.register.prepare import RAW_ADDRESS, Prepare, Range, borne_sql, buildings_sql, preparation
from pipelines.register.source import Source, ranges


class Change(StrEnum):
    """What a delta did to a record: the column `change` of the dataset `changes`."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"


# Datasets whose parts of the version before stay as they are; a delta may add one.
SHARED = ("persons", "addresses", "names", "units", "buildings", "gone", "changes")
CHANGED = {"persons": "changed_persons", "addresses": "changed_addresses"}


def update(
    before: Path,
    folder: Path,
    target: Path,
    *,
    today: date,
    runner: str = EMBEDDED,
    duck: duck.DuckSettings = duck.DuckSettings(),  # noqa: B008 - frozen
    progress: lake.Progress | None = None,
) -> Manifest:
    """The version `target`: the prepared register `before`, and the delta in `folder`.

    Further datasets than those of `build`: `changed_persons`, `changed_addresses`, `gone` (record_id), and `changes`
    (record_id, change new, changed or removed; kind; effective_on; delta), one row for each change since the last full
    build. Raises BadInput, and leaves nothing, if the delta cannot be read, was applied before, lies before an earlier
    one, is not in force yet, or does not fit the register (an address without its person, a removal of nobody).
    """
    delta = open_delta(folder)
    settings = replace(duck, preserve_order=True)
    known = opened.open_register(before)
    _in_its_time(delta, known, today, settings)
    inputs = {"before": opened.version(before), "delta": delta.identity, "preparation": preparation()}
    labels, seals = {opened.PREPARATION: preparation()}, [target / opened.SEALS, before / opened.SEALS]
    run = partial(lake.run_step, runner=runner, progress=progress, seals=seals, labels=labels)

    def applied(source: Source | None, cuts: Iterable[Range]) -> Manifest:
        with nothing_left(target):
            return run(target, inputs, ["delta"], Apply(known, delta, source, tuple(cuts), settings))

    if delta.raw is None:
        return applied(None, ())
    with in_parquet(delta.raw, working(target), settings, runner=runner, progress=progress) as source:
        return applied(source, (Range(i, *span) for i, span in enumerate(ranges(source, PART_ROWS, settings))))


def _in_its_time(delta: Delta, known: Manifest, today: date, settings: duck.DuckSettings) -> None:
    note = delta.note
    if note.effective_on > today:
        raise BadInput("DELTA_NOT_YET", "effective_on lies ahead", where=NAME, remedy="Apply it on its day.")
    paths = _paths(known, "changes")
    if not paths:
        return
    with quiet("changes", settings) as con:
        applied, latest = con.execute(f"""
            SELECT count(*) FILTER (delta = '{delta.identity}'),
              max(effective_on) FILTER (kind IN {Kind.sql(looks_back=False)})
            FROM {duck.parquet(paths)}""").fetchall()[0]
    if applied:
        raise BadInput("DELTA_TWICE", "this delta was applied before", where=NAME, remedy="Apply the next one.")
    if not note.kind.looks_back and latest and note.effective_on < latest:
        said, remedy = "a later update was applied before this one", "Apply deltas in their order."
        raise BadInput("DELTA_LATE", said, where=NAME, remedy=remedy)


def _paths(manifest: Manifest, dataset: str) -> list[str]:
    return [p.path for p in manifest.parts if p.dataset == dataset]


@dataclass(frozen=True)
class Apply:
    """Worker: a delta applied to a version. `source`, cut into `ranges`: the new and changed records."""

    before: Manifest
    delta: Delta
    source: Source | None
    ranges: tuple[Range, ...]
    settings: duck.DuckSettings

    def __call__(self, _item: str, attempt: Attempt) -> Iterable[Part]:
        for part in self.before.parts:
            if part.dataset in SHARED:
                yield attempt.shared(part)
        made = Attempt(f"{attempt.folder}/delta")  # the delta prepared as a register of its own
        prepare = Prepare(self.source.persons, self.source.addresses, self.settings) if self.source else None
        parts = [part for cut in self.ranges for part in prepare(cut, made)] if prepare else []
        with quiet("register update", self.settings) as con:
            standard.setup(con)
            self.tables(con, parts)
            self.check(con)
            for dataset, query in self.queries().items():
                index = len(_paths(self.before, dataset)) if dataset in SHARED else 0  # after the shared parts
                copy(con, query, attempt.path(dataset, index), compression="uncompressed")
                yield attempt.part(dataset, index)
        for part in parts:
            if part.dataset in CHANGED:
                yield self.moved(part, attempt)
        shutil.rmtree(made.folder, ignore_errors=True)

    def moved(self, part: Part, attempt: Attempt) -> Part:
        """A prepared part of the delta as one of the new version's, after the part of earlier changes."""
        dataset = CHANGED[part.dataset]
        index = part.index + bool(_paths(self.before, dataset))
        path = attempt.path(dataset, index)
        Path(part.path).rename(path)
        return replace(part, dataset=dataset, index=index, path=str(path))

    def tables(self, con: duckdb.DuckDBPyConnection, parts: list[Part]) -> None:
        """Views and tables that the queries read: what the delta brings, what was there, and what it replaces."""
        base = self.before.paths("persons")
        for name in ("persons", "addresses", "names", "units"):
            fresh = [p.path for p in parts if p.dataset == name]
            like = f"(FROM {duck.parquet(self.before.paths(name)[:1])} WHERE false)"
            con.execute(f"CREATE TEMP VIEW new_{name} AS FROM {duck.parquet(fresh) if fresh else like}")
            old = _paths(self.before, CHANGED.get(name, name))
            con.execute(f"CREATE TEMP VIEW old_{name} AS FROM {duck.parquet(old) if old else like}")
        gone = _paths(self.before, "gone")
        nobody = "(SELECT NULL::BIGINT AS record_id WHERE false)"
        con.execute(f"CREATE TEMP VIEW gone_before AS FROM {duck.parquet(gone) if gone else nobody}")
        self.delta.read_removed(con)
        con.execute("CREATE TEMP TABLE touched AS FROM (SELECT record_id FROM new_persons UNION FROM removed)")
        # what is replaced: records of the base that still count, and earlier changes
        con.execute(f"""
            CREATE TEMP TABLE replaced AS
            SELECT record_id, s_first, s_middle, s_last, true AS in_base FROM {duck.parquet(base)}
              SEMI JOIN touched USING (record_id) ANTI JOIN gone_before USING (record_id)
            UNION ALL SELECT record_id, s_first, s_middle, s_last, false FROM old_persons
              SEMI JOIN touched USING (record_id)""")

    def check(self, con: duckdb.DuckDBPyConnection) -> None:
        """Raises BadInput if the delta does not fit the version before it."""
        fresh, removed, both = "new_persons", "removed", "USING (record_id)"
        tests = [
            ("REGISTER_IDS", "record ids are not above zero", "persons/", f"{fresh} WHERE record_id < 1"),
            ("DELTA_BOTH", "records are both changed and removed", removed, f"{removed} SEMI JOIN {fresh} {both}"),
            (
                "DELTA_NOBODY",
                "removed records are not in the register",
                removed,
                f"{removed} ANTI JOIN replaced {both}",
            ),
        ]
        if self.source:
            orphans = f"{self.source.addresses} ANTI JOIN {fresh} {both}"
            tests.append(("DELTA_NO_PERSON", "addresses have no person in the delta", "addresses/", orphans))
        for code, message, where, rows in tests:
            found = con.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0]
            if found:
                remedy = "A changed record comes whole, once; see infra/docs/register.md. Nothing was applied."
                raise BadInput(code, f"{found} {message}", where=where, remedy=remedy)
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in ("touched", "replaced", "new_persons"))
        touched, replaced, new = con.execute(f"SELECT {counts}").fetchall()[0]
        if not touched:
            raise empty(NAME)
        if replaced - new >= opened.persons(self.before):
            remedy = "Check where the removals come from. Nothing was applied."
            raise BadInput("REGISTER_EMPTY", "the register would hold nobody", where="removed", remedy=remedy)

    def queries(self) -> dict[str, str]:
        """SELECT by dataset of what the new version holds beside the shared parts."""
        note = self.delta.note
        gone = "(SELECT s_first, s_middle, s_last FROM replaced)"
        units = "(FROM old_units SEMI JOIN new_units USING (a_zip, a_number, a_street) UNION FROM new_units)"
        untouched = "FROM old_{0} ANTI JOIN touched USING (record_id) ORDER BY {1}"
        earlier = {
            "changed_persons": untouched.format("persons", "record_id"),
            "changed_addresses": untouched.format("addresses", f"record_id, {RAW_ADDRESS}"),
        }
        return {
            **(earlier if _paths(self.before, "changed_persons") else {}),
            "gone": "SELECT record_id FROM replaced WHERE in_base ORDER BY record_id",
            # counts of names may be below zero: what the base counts and is gone
            "names": f"""
                SELECT kind, name, CAST(sum(n) AS BIGINT) AS n
                FROM (FROM new_names UNION ALL SELECT *, -1 AS n FROM ({borne_sql(gone)}))
                GROUP BY kind, name HAVING sum(n) <> 0 ORDER BY kind, name""",
            "units": "SELECT DISTINCT * FROM new_units ORDER BY ALL",
            # a unit once on file is there, whoever has moved out: buildings only grow until the next full build
            "buildings": buildings_sql(units),
            "changes": f"""
                SELECT record_id, CASE WHEN r.record_id IS NOT NULL THEN '{Change.REMOVED}'
                    WHEN p.record_id IS NOT NULL THEN '{Change.CHANGED}' ELSE '{Change.NEW}' END AS change,
                  '{note.kind}' AS kind, DATE '{note.effective_on}' AS effective_on, '{self.delta.identity}' AS delta
                FROM touched LEFT JOIN removed r USING (record_id) LEFT JOIN replaced p USING (record_id)
                ORDER BY record_id""",
        }
