"""What a comparison and its levels are. A pair's level is the first whose condition holds."""

from dataclasses import dataclass

from pipelines.match.entry import Entry


@dataclass(frozen=True)
class Level(Entry):
    """How far two values agree.

    when      DuckDB SQL over the request's standard fields (`s_first`), the record's (`file_first`), and what the steps
              of `compare` add: similarities of names (Jaro-Winkler), `nickname`, how the units on file compare
    evidence  the word by which the evidence of a candidate names it, if it speaks for the pair
    m, u      how often pairs of one person, and pairs by chance, are at this level: the weight adds log2(m / u), which
              is nothing where they are equal (Fellegi and Sunter, 1969). Levels alike in kind share the figures of all
              of them.
    """

    id: str
    when: str
    evidence: str = ""
    m: float = 1.0
    u: float = 1.0


class Comparison:
    """A column of `compared`, and its levels in the order in which they are tried: the last one takes what is left.

    `weighed`: SQL of the level that the weight counts, where it is not simply the pair's.
    """

    def __init__(self, column: str, *levels: Level, weighed: str = "") -> None:
        self.column, self.levels, self.weighed = column, levels, weighed or column

    @property
    def sql(self) -> str:
        """SQL: the column."""
        *tried, last = self.levels
        whens = "".join(f"\n        WHEN {level.when} THEN '{level.id}'" for level in tried)
        return f"CASE{whens}\n        ELSE '{last.id}' END AS {self.column}"

    def at(self, *ids: str) -> str:
        """SQL: whether a pair is at one of these levels. Raises ValueError if there is no such level."""
        known = [level.id for level in self.levels]
        if not ids or not set(ids) <= set(known):
            raise ValueError(f"{self.column} has the levels {', '.join(known)}; asked for {', '.join(ids)}")
        quoted = [f"'{id}'" for id in ids]
        return f"{self.column} = {quoted[0]}" if len(ids) == 1 else f"{self.column} IN ({', '.join(quoted)})"
