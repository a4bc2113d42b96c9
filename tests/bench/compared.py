"""The match stage beside Splink, on the same made rows in the same run: what each costs, and how often each is wrong."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from expectations.base.duck import quote, session
from tests.bench import groups, made, measured

MARGIN = 7  # the best pair must lead the next one by so much


def compare(folder: Path, data: made.Made) -> None:
    """Prints a line a method and release rule."""
    print(f"match, {data.rows:,} on file, {data.asked:,} requests (profile {made.PROFILE}):")
    cost = measured.run("match_run", data.prepared, data.requests, folder / "out.parquet")
    ours = _ordered(folder / "out.parquet")
    for name, where in (("ours", "record_id IS NOT NULL"), ("ours, same address", "corroboration = 'same'")):
        _line(name, cost, data, f"SELECT ordinal, record_id FROM {ours} WHERE {where}")
    for group in groups.found(data.requests, data.raw, data.truth, folder / "out.parquet"):
        print(f"    {group}")
    if find_spec("splink") is None:
        print("  Splink: skipped, it is not installed")
        return
    cost = measured.run("splink_run", data.prepared, data.requests, folder / "splink.parquet")
    for least in (20, 30):
        _line(f"Splink, weight {least}", cost, data, f"""
            SELECT ordinal, record_id FROM (
              SELECT *, weight - coalesce(lead(weight) OVER w, -99) AS margin, row_number() OVER w AS place
              FROM '{folder}/splink.parquet' WINDOW w AS (PARTITION BY ordinal ORDER BY weight DESC, record_id)
            ) WHERE place = 1 AND weight >= {least} AND margin >= {MARGIN}""")  # fmt: skip


def _line(name: str, cost: measured.Cost, data: made.Made, released: str) -> None:
    with session() as con:
        on_file, count, false = con.execute(f"""
            SELECT count(t.record_id), count(r.ordinal),
              count(*) FILTER (r.ordinal IS NOT NULL AND r.record_id IS DISTINCT FROM t.record_id)
            FROM {_ordered(data.truth)} t
            LEFT JOIN ({released}) r USING (ordinal)""").fetchall()[0]
    right = count - false
    print(
        f"  {name:20} {data.asked / cost.seconds:>9,.0f} rows/s {cost.seconds:>7.1f} s {cost.peak_mb:>7,} MB"
        f"  released {count:>9,}  false {false:>6,}  precision {right / max(count, 1):.6f}  recall {right / on_file:.3f}"
    )


def _ordered(path: Path) -> str:
    return f"(SELECT file_row_number AS ordinal, * FROM read_parquet({quote(str(path))}, file_row_number = true))"
