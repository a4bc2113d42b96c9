"""The twin: the same verdict on one address by other code, word by word, slow and plain.

A checkpoint judges a sample with it, and tests compare it with the SQL: a mistake would have to be made twice. It reads
the same reference files, but shares no pattern and no step with the SQL.
"""

from collections.abc import Collection, Mapping
from typing import Any

from expectations.address import reference
from expectations.address.twin_text import BAD, PARTS, is_facility, is_placeholder, plain, split, zip5, zips

_MILITARY = ("AA", "AE", "AP")
_PO_WORDS = (
    *(f"{po} {box}" for po in ("PO", "P O") for box in ("BOX", "BX", "DRAWER", "CALLER", "BIN", "B")),
    *("POBOX", "POB", "POBX", "POST OFFICE BOX", "POST OFFICE DRAWER", "LOCK BOX", "LOCKBOX"),
    *("APARTADO POSTAL", "APARTADO"),
)
_BARE_BOX = ("CALLER", "FIRM CALLER", "DRAWER", "BIN", "BOX")
_RURAL = ("RR", "R R", "RURAL ROUTE", "RURAL RTE", "RFD", "R F D", "RD", "ROUTE", "RTE", "RT")
_CONTRACT = (
    *("HC", "H C", "HCR", "HIGHWAY CONTRACT", "HIGHWAY CONTRACT ROUTE", "HWY CONTRACT RTE"),
    *("STAR ROUTE", "STAR RTE"),
)
GENERAL = (
    *("GENERAL DELIVERY", "GEN DELIVERY", "GEN DEL", "GENL DEL", "GENL DELIVERY", "GENERAL DEL"),
    *("GD", "G D", "LISTA DE CORREOS", "ENTREGA GENERAL"),
)
_SPANISH = ("CALLE", "AVENIDA", "AVE", "PASEO", "CAMINO", "VEREDA", "CALLEJON")


def judge(row: Mapping[str, Any], left_out: Collection[str] = ()) -> list[str]:
    """The blocking address codes of a row (street, unit, city, state, zip; `address` where these are blank), sorted.

    left_out   what the agreement lets be left out (state, city)
    """
    parts, one_line = read(row)
    implied = implied_state(parts, one_line)
    if implied and "state" in left_out:
        parts["state"], implied = implied, ""
    found = _delivery_codes(parts) | _place_codes(parts)
    if implied:
        found = found - {"NO_STATE"} | {"STATE_LEFT_OUT"}
    let = not parts["city"] and "city" in left_out
    return sorted(found - {"NO_CITY"} if let else found)


