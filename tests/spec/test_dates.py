"""A legal day begins at midnight in the agreement's zone: across daylight saving, zones ahead of UTC, years and leap
days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from expectations.base import duck
from expectations.base.clock import Clock, legal_date
from expectations.facts import letter, sql
from expectations.instruments import Agreement, CourtOrder, parse_letter
from expectations.names import standard
from expectations.rules.book import batch_rules, request_rules
from flows.batch.advance import advance
from flows.batch.plan import PLAN
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.sandbox.home import enrol
from pipelines.ingest import letter_facts
from tests.factories import installations, submissions
from tests.factories.installations import Installation

INSTANT = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# zone, the instant (UTC) at which a legal day begins there, that day
BEGINS = [
    ("UTC", "2026-06-02 00:00", "2026-06-02"),
    ("America/New_York", "2026-06-02 04:00", "2026-06-02"),
    ("America/New_York", "2026-01-15 05:00", "2026-01-15"),
    ("America/New_York", "2026-03-08 05:00", "2026-03-08"),  # the night the clocks spring forward …
    ("America/New_York", "2026-03-09 04:00", "2026-03-09"),  # … makes a day of 23 hours
    ("America/New_York", "2026-11-01 04:00", "2026-11-01"),  # the night they fall back …
    ("America/New_York", "2026-11-02 05:00", "2026-11-02"),  # … makes one of 25
    ("America/New_York", "2027-01-01 05:00", "2027-01-01"),
    ("America/New_York", "2028-02-29 05:00", "2028-02-29"),
    ("America/New_York", "2028-03-01 05:00", "2028-03-01"),
    ("America/New_York", "2027-03-01 05:00", "2027-03-01"),  # no leap year
    ("America/Phoenix", "2026-07-01 07:00", "2026-07-01"),  # no daylight saving
    ("Pacific/Guam", "2026-06-01 14:00", "2026-06-02"),
    ("Pacific/Guam", "2026-12-31 14:00", "2027-01-01"),
    ("Pacific/Guam", "2028-02-28 14:00", "2028-02-29"),
    ("Pacific/Honolulu", "2026-06-02 10:00", "2026-06-02"),
    ("Pacific/Honolulu", "2027-01-01 10:00", "2027-01-01"),
    ("Pacific/Pago_Pago", "2026-06-02 11:00", "2026-06-02"),
    ("Asia/Kathmandu", "2026-06-01 18:15", "2026-06-02"),
    ("Asia/Kolkata", "2026-12-31 18:30", "2027-01-01"),
    ("America/St_Johns", "2026-03-08 03:30", "2026-03-08"),
    ("America/St_Johns", "2026-03-09 02:30", "2026-03-09"),
    ("America/Santiago", "2026-09-06 04:00", "2026-09-06"),  # its first hour is skipped: the day begins at one
    ("America/Havana", "2026-11-01 04:00", "2026-11-01"),  # midnight comes twice: the day begins at the first
]
# zone, an instant within a night that is no ordinary one, its legal date
WITHIN = [
    ("America/New_York", "2026-03-08 06:59:59.999999", "2026-03-08"),
    ("America/New_York", "2026-03-08 07:00", "2026-03-08"),
    ("America/New_York", "2026-11-01 05:30", "2026-11-01"),
    ("America/New_York", "2026-11-01 06:30", "2026-11-01"),
    ("America/New_York", "2026-11-02 04:30", "2026-11-01"),  # the 25th hour
    ("America/Havana", "2026-11-01 05:30", "2026-11-01"),
    ("Pacific/Apia", "2011-12-30 09:59:59", "2011-12-29"),  # it had no 30 December that year
    ("Pacific/Apia", "2011-12-30 10:00", "2011-12-31"),
]


@pytest.mark.parametrize(("zone", "moment", "day"), WITHIN)
def test_within_the_night(zone: str, moment: str, day: str) -> None:
    assert legal_date(utc(moment), zone) == Clock(utc(moment)).today(zone) == date.fromisoformat(day)


@pytest.mark.parametrize(("zone", "begins", "day"), BEGINS)
def test_a_day_begins_at_its_midnight(zone: str, begins: str, day: str) -> None:
    first = date.fromisoformat(day)
    assert legal_date(utc(begins), zone) == first
    assert legal_date(utc(begins) - INSTANT, zone) == first - timedelta(days=1)


def test_a_time_without_a_zone_has_no_legal_date() -> None:
    with pytest.raises(ValueError, match="aware"):
        legal_date(datetime(2026, 6, 1), "UTC")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.session() as opened:
        standard.setup(opened)
        yield opened


def order(**said: Any) -> CourtOrder:
    base = {"kind": "court_order", "id": "o1", "court": "c", "docket": "d", "title": "t", "source": "s"}
    return CourtOrder.model_validate({**base, "effect": "forbid", "effective_on": date(2000, 1, 1), **said})


def judged(
    connection: duckdb.DuckDBPyConnection,
    under: Agreement,
    received_at: datetime,
    *orders: CourtOrder,
    dated: date | None = None,
) -> set[str]:
    """Codes of the batch rules about days, for a letter received at that instant; dated the same day, if not told."""
    day = legal_date(received_at, under.zone)
    file = submissions.DataFile("requests.csv", b"", 1)
    text = submissions.letter([file], under, date=dated or day).encode()
    known = letter.letter_facts(parse_letter(text), text, "", under, orders, day, day)
    rules = {r.code: r.predicate for r in batch_rules()}
    codes = ("AGREEMENT_NOT_IN_FORCE", "COURT_ORDER", "LETTER_IN_FUTURE")
    query = f"SELECT {', '.join(f'({rules[c]})' for c in codes)} FROM ({sql.one_row(known.flat())})"
    found = connection.execute(query).fetchall()[0]
    return {code for code, holds in zip(codes, found, strict=True) if holds is not True}


@pytest.mark.parametrize(("zone", "begins", "day"), BEGINS)
def test_what_begins_or_ends_with_the_day(
    connection: duckdb.DuckDBPyConnection, zone: str, begins: str, day: str
) -> None:
    first, at = date.fromisoformat(day), utc(begins)
    last, before = first - timedelta(days=1), at - INSTANT
    wide = {"zone": zone, "valid_from": date(2000, 1, 1), "valid_to": date(2099, 1, 1)}

    def under(**said: Any) -> Agreement:
        return submissions.sandbox().model_copy(update={**wide, **said})

    assert judged(connection, under(), before) == judged(connection, under(), at) == set()
    assert judged(connection, under(valid_from=first), before) == {"AGREEMENT_NOT_IN_FORCE"}
    assert judged(connection, under(valid_from=first), at) == set()
    assert judged(connection, under(valid_to=last), before) == set()
    assert judged(connection, under(valid_to=last), at) == {"AGREEMENT_NOT_IN_FORCE"}
    assert judged(connection, under(), before, order(effective_on=first)) == set()
    assert judged(connection, under(), at, order(effective_on=first)) == {"COURT_ORDER"}
    assert judged(connection, under(), before, order(lifted_on=first)) == {"COURT_ORDER"}
    assert judged(connection, under(), at, order(lifted_on=first)) == set()
    assert judged(connection, under(), before, dated=first) == {"LETTER_IN_FUTURE"}
    assert judged(connection, under(), at, dated=first) == set()


@pytest.mark.parametrize(("zone", "begins", "day"), BEGINS)
def test_the_ninetieth_day_ends_at_midnight_too(
    connection: duckdb.DuckDBPyConnection, zone: str, begins: str, day: str
) -> None:
    """A letter of the day of receipt; a final order of 91 days before the day that begins. 8 USC 1253(a)(1)."""
    rule = next(r for r in request_rules() if r.code == "FINAL_ORDER_TOO_RECENT")
    final = date.fromisoformat(day) - timedelta(days=91)
    for received_at, elapsed in ((utc(begins) - INSTANT, False), (utc(begins), True)):
        row = f"""SELECT 'R' AS request_id, '{final}' AS final_order_date, 'none' AS judicial_order_date,
          '8 USC 1253(a)(1)' AS statute,
          DATE '{legal_date(received_at, zone)}' AS letter_date, 90 AS days_after_final_order, NULL AS prong"""
        assert connection.execute(f"SELECT {rule.met} FROM ({row})").fetchall() == [(elapsed,)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installations.make(tmp_path_factory.mktemp("home"))


def at(installation: Installation, moment: datetime) -> Ledger:
    """The home's ledger, at that moment."""
    return Ledger.open(installation.home.ledger_url, Clock(moment, pretended=True))


