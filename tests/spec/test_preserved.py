"""An order can have what was disclosed frozen and yet forbid to touch it: when disposal waits, and what allows it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from expectations.base.errors import BadInput
from expectations.instruments import Agreement, CourtOrder, parse_instrument, preserved
from tests.factories.submissions import INSTRUMENTS, shipped

DAY = date(2026, 6, 1)
HEAD = 'kind = "court_order"\ncourt = "c"\ndocket = "d"\ntitle = "t"\nsource = "s"\n'
KEEP = 'effective_on = 2026-05-01\neffect = "forbid"\npreserve = true'


def order(name: str, text: str, scope: str = "") -> CourtOrder:
    found = parse_instrument(f'{HEAD}id = "{name}"\n{text}\n[scope]\n{scope}\n'.encode(), name)
    assert isinstance(found, CourtOrder)
    return found


LIFT = 'effective_on = 2026-05-20\neffect = "lift"\nlifts = ["keep"]'
DESPITE = 'effective_on = 2026-05-20\neffect = "recall"\ndisposal_despite = ["keep"]'
CASES = {
    "an order that preserves": ([order("keep", KEEP)], True),
    "one that only forbids": ([order("keep", KEEP.replace("preserve = true", ""))], False),
    "one that holds, and preserves": ([order("keep", KEEP.replace('"forbid"', '"hold"'))], True),
    "from its first day on": ([order("keep", KEEP.replace("2026-05-01", "2026-06-01"))], True),
    "not the day before": ([order("keep", KEEP.replace("2026-05-01", "2026-06-02"))], False),
    "no longer on the day it is lifted": ([order("keep", f"{KEEP}\nlifted_on = 2026-06-01")], False),
    "the last day": ([order("keep", f"{KEEP}\nlifted_on = 2026-06-02")], True),
    "lifted by another": ([order("keep", KEEP), order("lift", LIFT)], False),
    "superseded": (
        [order("keep", KEEP), order("next", 'effective_on = 2026-05-20\neffect = "forbid"\nsupersedes = ["keep"]')],
        False,
    ),
    "allowed by another": ([order("keep", KEEP), order("allow", DESPITE)], False),
    "allowed from tomorrow on": ([order("keep", KEEP), order("allow", DESPITE.replace("05-20", "06-02"))], True),
    "allowed, and that was lifted": (
        [order("keep", KEEP), order("allow", DESPITE), order("lift", LIFT.replace('["keep"]', '["allow"]'))],
        True,
    ),
    "another one allowed": ([order("keep", KEEP), order("allow", DESPITE.replace('["keep"]', '["other"]'))], True),
    "two of which one is allowed": ([order("keep", KEEP), order("also", KEEP), order("allow", DESPITE)], True),
    "against another agreement": ([order("keep", KEEP, 'agreements = ["other"]')], False),
    "allowed under another agreement only": (
        [order("keep", KEEP), order("allow", DESPITE, 'agreements = ["other"]')],
        True,
    ),
    "against another requester": ([order("keep", KEEP, 'requesters = ["other"]')], False),
    "of some fields: in doubt all is kept": ([order("keep", KEEP, 'fields = ["street"]')], True),
    "of some districts: in doubt all is kept": ([order("keep", KEEP, 'districts = ["D. Mass."]')], True),
}


@pytest.mark.parametrize(("orders", "kept"), CASES.values(), ids=CASES)
def test_what_was_disclosed_is_kept(sandbox: Agreement, orders: list[CourtOrder], kept: bool) -> None:
    assert bool(preserved(sandbox, orders, DAY)) is kept
    assert set(preserved(sandbox, orders, DAY)) <= {o.id for o in orders if o.preserve}


FORM = {
    "a lift preserves nothing": f"{LIFT}\npreserve = true",
    "a declaration preserves nothing": 'effective_on = 2026-05-01\neffect = "declare"\npreserve = true',
    "a declaration allows nothing": 'effective_on = 2026-05-01\neffect = "declare"\ndisposal_despite = ["keep"]',
    "none allows despite itself": DESPITE.replace('["keep"]', '["one"]'),
}


@pytest.mark.parametrize("text", FORM.values(), ids=FORM)
def test_the_form_refuses_what_makes_no_sense(text: str) -> None:
    with pytest.raises(BadInput, match="INSTRUMENT_INVALID"):
        order("one", text)


def test_under_the_injunction_of_2026_nothing_is_disposed_of() -> None:
    """Frozen, yet not to be touched: from its day on, without end, whatever the appellate holding says."""
    agreement = shipped("irs-ice-2025.toml.in")
    assert isinstance(agreement, Agreement)
    orders = [o for p in INSTRUMENTS.glob("*.toml") if isinstance(o := shipped(p.name), CourtOrder)]
    first = date(2026, 2, 5)
    assert preserved(agreement, orders, first - timedelta(days=1)) == ()
    for day in (first, date(2026, 2, 26), agreement.valid_to, date(2100, 1, 1)):
        assert preserved(agreement, orders, day) == ("injunction-2026-02-05-dmass",)
    allowed = order("allow", DESPITE.replace('"keep"', '"injunction-2026-02-05-dmass"'))
    assert preserved(agreement, [*orders, allowed], DAY) == ()
