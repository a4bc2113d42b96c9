"""The page about what is measured says all of it, under the names that Prometheus reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flows.operations.instruments import INSTRUMENTS, Measure
from tests.factories.paths import ROOT

PAGE = ROOT / "infra/docs/observability.md"


def rows() -> Iterator[str]:
    """The table of the page: `python -m tests.flows.operations.test_instruments` prints it."""
    for metric, said in INSTRUMENTS.items():
        unit = {"s": "_seconds", "By": "_bytes"}.get(said.unit, "")
        total = "_total" if said.measure is Measure.COUNTER else ""
        labels = ", ".join(f"`{name}`" for name in said.attributes) or "-"
        name = f"{metric.value.replace('.', '_')}{unit}{total}"
        yield f"| `{name}` | {said.measure} | {labels} | {said.description} |"


def test_the_page_has_each_metric_and_no_other() -> None:
    assert re.findall(r"^\| `sluicegate_.*$", PAGE.read_text(), re.M) == list(rows())


if __name__ == "__main__":
    print("\n".join(rows()))
