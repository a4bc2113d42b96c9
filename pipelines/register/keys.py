"""The keys on which a request and a record can meet: equality of 32-bit integers, made by the same SQL on both sides.

A key is the TIN as a number, or its elements folded into one number below 2^32. An element is a number already (a ZIP, a
day, a house number), or 31 bits of the MD5 of a text: MD5 is the same in every version of DuckDB and in every language, `hash()` is not.
Folding is arithmetic modulo a prime, so that the key of a billion rows costs no more hashes than they have texts. A key
is no proof: records that meet on one by chance (one in 2^32) cost a comparison, and 32 bits are half the reading of 64.

A key with a missing element is NULL and meets nothing. Never a key: a name alone, a city, a sentinel TIN, a 1 January birth
date (it stands for "unknown" in many files).
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
NUMBERS = {kind: number for number, kind in enumerate(KINDS, 1)}

PRIME = 4_294_967_291  # the largest below 2^32
FACTOR = 1_103_515_245  # below 2^31: (PRIME - 1) * FACTOR + 2^31 stays below 2^63

TIN = "CAST(s_tin AS UINTEGER)"
_EXACT_BIRTH = "CASE WHEN NOT s_birth_year_only THEN date_diff('day', DATE '1970-01-01', s_birth) + 1000000 END"
_ZIP = "TRY_CAST(a_zip AS BIGINT)"
_AREA = "TRY_CAST(a_zip[1:3] AS BIGINT)"


def text(name: str) -> str:
    """A text as a number: the lowest 31 bits of its MD5, read as a little-endian number from byte 9 on.

    (`md5_number_lower` gives the same bytes, and takes three times as long: DuckDB makes a text of bits of the hash.)"""
    return f"((md5_number({name}) >> 64) & 2147483647)::BIGINT"


# Texts that several keys share, hashed once: what `birth`, `home_last`, … expect to find as columns.
TEXTS = f"{text('s_first')} AS t_first, {text('s_last1')} AS t_last1, CASE WHEN s_last2 <> s_last1 THEN {text('s_last2')} END AS t_last2"
# A house number is read as one where it can be, which costs less than a hash.
PLACE_TEXTS = f"coalesce(CAST(TRY_CAST(a_number AS UINTEGER) AS BIGINT) % 2147483648, {text('a_number')}) AS t_number"


def _folded(kind: str, *elements: str) -> str:
    made = f"{NUMBERS[kind]}::BIGINT"
    for element in elements:
        made = f"(({made} * {FACTOR} + {element}) % {PRIME})"
    return f"CAST({made} AS UINTEGER)"


def birth(token: str, given: str = "s_first") -> str:
    """Surname token (t_last1 or t_last2), initial of the given name and exact birth date."""
    return _folded("birth", token, f"ascii({given}[1])", _EXACT_BIRTH)


def home_last(token: str) -> str:
    """ZIP, house or box number, and surname token (t_last1 or t_last2)."""
    return _folded("home_last", _ZIP, "t_number", token)


def home_first() -> str:
    """ZIP, house or box number, and given name."""
    return _folded("home_first", _ZIP, "t_number", "t_first")


def area_birth() -> str:
    """Given name, exact birth date and the first three digits of the ZIP."""
    return _folded("area_birth", "t_first", _EXACT_BIRTH, _AREA)


def of_kind(kind: str, key: str) -> str:
    """A key that says its kind: the kind's number above its 32 bits. Only such keys of different kinds can lie together."""
    return f"({NUMBERS[kind]} * 4294967296 + {key})"


def without_kind(kind: str, relation: str) -> str:
    """A SELECT of the plain keys (column `key`) of one kind from a relation of `of_kind` keys."""
    low = NUMBERS[kind] * 2**32
    return f"SELECT CAST(key - {low} AS UINTEGER) AS key FROM {relation} WHERE key BETWEEN {low} AND {low + 2**32 - 1}"
