import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from expectations.base import algorithms

# TESTED_SCHEME: tests run as if each home had had this algorithm from its first event, in every process. It is
# set before anything else takes the first one from there.
if chosen := os.environ.get("TESTED_SCHEME"):
    algorithms.FIRST = algorithms.Scheme(chosen)
    algorithms.use(algorithms.FIRST)
    first, root = Path(__file__).parent / "factories" / "first_scheme", Path(__file__).parent.parent
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(first), str(root), os.environ.get("PYTHONPATH"))))

from expectations.instruments import Agreement
from tests.factories import quick_disk, statements, submissions

# Inputs here are tiny, and two tests run at a time: a second DuckDB thread compiles each pattern again and finds no
# rows. Where threads are what is tested, the test says how many.
os.environ.setdefault("SLUICEGATE_THREADS", "1")
# As flows.schedule.server sets it, for tests that import Prefect before it does.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")

statements.share()
quick_disk.use()

# Files that take longest begin first, as measured: one that began last would keep one worker busy while the others have
# nothing to do.
LONGEST = (
    "tests/test_readme.py",
    "tests/leak/",
    "tests/attack/test_guesses.py",
    "tests/expectations/suites/test_suites.py",
    "tests/flows/batch/test_batch.py",
    "tests/faults/test_crash.py",
    "tests/flows/schedule/test_unattended.py",
    "tests/flows/replay/test_replay.py",
    "tests/flows/batch/test_last_moment.py",
    "tests/flows/replay/test_lookback.py",
    "tests/pipelines/preflight/test_submission.py",
    "tests/flows/reports/test_reports.py",
    "tests/flows/cases/test_recall.py",
    "tests/expectations/suites/test_selftest.py",
    "tests/pipelines/ingest/test_ingest.py",
    "tests/pipelines/preflight/test_addresses.py",
    "tests/flows/evidence/test_shred.py",
    "tests/pipelines/ingest/test_statutes.py",
    "tests/flows/audit/test_tampering.py",
    "tests/incident/",
    "tests/flows/batch/test_expiry.py",
    "tests/flows/batch/test_persons.py",
    "tests/faults/test_register_killed.py",
    "tests/pipelines/match/test_alike.py",
    "tests/pipelines/match/test_linkage_sets.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((n for n, file in enumerate(LONGEST) if item.nodeid.startswith(file)), len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What is there now, some thousand tests and the libraries that they imported, stays to the end: looking through
    all of it for garbage, again and again, would take a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def first_algorithm() -> Iterator[None]:
    """What one test's ledger had digests made by is not the next one's."""
    yield
    algorithms.use(algorithms.FIRST)


@pytest.fixture(scope="session")
def sandbox() -> Agreement:
    """The fictional agreement in force, signed for by `submissions.KEY`."""
    return submissions.sandbox()
