"""What a batch needs, ready before it is asked for: before a process is forked for it, and while its flow begins."""

import gc
import importlib
import sys
from contextlib import suppress
from functools import cache
from threading import Thread

from expectations.base.duck import DuckSettings, make_ready
from flows.home.tree import Home

COMMANDS = "flows.cli.main"
_NEEDED = (  # what a run imports late, each for its own reason
    "anyio._backends._asyncio",
    "expectations.gx.dialect",
    "expectations.gx.portable.custom",
    "expectations.gx.portable.decide",
    "expectations.gx.unstored",
    "fastapi",
    COMMANDS,
    "flows.schedule.lookback",
    "flows.schedule.nightly",
    "flows.schedule.upkeep",
    "pipelines.lake.beam",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.utilities.visualization",
)
_SELDOM = (50_000, 20, 100)  # Python's own: 700, 10, 10


def load() -> None:
    """Imports what every batch needs, and makes once what each would make for itself."""
    for name in _NEEDED:
        importlib.import_module(name)
    from expectations import address
    from expectations.address import twin_place, twin_text
    from expectations.gx.evaluate import library
    from pipelines.lake import beam

    sys.modules[COMMANDS].command()
    beam.prepare()
    library()
    for part in (address, twin_text, twin_place):
        part.load()
    gc.collect()
    gc.freeze()  # a child looks through none of it again, and so copies none of its pages
    gc.set_threshold(*_SELDOM)  # the frameworks make many small objects, and few cycles


def begin(home: Home) -> None:
    """Opens the databases that the first steps of a batch will take, in a thread of its own, once in a process: until
    they do it mostly waits for Prefect's server. Not where others are forked later: DuckDB does not outlive that."""
    _begin(home.duck)


def stand_by(home: Home) -> None:
    """Begins, in a process that waits for its batch, and then uses Great Expectations once. It looks at no ledger: to
    open one may migrate it, which is for a command that somebody gave."""
    Thread(target=_rehearse, args=(_begin(home.duck),), name="rehearsal").start()


@cache
def _begin(settings: DuckSettings) -> Thread:
    thread = Thread(target=_databases, args=(settings,), name="databases")
    thread.start()
    return thread


def _rehearse(databases: Thread) -> None:
    from expectations.gx.rehearsal import rehearse

    databases.join()
    with suppress(Exception):  # a checkpoint of the batch meets it again, and says what is wrong
        rehearse()


def _databases(settings: DuckSettings) -> None:
    from expectations.suites import derived

    with suppress(Exception):  # whoever needs one then makes it, and says what is wrong
        # three at the same time: rows are judged, and derived again for the checkpoints; control records are prepared
        make_ready(3, settings, derived.setup())
