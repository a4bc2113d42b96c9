"""The tests. `SOAK`: full counts (`make soak`), else a seeded share. `SEED`: of what is random."""

import os

SOAK = bool(os.environ.get("TESTS_SOAK"))
SEED = os.environ.get("TESTS_SEED", "2026")
