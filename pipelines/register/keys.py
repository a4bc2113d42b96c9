"""The keys on which a request and a record can meet: equality of integers, made by the same SQL on both sides.

A key is the TIN as a number, or 63 bits (the lower half without its last bit) of the MD5 of a text that says what it is
made of. MD5 is our choice
because it is the same in every version of DuckDB and in every language; `hash()` is not. It need not resist an attacker:
a collision costs one comparison. A key with a missing element is NULL and meets nothing.

Never a key: a name alone, a city, a sentinel TIN, a 1 January birth date (it stands for "unknown" in many files).
"""

from __future__ import annotations

# kind → register columns that hold it, as (dataset, column); two columns where a person has two surname tokens
KINDS: dict[str, tuple[tuple[str, str], ...]] = {
    "tin": (("persons", "k_tin"),),
    "birth": (("persons", "k_birth1"), ("persons", "k_birth2")),
    "home_last": (("addresses", "k_home1"), ("addresses", "k_home2")),
    "home_first": (("addresses", "k_home_first"),),
    "area_birth": (("addresses", "k_area_birth"),),
}

TIN = "CAST(s_tin AS BIGINT)"
_EXACT_BIRTH = "CASE WHEN NOT s_birth_year_only THEN s_birth END"


def _hashed(kind: str, *elements: str) -> str:
    text = " || '|' || ".join(f"CAST({e} AS VARCHAR)" for e in elements)
    return f"CAST(md5_number_lower('{kind}|' || {text}) >> 1 AS BIGINT)"


def birth(token: str) -> str:
    """Surname token, initial and exact birth date."""
    return _hashed("birth", token, "s_first[1]", _EXACT_BIRTH)


def home_last(token: str) -> str:
    """ZIP, house or box number, and surname token."""
    return _hashed("home_last", "a_zip", "a_number", token)


def home_first() -> str:
    """ZIP, house or box number, and given name."""
    return _hashed("home_first", "a_zip", "a_number", "s_first")


def area_birth() -> str:
    """Given name, exact birth date and the first three digits of the ZIP."""
    return _hashed("area_birth", "s_first", _EXACT_BIRTH, "a_zip[1:3]")


def second(key_of_last2: str) -> str:
    """The key of the last surname token, only where it is not the first token again."""
    return f"CASE WHEN s_last2 <> s_last1 THEN {key_of_last2} END"
