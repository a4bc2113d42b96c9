"""Whatever a value holds, the CSV is safe, and gives back exactly that value."""

import csv
import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.base.duck import session
from pipelines.release import forms
from tests.generative.examples import examples

STARTS = tuple("=+-@\t\r\n")
TEXT = st.text(
    st.one_of(st.sampled_from("'=+-@\t\r\n\",;| a"), st.characters(blacklist_categories=["Cs"], min_codepoint=32)),
    min_size=1, max_size=12,
)  # fmt: skip


@given(st.lists(st.one_of(st.none(), TEXT), min_size=1, max_size=20))
@settings(max_examples=examples(40), deadline=None)
def test_csv_is_safe_and_exact(values: list[str | None]) -> None:
    with tempfile.TemporaryDirectory() as folder, session() as connection:
        target = Path(folder) / "t.csv"
        connection.register(
            "t", pa.table({"n": [str(n) for n in range(len(values))], "v": pa.array(values, pa.string())})
        )
        forms.write_csv(connection, "SELECT n, v FROM t ORDER BY CAST(n AS INTEGER)", ["n", "v"], target)
        query = f"SELECT v FROM ({forms.read_csv(target, ['n', 'v'])}) ORDER BY CAST(n AS INTEGER)"
        assert [v for (v,) in connection.execute(query).fetchall()] == values
        with target.open(newline="") as stream:
            cells = [row[1] for row in csv.reader(stream)][1:]
    assert not [c for c in cells if c.startswith(STARTS)]
