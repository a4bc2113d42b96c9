"""The recipient's forms: what is at fault is told by its place, and never quoted."""

from __future__ import annotations

import re
from datetime import date

import pytest

from expectations.base.errors import BadInput
from flows.cases import forms
from flows.cases.advancing import Step
from tests.factories import recalls

LISTED = {"package-1", "db-1", "derived-1"}
FORMS = {
    "no such column": (Step.COPIES, recalls.COPIES.replace(b"system", b"sistem"), "a column is missing: system"),
    "a kind of its own": (
        Step.COPIES,
        recalls.COPIES.replace(b",file,", b",x,").replace(b"package,", b"parcel,"),
        "entry 1",
    ),
    "derived from nothing": (Step.COPIES, recalls.COPIES.replace(b"db-1,dispose", b"db-9,dispose"), "derived_from"),
    "the same id twice": (Step.COPIES, recalls.COPIES.replace(b"derived-1", b"db-1"), "same id"),
    "a field too many": (Step.COPIES, recalls.COPIES + b"a,file,b,1,,dispose,x\n", "entry 4"),
    "empty": (Step.COPIES, recalls.COPIES.splitlines()[0], "no entries"),
    "not text": (Step.COPIES, b"\xff\xfe", "UTF-8"),
    "a copy that is not listed": (Step.DISPOSED, recalls.log("db-1").replace(b"db-1", b"db-7"), "not on the list"),
    "the same copy twice": (
        Step.DISPOSED,
        recalls.log("db-1") + recalls.log("db-1").splitlines()[1] + b"\n",
        "entry 2",
    ),
    "tomorrow": (
        Step.DISPOSED,
        re.sub(rb"C. Custodian,[0-9-]+", b"C. Custodian,2199-01-01", recalls.log("db-1")),
        "future",
    ),
    "before it was received": (
        Step.DISPOSED,
        recalls.log("db-1").replace(b"2026-03-01", b"2199-01-01"),
        "before received_on",
    ),
    "no such method": (Step.DISPOSED, recalls.log("db-1").replace(b"clear", b"delete"), "method"),
    "a return among disposals": (Step.DISPOSED, recalls.log("db-1", returned=True), "no returns"),
    "a disposal among returns": (Step.RETURNED, recalls.log("db-1"), "no returns"),
    "a return without receipt": (Step.RETURNED, recalls.log("db-1", returned=True).replace(b"R-1", b""), "receipt"),
    "not of all rows": (Step.PERSONS, recalls.persons(4), "not of all recalled rows"),
    "a notice without its day": (Step.PERSONS, recalls.persons(5).replace(b"nobody", b"holder"), "has its day"),
    "none without its reason": (Step.PERSONS, b"notifies,person,rows,because\nnobody,C. Custodian,5,\n", "its reason"),
    "a notice to come": (
        Step.PERSONS,
        b"notifies,person,rows,notified_on\nholder,C. Custodian,5,2199-01-01\n",
        "future",
    ),
    "no one responsible": (Step.DISPOSED, recalls.log("db-1").replace(b"C. Custodian", b""), "person"),
}


def read(step: Step, data: bytes, done: frozenset[str] = frozenset()) -> int:
    if step is Step.COPIES:
        return len(forms.copies(data, "form.csv"))
    if step is Step.PERSONS:
        return len(forms.persons(data, "form.csv", 5, date(2198, 1, 1)))
    return len(forms.disposals(data, "form.csv", LISTED, done, date(2198, 1, 1), step is Step.RETURNED))


def test_good_forms_are_read_whole() -> None:
    assert read(Step.COPIES, recalls.COPIES) == 3
    assert read(Step.DISPOSED, recalls.log(*LISTED)) == 3
    assert read(Step.PERSONS, recalls.persons(5)) == 1
    assert read(Step.RETURNED, recalls.log("db-1", returned=True)) == 1
    assert {c.id for c in forms.copies(recalls.COPIES, "form.csv")} == LISTED


@pytest.mark.parametrize(("step", "data", "said"), FORMS.values(), ids=FORMS)
def test_a_form_at_fault_is_told_by_its_place(step: Step, data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match="FORM_INVALID") as caught:
        read(step, data)
    assert said in str(caught.value)
    assert not re.search("Custodian|case system|db-7|parcel|2199", str(caught.value))  # never what stands there


def test_no_copy_is_disposed_of_twice() -> None:
    with pytest.raises(BadInput, match="disposed of already"):
        read(Step.DISPOSED, recalls.log("db-1"), frozenset({"db-1"}))
