"""What was read when a batch was decided again, after its receipt: the inputs of that decision, as the chain keeps
them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Read:
    """The inputs of a decision on what had been enrolled by then.

    position   number of the newest event when it was read
    day        the legal date, YYYYMMDD, in the zone of the agreement that was enrolled then
    under      id and digest of the instruments that were enrolled then and may speak of the batch
    clauses    by clause of the decision (`flows.batch.clauses`), what it read beside: digests, numbers, ids
    """

    position: int
    day: int
    under: tuple[tuple[str, str], ...]
    clauses: dict[str, Any] = field(default_factory=dict)
