"""Blocking keys: a request and a record are compared only if they share one.

Keys are 32-bit integers, made by the same SQL on both sides. A key is the TIN as a number, or its elements folded into
one number below 2^32. An element is a number already (a ZIP, a day, a house number), or 31 bits of the MD5 of a text:
MD5 is the same in every version of DuckDB and in every language, `hash()` is not. Folding is arithmetic modulo a prime,
so that the keys of a billion rows cost no more hashes than they have texts. A key is no proof: records that share one
by chance (one in 2^32) cost a comparison, and 32 bits are half the reading of 64.

A key with a missing element is NULL and in no block. Never a key: a name alone, a city, a sentinel TIN, a 1 January
birth date (it stands for "unknown" in many files).
"""

from typing import NamedTuple

from expectations.contracts.lists import Origin


class BlockingKey(NamedTuple):
    """A kind of key. `number` is a part of each key of it. `columns` of the prepared register, as (dataset, column),
    hold it: two where a person has two surname tokens."""

    number: int
    columns: tuple[tuple[str, str], ...]
    meaning: str
    why: str


KEYS: dict[str, BlockingKey] = {
    "tin": BlockingKey(1, (("persons", "k_tin"),), "the TIN", why="finds people who moved and changed their name"),
    "birth": BlockingKey(
        number=2,
        columns=(("persons", "k_birth1"), ("persons", "k_birth2")),
        meaning="surname token, initial of the given name, and birth date; of a request with its names swapped, too",
        why="finds people who moved, under a familiar form of their name",
    ),
    "home_last": BlockingKey(
        number=3,
        columns=(("addresses", "k_home1"), ("addresses", "k_home2")),
        meaning="ZIP, house or box number, and surname token",
        why="finds people whose given name or birth date is in error",
    ),
    "home_first": BlockingKey(
        number=4,
        columns=(("addresses", "k_home_first"),),
        meaning="ZIP, house or box number, and given name",
        why="finds people whose surname changed",
    ),
    "area_birth": BlockingKey(
        number=5,
        columns=(("addresses", "k_area_birth"),),
        meaning="given name, birth date, and the first three digits of the ZIP",
        why="finds people who moved nearby and whose surname changed",
    ),
}

PRIME = 4_294_967_291  # the largest below 2^32
FACTOR = 1_103_515_245  # below 2^31: (PRIME - 1) * FACTOR + 2^31 stays below 2^63

TIN = "CAST(s_tin AS UINTEGER)"
_EXACT_BIRTH = "CASE WHEN NOT s_birth_year_only THEN date_diff('day', DATE '1970-01-01', s_birth) + 1000000 END"
_ZIP = "TRY_CAST(a_zip AS BIGINT)"


def text(name: str) -> str:
    """A text as a number: the lowest 31 bits of its MD5, read as a little-endian number from byte 9 on.

    (`md5_number_lower` gives the same bytes, and takes three times as long: DuckDB makes a text of bits of the hash.)
    """
    return f"((md5_number({name}) >> 64) & 2147483647)::BIGINT"


# Texts that several keys share, hashed once: what `birth`, `home_last`, … expect to find as columns.
TEXTS = (
    f"{text('s_first')} AS t_first, {text('s_last1')} AS t_last1,"
    f" CASE WHEN s_last2 <> s_last1 THEN {text('s_last2')} END AS t_last2"
)
# A house number is read as one where it can be, which costs less than a hash.
PLACE_TEXTS = f"coalesce(CAST(TRY_CAST(a_number AS UINTEGER) AS BIGINT) % 2147483648, {text('a_number')}) AS t_number"


def _folded(kind: str, *elements: str) -> str:
    made = f"{KEYS[kind].number}::BIGINT"
    for element in elements:
        made = f"(({made} * {FACTOR} + {element}) % {PRIME})"
    return f"CAST({made} AS UINTEGER)"


def birth(token: str, given: str = "s_first") -> str:
    """Surname token (t_last1 or t_last2), initial of the given name and exact birth date."""
    return _folded("birth", token, f"ascii({given}[1])", _EXACT_BIRTH)


def home_last(token: str) -> str:
    """ZIP, house or box number, and surname token (t_last1 or t_last2)."""
    return _folded("home_last", _ZIP, "t_number", token)


def home_first(given: str = "t_first") -> str:
    """ZIP, house or box number, and given name."""
    return _folded("home_first", _ZIP, "t_number", given)


HOME_FIRST = home_first()
AREA_BIRTH = _folded("area_birth", "t_first", _EXACT_BIRTH, "TRY_CAST(a_zip[1:3] AS BIGINT)")


# Which side a key is of, as SQL: 1 of requests and of the real register, -1 of control rows and their own register.
SIDE_OF_ROW = f"CASE origin WHEN '{Origin.REQUEST}' THEN 1 WHEN '{Origin.CONTROL}' THEN -1 END"
SIDE_OF_RECORD = "sign(record_id)"


def of_kind(kind: str, key: str, side: str) -> str:
    """A key that says its kind and side, as one column of different keys needs: the kind's number stands above its 32
    bits, the side is its sign. So a key that a row and a record of different sides share does not exist, whatever the
    register and the batch hold: an invented person and a real one never make a pair."""
    return f"({side} * ({KEYS[kind].number} * 4294967296 + {key}))"


def kind_bit(key: str) -> str:
    """The bit of the kind of an `of_kind` key: several kinds are one number."""
    return f"(1 << (abs({key}) >> 32))"


def without_kind(kind: str, relation: str) -> str:
    """A SELECT of the plain keys (column `key`) of one kind, of both sides, from a relation of `of_kind` keys."""
    low = KEYS[kind].number * 2**32
    within = f"abs(key) BETWEEN {low} AND {low + 2**32 - 1}"
    return f"SELECT CAST(abs(key) - {low} AS UINTEGER) AS key FROM {relation} WHERE {within}"
