"""A GX Checkpoint that is run once, where it was made: nothing of it is stored. Importing this imports GX: do it late.

Before it runs, GX compares a Checkpoint and all that it is made of with what its stores hold, several times over: each
suite is written to JSON, read and compared again. Of a small batch that was most of the time. What is made, run and
forgotten within one call cannot differ from anything.
"""

from typing import Any

import great_expectations
from great_expectations.checkpoint import Checkpoint
from great_expectations.core.freshness_diagnostics import (
    CheckpointFreshnessDiagnostics,
    ValidationDefinitionFreshnessDiagnostics,
)
from great_expectations.core.validation_definition import ValidationDefinition
from great_expectations.data_context.store import ValidationResultsStore
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

_NO_RESULTS = "no_results"  # GX puts its own store in the place of one of its usual name


class UnstoredCheckpoint(Checkpoint):
    """Runs as it is."""

    def is_fresh(self) -> CheckpointFreshnessDiagnostics:
        return CheckpointFreshnessDiagnostics(errors=[])


class UnstoredDefinition(ValidationDefinition):
    """Runs as it is."""

    def is_fresh(self) -> ValidationDefinitionFreshnessDiagnostics:
        return ValidationDefinitionFreshnessDiagnostics(errors=[])


class NoResults(ValidationResultsStore):
    """Keeps no result: whole, one holds the text of exceptions. Reduced, it goes with the verdict."""

    def store_validation_results(self, *_: Any, **__: Any) -> bool:
        return True


def context() -> Any:
    """A context in memory, without a place for Data Docs and without progress bars, which keeps no result."""
    memory = InMemoryStoreBackendDefaults()
    memory.stores[_NO_RESULTS] = {"class_name": NoResults.__name__, "module_name": __name__}
    config = DataContextConfig(
        store_backend_defaults=memory,
        validation_results_store_name=_NO_RESULTS,
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return great_expectations.get_context(mode="ephemeral", project_config=config)
