"""An entry of the rules of the match: SQL, which the code goes by, and words, which matching.md is made from."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`meaning`: the SQL in words; `why`: the reason for it."""

    meaning: str = ""
    why: str = ""

    def means(self, meaning: str, *, why: str) -> Self:
        """The entry with its words."""
        return replace(self, meaning=meaning, why=why)