def rows(first: int) -> list[dict[str, Any]]:
    """Some that are released and two that find nobody, so that the match rate stays in its band."""
    nobody = {"first_name": "Ottoline", "last_name": "Vandersloot", "tin": None, "birth_date": "1944-11-30"}
    lost = [
        installations.request(70 + n, request_id=f"N-{first}-{n}", street=f"{n} Elsewhere Rd", **nobody) for n in (1, 2)
    ]
    return [*(installations.request(n) for n in range(first, first + 8)), *lost]


RECEIVED = [
    ("America/New_York", "2026-03-09 04:00", "2026-03-09"),
    ("Pacific/Guam", "2026-12-31 14:00", "2027-01-01"),
    ("Asia/Kathmandu", "2026-06-01 18:15", "2026-06-02"),
]


@pytest.mark.parametrize(("zone", "begins", "day"), RECEIVED)
def test_a_submission_is_decided_on_the_legal_day_of_its_receipt(
    installation: Installation, tmp_path: Any, zone: str, begins: str, day: str
) -> None:
    """Under an agreement whose first day it is, by a letter of that day."""
    first, begun = date.fromisoformat(day), utc(begins)
    text = (installation.home.instruments / "sandbox-2026.toml").read_text()
    name = f"first-{day}"
    text = text.replace('id = "sandbox-2026"', f'id = "{name}"').replace('"America/New_York"', f'"{zone}"')
    with at(installation, begun) as ledger:
        enrol(
            installation.home, ledger, text.replace("valid_from = 2026-01-01", f"valid_from = {day}").encode(), "a.toml"
        )
    under = installations.agreement(installation, name)
    for moment, decided in ((begun - INSTANT, first - timedelta(days=1)), (begun, first)):
        asked = [installations.request(1, request_id=f"R-{decided}")]
        submission = installation.submit(tmp_path / str(decided), asked, under, date=first)
        with at(installation, moment) as ledger:
            name = receive(installation.home, ledger, Clock(moment, pretended=True), submission)
            one = BatchSteps(installation.home, ledger, name)
            assert (one.record.decided_on, one.ctx.received_on) == (decided, decided)
            assert one.record.received_at == moment
            assert letter_facts(one.ctx).agreement_in_force is (decided == first)


