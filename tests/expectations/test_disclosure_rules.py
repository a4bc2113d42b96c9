from typing import Any

import pyarrow as pa
import pytest

from expectations.codes import NOT_CONFIRMED, told
from expectations.contracts import CANONICAL, VERDICT
from expectations.duck import session
from expectations.rules.disclosure import RULES
from expectations.rules.rule import failing_codes
from tests.batches import on_file

INPUTS = pa.schema(
    [
        VERDICT.field("addresses_on_file"), VERDICT.field("units_on_file"), VERDICT.field("earlier_tries"),
        VERDICT.field("corroboration"), CANONICAL.field("a_kind"), CANONICAL.field("a_unit"),
        VERDICT.field("lists"), VERDICT.field("origin"), CANONICAL.field("a_state"), pa.field("max_tries_per_person", pa.int32()),
        pa.field("lists_required", pa.list_(pa.string())), pa.field("states_withheld", pa.list_(pa.string())),
    ]
)  # fmt: skip
NULLABLE = pa.schema([f.with_nullable(True) for f in INPUTS])
CLEAN: dict[str, Any] = {
    "addresses_on_file": [on_file(1)], "units_on_file": 0, "earlier_tries": 0, "corroboration": "same",
    "a_kind": "street", "a_unit": None, "a_state": "MA", "max_tries_per_person": 3, "lists": [], "origin": "request",
    "lists_required": [], "states_withheld": [],
}  # fmt: skip


def failing(row: dict[str, Any]) -> list[str]:
    with session() as connection:
        connection.register("t", pa.Table.from_pylist([row], schema=NULLABLE))
        return list(connection.execute(f"SELECT {failing_codes(RULES.values())} FROM t").fetchall()[0][0])


def test_the_clean_row_meets_every_rule() -> None:
    assert failing(CLEAN) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.id)
def test_poison_violates_its_rule_and_no_other(rule: Any) -> None:
    assert failing({**CLEAN, **rule.poison}) == [rule.code]
    assert set(rule.poison) <= set(rule.inputs)


def test_the_all_null_row_fails_every_rule() -> None:
    assert failing(dict.fromkeys(INPUTS.names)) == sorted(r.code for r in RULES.values())


@pytest.mark.parametrize(
    "change",
    [
        {"corroboration": "building"}, {"corroboration": "not_comparable"}, {"corroboration": ""},
        {"a_kind": None}, {"units_on_file": 5}, {"units_on_file": None}, {"earlier_tries": 4}, {"earlier_tries": None},
        {"addresses_on_file": []}, {"addresses_on_file": [on_file(1, street=None)]},
        {"lists": ["informant"]}, {"lists": ["plaintiffs", "protected"]},
        {"lists_required": ["plaintiffs"]}, {"lists": ["others"], "lists_required": ["plaintiffs"]},
        {"states_withheld": ["MA"]}, {"states_withheld": ["TX"], "addresses_on_file": [on_file(1, state="tx "), on_file(2)]},
        {"states_withheld": ["TX"], "a_state": None}, {"states_withheld": ["TX"], "addresses_on_file": [on_file(1, state=None)]},
    ],
)  # fmt: skip
def test_what_is_in_doubt_is_held(change: dict[str, Any]) -> None:
    assert len(failing({**CLEAN, **change})) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"lists": ["plaintiffs", "others"], "lists_required": ["plaintiffs"]}, {"lists": ["others"]},
        {"states_withheld": ["TX"]}, {"origin": "decoy", "lists_required": ["plaintiffs"], "states_withheld": ["MA"]},
    ],
)  # fmt: skip
def test_who_and_where_an_order_still_allows(change: dict[str, Any]) -> None:
    assert failing({**CLEAN, **change}) == []


@pytest.mark.parametrize("change", [{"a_unit": "4", "units_on_file": 5}, {"a_kind": "po_box", "units_on_file": 5}])
def test_a_unit_is_asked_for_only_where_it_is_missing(change: dict[str, Any]) -> None:
    assert failing({**CLEAN, **change}) == []


def test_the_requester_learns_nothing_of_the_register() -> None:
    assert told(r.code for r in RULES.values()) == [NOT_CONFIRMED]
