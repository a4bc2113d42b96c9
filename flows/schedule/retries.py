"""How often each step of a batch is tried again after an error, and after which pauses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.base.errors import SluicegateError, Transient
from expectations.base.total import total
from flows.batch.plan import Step


@dataclass(frozen=True)
class Retries:
    """`pauses`: seconds before each further try; `on`: errors that a further try may fix. All others end the run."""

    pauses: tuple[float, ...]
    on: type[SluicegateError]


_TWICE = Retries(pauses=(1, 5), on=Transient)
RETRIES: Mapping[Step, Retries] = total(
    Step,
    {
        Step.INGEST: _TWICE,
        Step.INTAKE: _TWICE,
        Step.MATCH: _TWICE,
        Step.MATCHING: _TWICE,
        Step.VALIDATE: _TWICE,
        Step.ELIGIBILITY: _TWICE,
        Step.RELEASE: _TWICE,
        Step.DISCLOSURE: _TWICE,
        Step.PREPARE: _TWICE,
        Step.PUBLISH: _TWICE,
    },
)