@pytest.mark.slow
def test_an_order_that_begins_at_midnight_stops_what_was_sealed_before(
    installation: Installation, tmp_path: Any
) -> None:
    """Received and sealed at 23:30 in New York (UTC is a day ahead); the order was there, for the day after."""
    midnight = utc("2026-07-02 04:00")
    evening = midnight - timedelta(minutes=30)
    body = f"""
kind = "court_order"
id = "from-midnight"
court = "Court of Examples (fictional)"
docket = "1"
title = "Stay (fictional)"
source = "fictional"
effective_on = {legal_date(midnight, installation.agreement.zone)}
effect = "forbid"
scope = {{ agreements = ["{installation.agreement.id}"] }}
"""
    submission = installation.submit(tmp_path / "a", rows(1), date=legal_date(evening, installation.agreement.zone))
    with at(installation, evening) as ledger:
        enrol(installation.home, ledger, body.encode(), "order.toml")
        name = receive(installation.home, ledger, Clock(evening, pretended=True), submission)
        one = BatchSteps(installation.home, ledger, name)
        while (state := one.record.state) is not State.SEALED:
            assert PLAN[state], (state, one.record.codes)
            for step in PLAN[state]:
                one.do(step)
        for moment, stopped in ((midnight - INSTANT, {}), (midnight, {"COURT_ORDER": ("from-midnight",)})):
            ledger.clock = Clock(moment, pretended=True)  # as while a large package is copied
            assert one.release.law.now().ruling.refuses == stopped
    with at(installation, midnight) as ledger:
        one = BatchSteps(installation.home, ledger, name)
        assert advance(one) is State.REFUSED
        assert one.record.cites == ("from-midnight",) and not (installation.home.outbox / name).exists()
