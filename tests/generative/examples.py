"""How many examples a property is tried on: few by default, TESTS_EXAMPLES times as many where somebody has the
time."""

import os

TIMES = int(os.environ.get("TESTS_EXAMPLES", "1"))


def examples(few: int) -> int:
    return few * TIMES
