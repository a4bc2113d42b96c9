"""How often each step of a batch is tried again after an error, and after which pauses."""

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.base.errors import SluicegateError, Transient
from flows.batch.plan import Step


@dataclass(frozen=True)
class Retries:
    """`pauses`: seconds before each further try; `on`: errors that a further try may fix. All others end the run."""

    pauses: tuple[float, ...]
    on: type[SluicegateError]


RETRIES: Mapping[Step, Retries] = dict.fromkeys(Step, Retries(pauses=(1, 5), on=Transient))
