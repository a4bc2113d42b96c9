"""Splink on the same rows: `python -m tests.bench.splink_run PREPARED REQUESTS OUT` writes (ordinal, record_id, weight).

Splink is given the standardised rows of both sides, which the clock does not count: only its own model, training and
prediction are measured.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from expectations import address
from expectations.base import duck
from expectations.names import standard
from pipelines import register
from pipelines.register.prepare import people
from tests.bench import made
from tests.bench.measured import clock

LEAST_WEIGHT = -4
FIELDS = """s_first AS first, s_last AS last, s_last1 AS last1, s_middle AS middle, CAST(s_birth AS VARCHAR) AS born,
    s_tin AS tin, a_number AS number, a_street AS street, a_unit AS unit, a_zip AS zip"""
SAME_HOUSE = "zip_l = zip_r AND number_l = number_r"


def load(con: duckdb.DuckDBPyConnection, prepared: Path, requests: Path) -> None:
    """Tables asked and file, each person at the last known address."""
    standard.setup(con)
    address.setup(con)
    real = register.open_register(prepared)
    con.execute(
        f"CREATE TABLE asked AS SELECT ordinal AS unique_id, {FIELDS}, a_state AS state FROM ({made.standardised(requests)})"
    )
    con.execute(f"""
        CREATE TABLE file AS SELECT record_id AS unique_id, {FIELDS}, state FROM {people(duck.parquet(real.paths("persons")))}
        LEFT JOIN (FROM {duck.parquet(real.paths("addresses"))} WHERE valid_to IS NULL
          QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY valid_from DESC) = 1) USING (record_id)""")


def _name(column: str, *levels: object) -> cl.CustomComparison:
    exact = cll.ExactMatchLevel(column, term_frequency_adjustments=True)
    return cl.CustomComparison(
        output_column_name=column, comparison_levels=[cll.NullLevel(column), exact, *levels, cll.ElseLevel()]
    )


def _like(column: str, least: float) -> cll.CustomLevel:
    return cll.CustomLevel(f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}")


def _comparisons() -> list[object]:
    born = [
        cll.NullLevel("born"), cll.ExactMatchLevel("born"), cll.CustomLevel("damerau_levenshtein(born_l, born_r) <= 1"),
        cll.CustomLevel("born_l[1:4] = born_r[1:4]"), cll.ElseLevel(),
    ]  # fmt: skip
    tin = [
        cll.NullLevel("tin"), cll.ExactMatchLevel("tin").configure(u_probability=1e-6),
        cll.CustomLevel("damerau_levenshtein(tin_l, tin_r) <= 1").configure(u_probability=1e-6),
        cll.ElseLevel().configure(u_probability=0.999998),
    ]  # fmt: skip
    home = [
        cll.CustomLevel("zip_l IS NULL OR zip_r IS NULL").configure(is_null_level=True),
        cll.CustomLevel(f"{SAME_HOUSE} AND street_l = street_r AND coalesce(unit_l, '') = coalesce(unit_r, '')"),
        cll.CustomLevel(f"{SAME_HOUSE} AND street_l = street_r"),
        cll.CustomLevel(f"{SAME_HOUSE} AND jaro_winkler_similarity(street_l, street_r) >= 0.88"),
        cll.CustomLevel("zip_l = zip_r"), cll.CustomLevel("zip_l[1:3] = zip_r[1:3]"), cll.ElseLevel(),
    ]  # fmt: skip
    return [
        _name("first", _like("first", 0.92), _like("first", 0.84), cll.CustomLevel("first_l[1] = first_r[1]")),
        _name("last", _like("last", 0.92), cll.CustomLevel("last1_l = last1_r"), _like("last", 0.84)),
        cl.ExactMatch("middle"),
        *(cl.CustomComparison(output_column_name=n, comparison_levels=levels) for n, levels in (("born", born), ("tin", tin), ("home", home))),
    ]  # fmt: skip


def predict(con: duckdb.DuckDBPyConnection) -> str:
    """Trains Splink on the tables asked and file, and predicts; returns the table of pairs."""
    rules = [("tin",), ("last", "born"), ("first", "born"), ("first", "last", "zip"), ("zip", "number", "last1"),
             ("zip", "number", "first"), ("first", "last", "middle", "state")]  # fmt: skip
    settings = SettingsCreator(
        link_type="link_only", unique_id_column_name="unique_id", comparisons=_comparisons(),
        blocking_rules_to_generate_predictions=[block_on(*r) for r in rules],
        retain_matching_columns=False, retain_intermediate_calculation_columns=False, max_iterations=20,
    )  # fmt: skip
    api = DuckDBAPI(connection=con)
    # Splink orders the two sides by name
    tables = [
        api.register("file", dataset_display_name="b_file"),
        api.register("asked", dataset_display_name="a_asked"),
    ]
    linker = Linker(tables, settings, log_level=logging.ERROR)
    certain = [block_on("tin", "last1"), block_on("first", "last", "born"), block_on("first", "last", "zip", "number")]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.85)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for columns in (("last", "born"), ("zip", "number", "first"), ("tin",)):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    return linker.inference.predict(threshold_match_weight=LEAST_WEIGHT).physical_name


if __name__ == "__main__":
    prepared, requests, out = map(Path, sys.argv[1:4])
    with duck.session(duck.default_settings()) as connection:
        load(connection, prepared, requests)
        with clock():
            pairs = predict(connection)
            # the asked side is always the left one: a_ before b_
            connection.execute(f"""
                COPY (SELECT unique_id_l AS ordinal, unique_id_r AS record_id, match_weight AS weight FROM {pairs})
                TO {duck.quote(str(out))}""")
