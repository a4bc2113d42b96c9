"""How often each part of a run is tried again after an error, after which pauses, and how long it may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from expectations.base.errors import SluicegateError, Transient
from expectations.base.total import total
from flows.batch.plan import Step

_HOUR = 3600.0


@dataclass(frozen=True)
class Retries:
    """`pauses`: seconds before each further try; `on`: errors that a further try may fix, all others end the run;
    `seconds`: how long one try may take."""

    pauses: tuple[float, ...] = (1, 5)
    on: type[SluicegateError] = Transient
    seconds: float = 12 * _HOUR


class Part(StrEnum):
    """What is done beside the steps of batches, in a night or by a schedule of its own; each is a task."""

    GATES = "gate self-test"
    REGISTER = "register"
    RECEIPT = "receipt"
    EXPIRY = "expiry"
    SWEEP = "sweep"
    RECALLS = "recalls"
    SIGNED_HEAD = "signed head"
    BACKUP = "backup"
    LOG = "log to another system"
    NOTIFICATION = "notification"
    PING = "ping"


RETRIES: Mapping[Step, Retries] = dict.fromkeys(Step, Retries())
PARTS: Mapping[Part, Retries] = total(
    Part,
    {
        Part.RECEIPT: Retries(seconds=6 * _HOUR),  # a submission of a million rows is copied and its digest taken
        Part.REGISTER: Retries(),
        Part.BACKUP: Retries(),
        **dict.fromkeys((Part.GATES, Part.EXPIRY, Part.SWEEP, Part.RECALLS, Part.SIGNED_HEAD), Retries(seconds=_HOUR)),
        Part.LOG: Retries(pauses=(5, 30), seconds=_HOUR),
        **dict.fromkeys((Part.NOTIFICATION, Part.PING), Retries(pauses=(5, 30), seconds=300)),
    },
)
