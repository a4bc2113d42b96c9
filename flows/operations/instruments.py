"""Everything that is measured: one closed list, read by the endpoint, by OTLP and by the page that explains it.

Attributes are closed lists, codes and ids of agreements: never a value, and nothing that grows with the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from expectations.base.total import total


class Measure(StrEnum):
    """How an instrument is read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(StrEnum):
    """What is measured, as OpenTelemetry names it. Prometheus reads dots as underscores, and adds unit and `_total`."""

    READABLE = "sluicegate.readable"  # first: reading it reads all others
    BATCHES = "sluicegate.batches"
    ROWS = "sluicegate.rows"
    BATCH_ROWS = "sluicegate.batch.rows"
    BATCH_DURATION = "sluicegate.batch.duration"
    BATCH_CODES = "sluicegate.batch.codes"
    STEP_DURATION = "sluicegate.step.duration"
    VERDICTS = "sluicegate.checkpoint.verdicts"
    CHECKPOINT_ROWS = "sluicegate.checkpoint.rows"
    DECISIONS = "sluicegate.decisions"
    TRIES = "sluicegate.tries"
    TRIES_HELD = "sluicegate.tries.held_rows"
    VIEWS = "sluicegate.views"
    OPEN = "sluicegate.batches.open"
    WAITING = "sluicegate.waiting"
    WAITING_AGE = "sluicegate.waiting.age"
    WAITING_DEADLINE = "sluicegate.waiting.deadline"
    NIGHT_BEGAN = "sluicegate.night.timestamp"
    NIGHT_EXIT = "sluicegate.night.exit_code"
    LEDGER_EVENTS = "sluicegate.ledger.events"
    LEDGER_NEWEST = "sluicegate.ledger.newest.timestamp"
    HOME_FREE = "sluicegate.home.free"
    SERVICE_UP = "sluicegate.service.up"


@dataclass(frozen=True)
class Instrument:
    """How a metric is read. `unit`: by UCUM, as OpenTelemetry has it; `bounds`: of a histogram's buckets."""

    measure: Measure
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


_SECONDS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_LONG = (10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200, 604_800)
_ROWS = (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_COUNTER, _GAUGE, _HISTOGRAM = Measure.COUNTER, Measure.GAUGE, Measure.HISTOGRAM

INSTRUMENTS: Mapping[Metric, Instrument] = total(
    Metric,
    {
        Metric.READABLE: Instrument(_GAUGE, "", "1 if ledger and home could be read for this look, else 0."),
        Metric.BATCHES: Instrument(
            _COUNTER, "{batch}", "Batches that were received, held, failed, or ended.", ("state", "agreement")
        ),
        Metric.ROWS: Instrument(
            _COUNTER, "{row}", "Rows of batches that ended, by outcome, as accounted for.", ("outcome", "agreement")
        ),
        Metric.BATCH_ROWS: Instrument(_HISTOGRAM, "{row}", "Size of a batch at receipt.", (), _ROWS),
        Metric.BATCH_DURATION: Instrument(
            _HISTOGRAM, "s", "From receipt to the first end or hold of a batch.", ("state",), _LONG
        ),
        Metric.BATCH_CODES: Instrument(
            _COUNTER, "{batch}", "Batches that were held or ended for this code.", ("state", "code")
        ),
        Metric.STEP_DURATION: Instrument(
            _HISTOGRAM, "s", "Time of a stage or checkpoint, waiting left out.", ("step",), _SECONDS
        ),
        Metric.VERDICTS: Instrument(_COUNTER, "{verdict}", "Verdicts of checkpoints.", ("checkpoint", "verdict")),
        Metric.CHECKPOINT_ROWS: Instrument(
            _COUNTER, "{row}", "Rows that checkpoints judged, control rows included.", ("checkpoint",)
        ),
        Metric.DECISIONS: Instrument(_COUNTER, "{decision}", "Signatures of operators on decisions.", ("decision",)),
        Metric.TRIES: Instrument(_COUNTER, "{try}", "Tries that batches made on persons."),
        Metric.TRIES_HELD: Instrument(_COUNTER, "{row}", "Rows that limits on tries held.", ("code",)),
        Metric.VIEWS: Instrument(_COUNTER, "{view}", "Views of values by people.", ("what",)),
        Metric.OPEN: Instrument(_GAUGE, "{batch}", "Batches that have not ended, by state.", ("state",)),
        Metric.WAITING: Instrument(_GAUGE, "{thing}", "What waits for people now.", ("kind",)),
        Metric.WAITING_AGE: Instrument(_GAUGE, "s", "Age of the oldest that waits; 0 if none does.", ("kind",)),
        Metric.WAITING_DEADLINE: Instrument(
            _GAUGE, "s", "Time left until the nearest deadline; negative once it has passed.", ("kind",)
        ),
        Metric.NIGHT_BEGAN: Instrument(_GAUGE, "s", "When the last night began (Unix time)."),
        Metric.NIGHT_EXIT: Instrument(_GAUGE, "", "How the last night ended: 0 completed, 3 held, 1 failed."),
        Metric.LEDGER_EVENTS: Instrument(_GAUGE, "{event}", "Events of the ledger."),
        Metric.LEDGER_NEWEST: Instrument(_GAUGE, "s", "When the newest event was recorded (Unix time)."),
        Metric.HOME_FREE: Instrument(_GAUGE, "By", "Free space on the volume of the home."),
        Metric.SERVICE_UP: Instrument(_GAUGE, "", "1 if a part that sluicegate up starts runs, else 0.", ("part",)),
    },
)


@dataclass(frozen=True)
class Point:
    """One measurement. `attributes`: exactly those of its instrument, in their order."""

    metric: Metric
    value: float
    attributes: tuple[str, ...] = ()

    @property
    def named(self) -> dict[str, str]:
        """The attributes by name; raises ValueError if they are not those of the instrument."""
        return dict(zip(INSTRUMENTS[self.metric].attributes, self.attributes, strict=True))
