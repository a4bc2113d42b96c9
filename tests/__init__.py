"""The tests. `SOAK`: full counts (`make soak`), where a seeded share is enough every time."""

import os

SOAK = bool(os.environ.get("SLUICEGATE_SOAK"))
