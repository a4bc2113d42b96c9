"""The match stage alone on a prepared register: `python -m tests.bench.match_run PREPARED REQUESTS OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

from expectations.base.duck import default_settings
from pipelines import match
from tests.bench.measured import clock

if __name__ == "__main__":
    prepared, requests, out = map(Path, sys.argv[1:4])
    with clock():
        match.match_file(requests, prepared, out, duck=default_settings(), progress=lambda *_: None)
