"""Past batches for tests of what looks at them again: made cheaply, and the orders that meet them later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from expectations.base.clock import Clock
from expectations.gx.verdict import Status, Verdict
from flows.batch import checkpoints, clauses

TODAY = Clock().today("America/New_York")


def order(id: str, said: str = 'effect = "forbid"', day: date = TODAY) -> str:
    return (
        f'kind = "court_order"\nid = "{id}"\ncourt = "a court"\ndocket = "1"\ntitle = "an order"\nsource = "a test"\n'
        f'effective_on = {day}\nscope = {{ agreements = ["sandbox-2026"]{SCOPES.get(id, "")} }}\n{said}\n'
    )


SCOPES = {"colorado": ', districts = ["D. Colo."]', "no-street": ', fields = ["street"]'}


@contextmanager
def waved_through() -> Iterator[None]:
    """Checkpoints that pass whatever is there: what they find is tested elsewhere, and takes most of a batch's time."""
    passed = Verdict("any", Status.PASS, 1, 1, 1, ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "run", lambda *_: passed)
        patch.setattr(clauses, "over_cap", lambda *_: {})  # what intake would have found, asked again
        yield
