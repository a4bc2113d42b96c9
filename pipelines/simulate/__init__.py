"""Made-up registers and request batches, with the truth beside them: for demos, tests, measurements only."""

from pipelines.simulate.batches import batch
from pipelines.simulate.registers import register

__all__ = ["batch", "register"]
