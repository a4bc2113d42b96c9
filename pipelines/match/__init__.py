"""Match: one register record at most for each row, on agreeing evidence, never on a score (stage two of four).

`run` streams the register, scan by scan, past the blocking keys of all requests (`blocking`); compares the candidate
pairs (`comparisons`) and classifies them by `vetoes` and `tiers` (`compare`); and resolves each row to one of the
`outcomes` once every scan is in (`resolve`). `prepare_controls` does its part for the control records before that,
`plan` prints the SQL, and `match_file` runs the stage alone.
"""

from pipelines.match.alone import Matched, match_file
from pipelines.match.stage import plan, prepare_controls, run

__all__ = ["Matched", "match_file", "plan", "prepare_controls", "run"]
