"""The shipped instruments parse, and the court orders stand against the 2025 agreement from their day on."""

from datetime import date, timedelta

import pytest

from expectations.base.errors import BadInput
from expectations.instruments import Agreement, CourtOrder, parse_instrument, standing
from tests.factories.submissions import INSTRUMENTS, shipped

STATUTE = "8 USC 1253(a)(1)"


def test_every_shipped_instrument_parses() -> None:
    found = [shipped(p.name) for p in sorted(INSTRUMENTS.glob("*.toml*"))]
    assert [i.id for i in found] == [
        "determination-sandbox",
        "holding-2026-02-24-dccir",
        "injunction-2026-02-05-dmass",
        "irs-ice-2025",
        "sandbox-2026",
        "stay-2025-11-21-ddc",
    ]


@pytest.mark.parametrize(
    ("name", "day"),
    [("stay-2025-11-21-ddc.toml", date(2025, 11, 21)), ("injunction-2026-02-05-dmass.toml", date(2026, 2, 5))],
)
def test_an_order_stands_from_its_day_on_and_not_the_day_before(name: str, day: date) -> None:
    agreement, order = shipped("irs-ice-2025.toml.in"), shipped(name)
    assert isinstance(agreement, Agreement) and isinstance(order, CourtOrder)
    assert agreement.in_force(day) and not agreement.in_force(date(2025, 4, 6))

    def against(on: date) -> tuple[str, ...]:
        return standing(agreement, [order], STATUTE, agreement.purposes[0], on).forbid

    assert against(day - timedelta(days=1)) == ()
    assert against(day) == against(day + timedelta(days=4000)) == (order.id,)


def test_no_order_stands_against_the_sandbox_agreement(sandbox: Agreement) -> None:
    for name in ("stay-2025-11-21-ddc.toml", "injunction-2026-02-05-dmass.toml"):
        order = shipped(name)
        assert isinstance(order, CourtOrder)
        assert standing(sandbox, [order], STATUTE, sandbox.purposes[0], date(2026, 6, 1)).cites == ()
    assert sandbox.in_force(date(2026, 1, 1)) and sandbox.in_force(date(2031, 12, 31))
    assert not sandbox.in_force(date(2025, 12, 31))


def test_the_share_of_weak_tiers_is_bounded_in_every_agreement(sandbox: Agreement) -> None:
    text = (INSTRUMENTS / "sandbox-2026.toml.in").read_text()
    said = f"weak_tiers_ceiling = {sandbox.thresholds.weak_tiers_ceiling}"
    for written, share in (("", 0.25), ("weak_tiers_ceiling = 0.1", 0.1)):
        found = parse_instrument(text.replace(said, written).encode(), "a.toml")
        assert isinstance(found, Agreement) and found.thresholds.weak_tiers_ceiling == share
    with pytest.raises(BadInput, match="weak_tiers_ceiling"):
        parse_instrument(text.replace(said, "weak_tiers_ceiling = 1.1").encode(), "a.toml")


def test_only_a_state_or_a_city_may_be_left_out(sandbox: Agreement) -> None:
    assert sandbox.may_be_left_out == ()
    text = (INSTRUMENTS / "sandbox-2026.toml.in").read_text()
    said = parse_instrument(f'may_be_left_out = ["state"]\n{text}'.encode(), "a.toml")
    assert isinstance(said, Agreement) and said.may_be_left_out == ("state",)
    with pytest.raises(BadInput, match="may_be_left_out"):
        parse_instrument(f'may_be_left_out = ["zip"]\n{text}'.encode(), "a.toml")


def test_the_agreement_of_2025_is_stopped_on_every_date_from_the_stay_on() -> None:
    """All instruments together, the appellate holding among them, on every day of the agreement."""
    agreement = shipped("irs-ice-2025.toml.in")
    assert isinstance(agreement, Agreement)
    orders = [o for p in INSTRUMENTS.glob("*.toml") if isinstance(o := shipped(p.name), CourtOrder)]
    day = agreement.valid_from
    while day <= agreement.valid_to:
        found = standing(agreement, orders, STATUTE, agreement.purposes[0], day).forbid
        expected = [("injunction-2026-02-05-dmass", date(2026, 2, 5)), ("stay-2025-11-21-ddc", date(2025, 11, 21))]
        assert found == tuple(name for name, first in expected if first <= day), day
        day += timedelta(days=1)
