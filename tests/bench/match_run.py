"""The match stage alone: `python -m tests.bench.match_run REGISTER REQUESTS OUT [NAMES]`.

NAMES: the given names in use (Parquet), in place of the list that the match reads; the SQL is made when it is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

from expectations.base.duck import default_settings
from expectations.names import given
from tests.bench.measured import clock

if __name__ == "__main__":
    prepared, requests, out, *listed = map(Path, sys.argv[1:])
    if listed:
        given.LISTED = listed[0]
    from pipelines import match

    with clock():
        match.match_file(requests, prepared, out, duck=default_settings(), progress=lambda *_: None)
