"""Control rows: invented persons that the holder runs through every batch, to see that what must be withheld is.

They are made from the submission's digest, so that a re-run makes the same ones, and nobody outside can foretell them.
Each has a record in a register of its own (ids below zero), a request, and the end that it must come to. Those that
must be held are on file with a good address: only the check under test stands between them and a release.

What a control row comes to depends on nothing but the control rows: a row and a record of different sides share no
blocking key (`register.keys`), and no two invented persons share a word of their names, a street or a TIN. Nor do they
live where the operator's list of facilities or the requester's premises would hold them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from expectations.address.reference import plain
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.contracts.request import RAW_REQUEST
from expectations.contracts.stages import PLACE
from pipelines.control_rows.cases import CASES
from pipelines.control_rows.workshop import MOVED_IN, End, Workshop

__all__ = ["CASES", "ControlRows", "End", "make"]

REQUESTS = pa.schema([*PLACE, *RAW_REQUEST])
EXPECTED = pa.schema(
    [
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("expected", pa.string(), nullable=False),  # an End
        pa.field("code", pa.string()),  # a code that it must carry, or null
    ]
)


@dataclass(frozen=True)
class ControlRows:
    """Tables for the datasets of `ingest.decoys`. `expected`: ordinal, expected end, the code that it must carry."""

    requests: pa.Table
    persons: pa.Table
    addresses: pa.Table
    expected: pa.Table


def make(
    seed: str,
    *,
    officer: str,
    reason: str,
    taxable_period: str,
    elements: Mapping[str, str],
    decided_on: date | None = None,
    avoid: Sequence[str] = (),
) -> ControlRows:
    """Control rows of a submission; the same ones for the same arguments. `seed`: its digest.

    officer, reason, taxable_period, elements   must meet the row rules of authority for this letter, and those of its
                                                statute: control rows test addresses and matching, not authority
    decided_on   the day on which addresses on file must have begun
    avoid        phrases and addresses (one line each) that would hold back a row whose address has them
    Raises Fault (CONTROL_ROWS_BARRED) if every address has one of them.
    """
    legal = {"officer": officer, "reason": reason, "taxable_period": taxable_period, **elements}
    moved_in = MOVED_IN if decided_on is None else min(MOVED_IN, decided_on)
    workshop = Workshop(seed, legal, moved_in, tuple(f" {plain(text)} " for text in avoid))
    for case in CASES:
        case(workshop)
    return ControlRows(
        pa.Table.from_pylist(workshop.requests, REQUESTS),
        pa.Table.from_pylist(workshop.persons, REGISTER_PERSON),
        pa.Table.from_pylist(workshop.addresses, REGISTER_ADDRESS),
        pa.Table.from_pylist(workshop.expected, EXPECTED),
    )
