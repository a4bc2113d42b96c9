"""What court orders leave possible, as a table: the agreement allows street, city and ZIP for two purposes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.base.errors import BadInput
from expectations.instruments import Agreement, CourtOrder, parse_instrument, standing
from expectations.instruments.standing import superseded
from flows.registry.instruments import doubts
from tests.factories.submissions import INSTRUMENTS, sandbox, shipped
from tests.generative.examples import examples

STATUTE, CRIMINAL, JURY = "8 USC 1253(a)(1)", "Criminal proceeding", "Grand jury proceeding"
DAY = date(2026, 6, 1)
UNDER: Agreement = sandbox().model_copy(update={"fields": ("street", "city", "zip")})
ALL = UNDER.fields


def order(id: str = "o1", **said: Any) -> CourtOrder:
    base = {"court": "c", "docket": "d", "title": "t", "source": "s", "effective_on": DAY, "effect": "forbid"}
    return CourtOrder.model_validate({"kind": "court_order", "id": id, **base, **said})


def only(**what: Any) -> dict[str, Any]:
    return {"effect": "restrict", "only": what}


# orders in force on DAY | who forbids | who holds | fields that may leave | states whose rows are held | lists
TABLE: dict[str, tuple[list[CourtOrder], list[str], list[str], tuple[str, ...], list[str], list[str]]] = {
    "none": ([], [], [], ALL, [], []),
    "forbid": ([order()], ["o1"], [], ALL, [], []),
    "recall forbids more": ([order(effect="recall")], ["o1"], [], ALL, [], []),
    "hold": ([order(effect="hold")], [], ["o1"], ALL, [], []),
    "this agreement": ([order(scope={"agreements": [UNDER.id]})], ["o1"], [], ALL, [], []),
    "another agreement": ([order(scope={"agreements": ["irs-ice-2025"]})], [], [], ALL, [], []),
    "this requester": ([order(scope={"requesters": [UNDER.requester.id]})], ["o1"], [], ALL, [], []),
    "another requester": ([order(scope={"requesters": ["ice"]})], [], [], ALL, [], []),
    "this statute": ([order(scope={"statutes": [STATUTE]})], ["o1"], [], ALL, [], []),
    "another statute": ([order(scope={"statutes": ["8 USC 1326"]})], [], [], ALL, [], []),
    "this agreement, another statute": (
        [order(scope={"agreements": [UNDER.id], "statutes": ["8 USC 1326"]})],
        [],
        [],
        ALL,
        [],
        [],
    ),
    "a field": ([order(scope={"fields": ["street"]})], [], [], ("city", "zip"), [], []),
    "every field": ([order(scope={"fields": list(ALL)})], ["o1"], [], (), [], []),
    "every field, between two orders": (
        [order(scope={"fields": ["street"]}), order("o2", scope={"fields": ["city", "zip"]})],
        ["o1", "o2"],
        [],
        (),
        [],
        [],
    ),
    "a field is held": ([order(effect="hold", scope={"fields": ["zip"]})], [], [], ("street", "city"), [], []),
    "only some fields": ([order(**only(fields=["city", "zip"]))], [], [], ("city", "zip"), [], []),
    "only no field": ([order(**only(fields=[]))], ["o1"], [], (), [], []),
    "only a purpose, asked for it": ([order(**only(purposes=[CRIMINAL]))], [], [], ALL, [], []),
    "only another purpose": ([order(**only(purposes=[JURY]))], ["o1"], [], ALL, [], []),
    "only persons on a list": ([order(**only(persons="plaintiffs"))], [], [], ALL, [], ["plaintiffs"]),
    "a district": ([order(scope={"districts": ["D. Mass."]})], [], [], ALL, ["MA"], []),
    "districts, as courts write them": (
        [order(scope={"districts": ["N.D. Cal.", "S.D.N.Y.", "D.D.C."]})],
        [],
        [],
        ALL,
        ["CA", "DC", "NY"],
        [],
    ),
    "held in a district": ([order(effect="hold", scope={"districts": ["D. Mass."]})], [], [], ALL, ["MA"], []),
    "only a purpose, in a district": (
        [order(**only(purposes=[CRIMINAL]), scope={"districts": ["D. Mass."]})],
        [],
        [],
        ALL,
        [],
        [],
    ),
    "only another purpose, in a district": (
        [order(**only(purposes=[JURY]), scope={"districts": ["D. Mass."]})],
        [],
        [],
        ALL,
        ["MA"],
        [],
    ),
    "only some fields, in a district": (
        [order(**only(fields=["zip"]), scope={"districts": ["D. Mass."]})],
        [],
        [],
        ALL,
        ["MA"],
        [],
    ),
    "not yet": ([order(effective_on=DAY + timedelta(days=1))], [], [], ALL, [], []),
    "lifted that day": ([order(effective_on=DAY - timedelta(days=9), lifted_on=DAY)], [], [], ALL, [], []),
    "lifted the day after": (
        [order(effective_on=DAY - timedelta(days=9), lifted_on=DAY + timedelta(days=1))],
        ["o1"],
        [],
        ALL,
        [],
        [],
    ),
    "lifted by another": ([order(), order("o2", effect="lift", lifts=["o1"])], [], [], ALL, [], []),
    "to be lifted tomorrow": (
        [order(), order("o2", effect="lift", lifts=["o1"], effective_on=DAY + timedelta(days=1))],
        ["o1"],
        [],
        ALL,
        [],
        [],
    ),
    "superseded": ([order(), order("o2", effect="hold", supersedes=["o1"])], [], ["o2"], ALL, [], []),
    "superseded by what is lifted": (
        [order(), order("o2", effect="hold", supersedes=["o1"], lifted_on=DAY)],
        ["o1"],
        [],
        ALL,
        [],
        [],
    ),
    "what lifted it was lifted": (
        [order(), order("o2", effect="lift", lifts=["o1"]), order("o3", effect="lift", lifts=["o2"])],
        ["o1"],
        [],
        ALL,
        [],
        [],
    ),
    "lifted after all": (
        [
            order(),
            order("o2", effect="lift", lifts=["o1"]),
            order("o3", effect="lift", lifts=["o2"]),
            order("o4", effect="lift", lifts=["o3"]),
        ],
        [],
        [],
        ALL,
        [],
        [],
    ),
    "superseded by what another lifts": (
        [order(), order("o2", effect="hold", supersedes=["o1"]), order("o3", effect="lift", lifts=["o2"])],
        ["o1"],
        [],
        ALL,
        [],
        [],
    ),
    "they supersede each other": (
        [order(supersedes=["o2"]), order("o2", supersedes=["o1"])],
        ["o1", "o2"],
        [],
        ALL,
        [],
        [],
    ),
    "persons of a list": ([order(effect="bar", barred="class")], [], [], ALL, [], []),
    "a declaration lifts nothing": ([order(), order("o2", effect="declare")], ["o1"], [], ALL, [], []),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_left(name: str) -> None:
    orders, forbid, hold, fields, states, lists = TABLE[name]
    found = standing(UNDER, orders, STATUTE, CRIMINAL, DAY)
    assert (list(found.forbid), list(found.hold), found.fields) == (forbid, hold, fields)
    assert sorted(s for _, some in found.states for s in some) == states
    assert [which for _, which in found.persons] == lists
    assert found.barred == tuple((o.id, o.barred) for o in orders if o.barred)


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"effect": "restrict"}, "only"),
    ({"only": {"fields": ["zip"]}}, "only"),
    ({"effect": "restrict", "only": {}}, "only"),
    ({"effect": "lift"}, "lifts"),
    ({"effect": "bar"}, "barred"),
    ({"barred": "class"}, "barred"),
    ({"effect": "bar", "barred": "protected"}, "barred"),
    ({"effect": "bar", "barred": "class", "scope": {"districts": ["D. Mass."]}}, "scope"),
    ({"confirm_by": DAY}, "confirm_by"),
    ({"lifts": ["o2"]}, "lifts"),
    ({"effect": "lift", "lifts": ["o1"]}, "itself"),
    ({"effect": "declare", "supersedes": ["o2"]}, "supersedes"),
    ({"scope": {"fields": ["tin"]}}, "scope.fields"),
    ({"scope": {"districts": ["D. Nowhere"]}}, "scope.districts"),
    ({"scope": {"districts": ["N.D. Mass."]}}, "scope.districts"),
    ({"scope": {"fields": ["zip"], "districts": ["D. Mass."]}}, "scope"),
    ({"effect": "permit"}, "effect"),
    ({"lifted_on": DAY - timedelta(days=1)}, "lifted_on"),
]


@pytest.mark.parametrize(("said", "key"), INVALID)
def test_an_order_that_says_nothing_clear_is_an_error_at_its_key(said: dict[str, Any], key: str) -> None:
    text = order().model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"kind": "court_order"}
    lines = [f"{k} = {_toml(v)}" for k, v in {**text, **said}.items()]
    lines = [line.replace(f'"{DAY}"', str(DAY)) for line in lines]
    with pytest.raises(BadInput, match=key):
        parse_instrument("\n".join(lines).encode(), "o.toml")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return value.isoformat() if isinstance(value, date) else f'"{value}"'


def test_a_superseding_agreement_takes_over_on_its_first_day() -> None:
    later = UNDER.model_copy(update={"id": "sandbox-2027", "valid_from": DAY, "supersedes": (UNDER.id,)})
    assert superseded(UNDER, [UNDER, later], DAY - timedelta(days=1)) == ()
    assert superseded(UNDER, [UNDER, later], DAY) == (later.id,)


def test_an_order_against_an_agreement_stands_against_its_renewal_under_another_id() -> None:
    renewed = UNDER.model_copy(update={"id": "sandbox-2027", "supersedes": (UNDER.id,)})
    other = UNDER.model_copy(update={"id": "sandbox-2027"})
    orders = [order(scope={"agreements": [UNDER.id]})]
    assert standing(renewed, orders, STATUTE, CRIMINAL, DAY).forbid == ("o1",)
    assert standing(other, orders, STATUTE, CRIMINAL, DAY).forbid == ()  # `instruments check` doubts it: see below
    known = {UNDER.id: (INSTRUMENTS / "sandbox-2026.toml.in").read_bytes()}
    assert any("do not stand against this agreement" in d for d in doubts(other, b"", known, DAY))
    assert not any("stand against" in d for d in doubts(renewed, b"", known, DAY))
    third = UNDER.model_copy(update={"id": "sandbox-2028", "supersedes": ("sandbox-2027",)})
    known["sandbox-2027"] = known[UNDER.id].replace(
        b'"sandbox-2026"', b'"sandbox-2027"\nsupersedes = ["sandbox-2026"]', 1
    )
    assert any("superseded sandbox-2026; name it as well" in d for d in doubts(third, b"", known, DAY))


def test_a_scope_that_meets_nobody_is_doubted() -> None:
    known = {UNDER.id: (INSTRUMENTS / "sandbox-2026.toml.in").read_bytes()}
    said = order(scope={"statutes": ["8 U.S.C. § 1253(a)(1)"], "requesters": ["Department of Examples"]})
    found = [d.split(":")[0] for d in doubts(said, b"", known, DAY)]
    assert found == ["scope.statutes", "scope.requesters"]


ANY_ORDER = st.builds(
    lambda id, effect, scope, what, day, lifted: (
        order(
            id,
            effective_on=day,
            lifted_on=day + timedelta(days=lifted) if lifted else None,
            scope=scope,
            **({"effect": effect} if effect != "restrict" else only(**what)),
        )
        if effect != "bar"
        else order(id, effective_on=day, effect="bar", barred="class")
    ),
    st.sampled_from(["o1", "o2", "o3", "o4"]),
    st.sampled_from(["forbid", "hold", "recall", "restrict", "bar", "declare"]),
    st.sampled_from(
        [{}, {"agreements": [UNDER.id]}, {"fields": ["zip"]}, {"districts": ["D. Mass."]}, {"statutes": ["8 USC 1326"]}]
    ),
    st.sampled_from([{"fields": ["city"]}, {"purposes": [JURY]}, {"purposes": [CRIMINAL]}, {"persons": "plaintiffs"}]),
    st.dates(DAY - timedelta(days=3), DAY + timedelta(days=3)),
    st.integers(0, 5),
)


@given(
    st.lists(ANY_ORDER, max_size=4, unique_by=lambda o: o.id),
    ANY_ORDER,
    st.dates(DAY - timedelta(days=4), DAY + timedelta(days=9)),
)
@settings(max_examples=examples(300), deadline=None, derandomize=True)
def test_one_more_order_never_allows_more(orders: list[CourtOrder], more: CourtOrder, day: date) -> None:
    """Any order but one that ends others; and those end orders only, never what an agreement does not allow."""
    before = standing(UNDER, orders, STATUTE, CRIMINAL, day)
    after = standing(UNDER, [*orders, more.model_copy(update={"id": "more"})], STATUTE, CRIMINAL, day)
    assert set(after.forbid) >= set(before.forbid) and set(after.hold) >= set(before.hold)
    assert set(after.fields) <= set(before.fields) <= set(ALL)
    assert set(after.states) >= set(before.states) and set(after.persons) >= set(before.persons)
    assert set(after.barred) >= set(before.barred)


def test_the_appellate_holding_lifts_neither_order() -> None:
    agreement = shipped("irs-ice-2025.toml.in")
    assert isinstance(agreement, Agreement)
    orders = [o for p in INSTRUMENTS.glob("*.toml") if isinstance(o := shipped(p.name), CourtOrder)]
    assert "holding-2026-02-24-dccir" in [o.id for o in orders]
    for day in (date(2026, 2, 24), date(2026, 2, 25), date(2030, 1, 1)):
        assert standing(agreement, orders, STATUTE, CRIMINAL, day).forbid == (
            "injunction-2026-02-05-dmass",
            "stay-2025-11-21-ddc",
        )
