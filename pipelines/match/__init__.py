"""Match: one register record at most for each row, on agreeing evidence, never on a score (stage two of four).

`run` streams the register, part by part, past the keys of all requests; compares what meets on a key; and decides each
row once every part has been seen. `plan` prints the SQL, and `match_file` runs
the stage alone.
"""

from pipelines.match.alone import Matched, match_file
from pipelines.match.stage import plan, run

__all__ = ["Matched", "match_file", "plan", "run"]
