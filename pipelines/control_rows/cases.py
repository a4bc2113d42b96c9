"""The cases: each puts somebody on file, or nobody, and asks, knowing what must come of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pipelines.control_rows.workshop import UNITS, End, Workshop


def _on_file(
    expected: End, code: str | None = None, *, person: dict[str, Any] | None = None, home: dict[str, Any] | None = None
) -> Callable[[Workshop], None]:
    """Somebody on file with a good address; the request differs from the file as `person` and `home` say."""

    def case(shop: Workshop) -> None:
        somebody, place = shop.person(), shop.home()
        shop.file(somebody, place)
        shop.ask({**somebody, **(person or {})}, {**place, **(home or {})}, expected, code)

    return case


def _other_spelling(shop: Workshop) -> None:
    somebody, place = shop.person(), shop.home()
    shop.file(somebody, place)
    spelt = place["street"].title().replace(" St", " Street").replace(" Ave", " Avenue").replace(" Rd", " Road")
    shop.ask({**somebody, "last_name": somebody["last_name"].upper()}, {**place, "street": spelt}, End.ELIGIBLE)


def _one_of_two_surnames(shop: Workshop) -> None:
    """Tier C: the file has two surnames, the request one of them; no TIN; birth date and full address agree."""
    somebody, place = shop.person(), shop.home()
    shop.file({**somebody, "last_name": f"{shop.word()} {somebody['last_name']}"}, place)
    shop.ask({**somebody, "tin": None}, place, End.ELIGIBLE)


def _with_unit(shop: Workshop) -> None:
    """A building with two units on file: one request names its unit, the other does not."""
    building = shop.home()
    named, unnamed = shop.person(), shop.person()
    for who, unit in zip((named, unnamed), UNITS, strict=True):
        shop.file(who, {**building, "unit": unit})
    shop.ask(named, {**building, "unit": UNITS[0]}, End.ELIGIBLE)
    shop.ask(unnamed, building, End.HELD, "UNIT_NEEDED")


def _stranger(shop: Workshop) -> None:
    shop.ask(shop.person(), shop.home(), End.UNMATCHED)


def _borrowed_tin(shop: Workshop) -> None:
    """The TIN is somebody's, the name and the address are not."""
    owner = shop.person()
    shop.file(owner, shop.home())
    shop.ask(shop.person(unlike=owner, tin=owner["tin"]), shop.home(), End.UNMATCHED)


def _elsewhere(shop: Workshop) -> None:
    """TIN, name and birth date agree; the address is complete, and not on file: what the failed control let through."""
    somebody = shop.person()
    shop.file(somebody, shop.home())
    shop.ask(somebody, shop.home(), End.HELD, "NOT_CORROBORATED")


def _two_records(shop: Workshop) -> None:
    """Two records that nothing tells apart."""
    somebody, place = shop.person(tin=None), shop.home()
    shop.file(somebody, place)
    shop.file(somebody, place)
    shop.ask(somebody, place, End.AMBIGUOUS)


def _claimed_twice(shop: Workshop) -> None:
    """One record without a birth date, claimed by two requests with different ones."""
    somebody, place = shop.person(), shop.home()
    shop.file({**somebody, "birth_date": None}, place)
    shop.ask(somebody, place, End.AMBIGUOUS)
    shop.ask({**somebody, "birth_date": somebody["birth_date"] + timedelta(days=700)}, place, End.AMBIGUOUS)


CASES: tuple[Callable[[Workshop], None], ...] = (
    *[_on_file(End.ELIGIBLE)] * 2,
    _on_file(End.ELIGIBLE, person={"birth_date": None}),
    *[_on_file(End.ELIGIBLE, person={"tin": None})] * 2,
    _other_spelling,
    _one_of_two_surnames,
    _with_unit,
    *[_stranger] * 2,
    _borrowed_tin,
    _two_records,
    _claimed_twice,
    *[_elsewhere] * 2,
    _on_file(End.HELD, "PLACEHOLDER", home={"street": "FAILED TO PROVIDE"}),
    _on_file(End.HELD, "PLACEHOLDER", home={"street": "UNKNOWN ADDRESS", "city": None, "state": None}),
    _on_file(End.HELD, "NO_ADDRESS", home={"street": None, "city": None, "state": None}),
    _on_file(End.HELD, "NO_NUMBER", home={"street": "OAK STREET"}),
    _on_file(End.HELD, "NO_BOX", home={"street": "PO BOX"}),
    _on_file(End.HELD, "NO_ZIP", home={"zip": None}),
    _on_file(End.HELD, "ZIP_NOT_IN_STATE", home={"state": "OH"}),
)
