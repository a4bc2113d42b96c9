"""Words of a pair as bits of one number: tens of millions of pairs hold numbers, and what is reported is spelled."""

from collections.abc import Iterable


def pack(conditions: Iterable[str]) -> str:
    """SQL: one number, with a bit for each condition that holds."""
    return "\n        | ".join(f"CASE WHEN {held} THEN {1 << n} ELSE 0 END" for n, held in enumerate(conditions))


def unpack(words: Iterable[str], bits: str) -> str:
    """SQL: the list of the words whose bits are set, in their order."""
    each = ",\n        ".join(f"CASE WHEN {bits} & {1 << n} > 0 THEN '{word}' END" for n, word in enumerate(words))
    return f"list_filter([\n        {each}], w -> w IS NOT NULL)"
