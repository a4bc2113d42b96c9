"""Officers of letters: which of them are one person, however a letter writes them."""

import unicodedata
from collections.abc import Sequence

from expectations.instruments import Officer


def alike(officers: Sequence[Officer]) -> dict[str, str]:
    """Ids under which the letter lists somebody again → the id under which it does so first. One name is one person,
    however it is written, and so is one id in other letters: matters are counted by person."""
    first, found = dict[str, str](), {}
    for one in sorted(officers, key=lambda o: o.id):
        keys = officer_keys(one)
        known = next((first[k] for k in keys if k in first), one.id)
        first |= dict.fromkeys(keys, known)
        if known != one.id:
            found[one.id] = known
    return found


def officer_keys(one: Officer) -> tuple[str, str]:
    """What makes two officers of letters one person: their id, and their name, in any order and spelling."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", one.name.casefold()) if c.isalnum() or c.isspace())
    name = f"name {' '.join(sorted(plain.split()))}" if plain.strip() else f"id {one.id}"
    return f"id {one.id.casefold()}", name
