"""What a process loads that is forked for each batch, before it is: imports, and what every batch would make anew."""

import gc
import importlib
import sys

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
    from expectations.address import reference
    from expectations.gx.evaluate import library
    from pipelines.lake import beam

    sys.modules[COMMANDS].command()
    beam.prepare()
    library()
    reference.zip_table()
    reference.zip_rows()
    address.version()  # all patterns, and the SQL that is made of them
    gc.collect()
    gc.freeze()  # a child looks through none of it again, and so copies none of its pages
    gc.set_threshold(*_SELDOM)  # the frameworks make many small objects, and few cycles
