"""Orders that bar listed persons, and the deadline to confirm that an order is complied with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import duck, signatures
from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Usage
from expectations.facts import persons
from expectations.instruments import CourtOrder
from flows.ledger import Ledger
from flows.registry import compliance
from tests.factories.ledgers import ORDER, Office, sha

# an order that bars persons


def barring(**said: Any) -> CourtOrder:
    base = {"court": "c", "docket": "d", "title": "t", "source": "s", "effective_on": date(2026, 6, 1)}
    return CourtOrder.model_validate(
        {"kind": "court_order", "id": "bars", **base, "effect": "bar", "barred": "class", **said}
    )


@pytest.mark.parametrize(
    "said",
    [
        {"barred": None},
        {"effect": "forbid"},
        {"barred": "informant"},
        {"scope": {"fields": ["zip"]}},
        {"scope": {"districts": ["D. Mass."]}},
        {"confirm_by": date(2026, 6, 1)},
        {"confirm_by": date(2026, 6, 1), "served_on": date(2026, 6, 2)},
        {"text_sha256": "not a digest"},
    ],
)
def test_an_order_that_bars_says_whom_and_when_it_was_served(said: dict[str, Any]) -> None:
    barring(served_on=date(2026, 6, 2), confirm_by=date(2026, 6, 2), text_sha256="0" * 64)
    with pytest.raises(ValueError):
        barring(**said)


def test_a_barred_list_that_is_not_there_bars_everybody(tmp_path: Path) -> None:
    settings = duck.DuckSettings(threads=1)
    eligible = "(SELECT n AS ordinal, n AS record_id FROM range(1, 5) made(n))"

    def held(text: str | None, *barred: str) -> list[int]:
        kept = None
        if text is not None:
            (tmp_path / "persons.csv").write_text(f"record_id,list\n{text}")
            kept = tmp_path / persons.KEPT
            persons.keep(tmp_path / "persons.csv", kept, settings)
        with duck.session(settings) as connection:
            found = connection.execute(persons.held_back(kept, [], barred, eligible)).fetchall()
        return sorted(ordinal for ordinal, _ in found)

    assert held(None) == held("2,class\n") == []
    assert held("2,class\n", "class") == [2]
    assert held("2,class\n3,other\n", "class", "other") == [2, 3]
    assert held(None, "class") == held("2,other\n", "class") == [1, 2, 3, 4]


# the deadline to confirm compliance


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock(datetime(2026, 6, 1, 12, tzinfo=UTC))
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock) as ledger:
        yield Office(ledger, "ada", "ben")


def confirm(office: Office, who: str = "ada", order: str = "order-1", filed: str = "filed") -> int:
    said = office.ledger.compliance_message(order, sha(filed))
    signed = office.sign(who, said, signatures.COMPLIANCE)
    return office.ledger.confirm_compliance(order, sha(filed), office.line(who), signed)


def test_a_deadline_to_comply_is_watched_until_an_operator_signs(office: Office) -> None:
    def at(moment: datetime) -> list[tuple[str, str]]:
        right, office.ledger.clock = office.ledger.clock, Clock(moment, leap=timedelta.max)
        found, office.ledger.clock = compliance.due(office.ledger, 24), right
        return [(d["order"], "passed" if d["late"] else "due soon") for d in found]

    served = ORDER + b"served_on = 2026-06-01\nconfirm_by = 2026-06-10\n"
    office.enrol(served)
    end = datetime(2026, 6, 11, 4, tzinfo=UTC)  # the day ends in New York
    assert at(end - timedelta(hours=25)) == []
    assert at(end - timedelta(hours=24)) == [("order-1", "due soon")]
    assert at(end) == at(end + timedelta(days=400)) == [("order-1", "passed")]
    confirm(office)
    assert at(end) == [] and office.ledger.verify() == []
    office.enrol(served.replace(b'"Stay"', b'"Stay, corrected"'))  # another version is confirmed anew
    assert at(end) == [("order-1", "passed")]
    office.enrol(served + b"lifted_on = 2026-06-12\n")
    assert at(end) == [("order-1", "passed")] and at(end + timedelta(days=2)) == []


def test_a_confirmation_takes_an_operators_signature_over_an_enrolled_order(office: Office) -> None:
    office.enrol(ORDER)
    office.keys["mallory"] = Ed25519PrivateKey.generate()
    with pytest.raises(BadInput, match="KEY_NOT_ENROLLED"):
        confirm(office, "mallory")
    with pytest.raises(Usage, match="UNKNOWN_ORDER"):
        confirm(office, order="order-2")
    other = office.sign(
        "ada", office.ledger.compliance_message("order-1", sha("something else")), "sluicegate-compliance"
    )
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        office.ledger.confirm_compliance("order-1", sha("filed"), office.line("ada"), other)
    assert office.ledger.confirmed() == {}


def test_that_the_same_was_filed_is_confirmed_once(office: Office) -> None:
    office.enrol(ORDER)
    said = office.ledger.compliance_message("order-1", sha("filed"))
    confirm(office)
    before = office.ledger.head()
    with pytest.raises(Usage, match="CONFIRMED_ALREADY"):  # a page that was open, or the same command again
        confirm(office)
    for who in ("ada", "ben"):
        signed = office.sign(who, said, signatures.COMPLIANCE)
        with pytest.raises(Usage, match="CONFIRMED_ALREADY"):
            office.ledger.confirm_compliance("order-1", sha("filed"), office.line(who), signed)
    assert office.ledger.head() == before
    confirm(office, filed="filed anew")  # what was filed again, for example corrected, is something else
    assert len([e for e in office.ledger.events() if e["kind"] == "complied"]) == 2
    assert office.ledger.verify() == []