def read(row: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    """The five parts of an address as plain text, and whether it came in one line."""
    if all(not (row.get(c) or "").strip() for c in PARTS) and (row.get("address") or "").strip():
        return split(plain(row["address"], keep=",")), True
    return {c: plain(row.get(c) or "") for c in PARTS}, False


def implied_state(parts: dict[str, str], one_line: bool) -> str:
    """The state that the ZIP implies where none is given; in one line, it ends in a city of the ZIP, or in none."""
    known = zips().get(zip5(parts["zip"]))
    if parts["state"] or not known or not known["active"]:
        return ""
    return "" if one_line and parts["city"] and parts["city"] not in known["cities"] else str(known["state"])


def _place_codes(parts: dict[str, str]) -> set[str]:
    """Codes of city, state and ZIP."""
    found = set()
    code, state, city = zip5(parts["zip"]), reference.standard("states").get(parts["state"], ""), parts["city"]
    known = zips().get(code)
    if is_placeholder(city) and (not known or city not in known["cities"]):
        found.add("PLACEHOLDER")
    elif sum(c.isalpha() for c in city) < 2 or BAD in city:
        found.add("NO_CITY")
    if not state:
        found.add("NO_STATE")
    if not code:
        found.add("NO_ZIP")
    elif not known or not known["active"]:
        found.add("ZIP_UNKNOWN")
    if known and state and known["state"] != state:
        found.add("ZIP_NOT_IN_STATE")
    if code and len(set(code)) == 1 and (not known or city not in known["cities"]):
        found.add("PLACEHOLDER")
    if is_facility(city):
        found.add("FACILITY")
    return found


def _delivery_codes(parts: dict[str, str]) -> set[str]:
    """Codes of the delivery line."""
    street, state = parts["street"], reference.standard("states").get(parts["state"], "")
    found = {"FACILITY"} if is_facility(f"{street} {parts['unit']}") else set()
    if not street:
        return found | {"NO_ADDRESS"} | ({"PLACEHOLDER"} if is_placeholder(parts["unit"], inside_only=True) else set())
    if is_placeholder(street) or is_placeholder(f"{street} {parts['unit']}", inside_only=True):
        return found | {"PLACEHOLDER"} | ({"NOT_PARSED"} if BAD in "".join(parts.values()) else set())
    if BAD in street + parts["unit"] + parts["city"]:
        return found | {"NOT_PARSED"}
    return found | _kind_codes(street, state)


def _kind_codes(street: str, state: str) -> set[str]:
    military = _military(street)
    if state in _MILITARY:
        if military == "box" or street in GENERAL:
            return set()
        return {"NO_BOX"} if military or _box(street) is False else {"NOT_PARSED"}
    if military == "box":
        return {"NOT_PARSED"}
    if military:
        return {"NO_BOX"}
    if street in GENERAL:
        return set()
    box = _box(street)
    if box is not None:
        return set() if box else {"NO_BOX"}
    words = _without_urbanization(street.split())
    if state in ("PR", "VI") and len(words) > 2 and words[0] in _SPANISH and words[-1].lstrip("ABC#-")[:1].isdigit():
        return set()  # CALLE 7 150: the number comes last
    return _street_codes(words)


def _without_urbanization(words: list[str]) -> list[str]:
    """A Puerto Rico line may begin with the urbanization: URB ROYAL TOWN 576 CALLE FLAMBOYAN."""
    if words[:1] not in (["URB"], ["URBANIZACION"]):
        return words
    return next((words[i:] for i in range(2, len(words)) if words[i][0].isdigit()), words)


def _military(street: str) -> str:
    """`box`: PSC, CMR or UNIT with number and box; `word`: without its box; nothing else."""
    words = street.replace("#", " ").split()
    if words[:1] and words[0] in ("PSC", "CMR", "UNIT", "OMC", "UMR") and len(words) > 1 and words[1][:1].isdigit():
        if len(words) == 4 and words[2] == "BOX" and words[3][:1].isdigit():
            return "box"
        if len(words) == 2 or words[0] != "UNIT":
            return "word"
    return ""


def _leads(*names: str) -> tuple[list[str], ...]:
    return tuple(name.split() for name in names)


CONTRACT = _leads(*_CONTRACT)
ROUTE_LEADS = (*_leads(*_RURAL), *CONTRACT)
_BARE_ROUTES = _leads("RR", "R R", "RURAL ROUTE", "RURAL RTE", "RFD", "R F D", *_CONTRACT)
PO_LEADS = _leads(*sorted(_PO_WORDS, key=len, reverse=True))
BARE_LEADS = _leads(*_BARE_BOX)
_FIRST_WORDS = frozenset(lead[0] for lead in (*ROUTE_LEADS, *PO_LEADS, *BARE_LEADS))


def _box(street: str) -> bool | None:
    """A box or route with its number: True; without: False; None: a street line."""
    words = street.replace("#", " ").split()
    if _FIRST_WORDS.isdisjoint(words):
        return None
    for lead in ROUTE_LEADS:
        for i in range(_first_with_digit(words)):  # a name may stand before it
            rest = words[i + len(lead) :]
            if words[i : i + len(lead)] == lead and rest[1:2] == ["BOX"] and rest[0][:1].isdigit() and rest[2:]:
                return bool(rest[2].strip("0")) and all(w.isalpha() for w in rest[3:])
    for lead in _BARE_ROUTES:
        if words[: len(lead)] == lead and len(words) <= len(lead) + 1:
            return False
    for lead in PO_LEADS:
        for i in range(len(words) - len(lead) + 1):
            after = words[i + len(lead) :]
            if words[i : i + len(lead)] == lead and (not after or _is_box(after[0]) or i == 0):
                return bool(after) and _is_box(after[0])
    for lead in BARE_LEADS:
        if words[: len(lead)] == lead and len(words) <= len(lead) + 1:
            return len(words) == len(lead) + 1 and _is_box(words[-1])
    return None


def _first_with_digit(words: list[str]) -> int:
    return next((i for i, w in enumerate(words) if any(c.isdigit() for c in w)), len(words))


def _is_box(word: str) -> bool:
    return (len(word) == 1 and word.isalpha()) or any(c in "123456789" for c in word)


def _street_codes(words: list[str]) -> set[str]:
    """NO_NUMBER and NO_STREET of a street line."""
    words = _without_unit(words)
    if words and words[0] in reference.standard("units") and len(words) > 2 and words[2][:1].isdigit():
        words = words[2:]  # the unit may come first
    number, rest = _number(words)
    found = set() if number else {"NO_NUMBER"}
    return found if _is_street(rest) else found | {"NO_STREET"}


def _without_unit(words: list[str]) -> list[str]:
    units = reference.standard("units")
    for i in range(1, len(words)):
        road = words[i - 1] in ("HWY", "HIGHWAY", "ROUTE", "RTE") and words[i][1:2].isdigit()
        if words[i].startswith("#") and not road:
            return words[: i - 1] if words[i - 1] in units and i > 1 else words[:i]
        ids = words[i + 1 :]
        if words[i] in units and len(ids) == 1 and (ids[0][:1].isdigit() or len(ids[0]) == 1 or ids[0][1:].isdigit()):
            return words[:i]
        if words[i] in ("BSMT", "FRNT", "FRONT", "REAR", "UPPR", "LOWR", "UPPER", "LOWER") and not ids:
            return words[:i]
    return words


def _number(words: list[str]) -> tuple[bool, list[str]]:
    """Whether the line begins with a house number, and the words after it."""
    if not words:
        return False, []
    first = words[0].lstrip("#")
    if first in reference.standard("numbers") and len(words) > 1:
        return True, words[1:]
    if first[:1].isdigit() and not first.endswith(("ST", "ND", "RD", "TH")):
        rest = words[1:]
        if rest and len(rest[0]) == 3 and rest[0][1] == "/":
            rest = rest[1:]
        shape = first.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").rstrip("-")
        pieces = shape.replace("/", "-").replace(".", "-").split("-")
        fine = len(first.replace("-", "")) - len(shape.replace("-", "")) < 2 and all(p.isalnum() for p in pieces)
        return fine and bool(shape.strip("0")), rest if fine else words
    letters = "".join(c for c in first if c.isalpha())
    if len(letters) == 2 and set(letters) <= set("NSEW") and first[0].isalpha() and first[-1].isdigit():
        return True, words[1:]
    if len(letters) == 1 and letters in "NSEW" and first[1:].isdigit() and len(words) > 2:
        return True, words[1:]  # W210 N16570 Glencoe Ln
    return False, words


def _is_street(words: list[str]) -> bool:
    """A street by name: with suffix or directional, a numbered road, an ordinal, or at least one word."""
    if len(words) > 1 and words[-2] in ("HWY", "HIGHWAY", "ROUTE", "RTE"):
        words = [*words[:-1], words[-1].lstrip("#")]
    if not words or len(words) > 9 or any("#" in w for w in words):
        return False
    suffixes, directions = reference.standard("suffixes"), reference.standard("directionals")
    if len(words) == 1:
        ordinal = words[0][:1].isdigit() and words[0].endswith(("ST", "ND", "RD", "TH"))
        word = len(words[0]) > 1 and words[0][:1].isalpha() and words[0] not in suffixes and words[0] not in directions
        return ordinal or word
    if all(w in directions or suffixes.get(w) in reference.NEVER_A_NAME for w in words):
        # NORTH AVE and E ST SE are streets called North and E; N S and ST AVE are none
        named = words[0] in directions and any(suffixes.get(w) in reference.NEVER_A_NAME for w in words[1:])
        return named or suffixes.get(words[-1]) in reference.NEVER_A_NAME
    if any(w in directions for w in words) and any(w[0].isdigit() for w in words):
        return True  # N 1250 W
    names = [w for w in words if len(w) > 1 and w[0].isalpha()]
    return (bool(names) and not (len(words) == 2 and set(words) <= set(directions))) or words[-1] in suffixes
