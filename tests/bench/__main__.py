"""`make bench`: what the stages cost beside a floor or another tool in the same run, and how well they judge labelled sets.
Ratios and rates, never pass or fail on seconds.

`python -m tests.bench [address|match|splink|linkage|all] [--register ROWS] [--requests ROWS]`
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench import address, compared, floor, linkage, made

BENCHES = ("address", "match", "splink", "linkage", "all")
ADDRESSES = 500_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("bench", nargs="?", choices=BENCHES, default="all")
    parser.add_argument("--register", type=int, metavar="ROWS", help="addresses, or persons on file")
    parser.add_argument("--requests", type=int, metavar="ROWS", default=100_000)
    given = parser.parse_args()
    chosen = set(BENCHES) if given.bench == "all" else {given.bench}
    if "address" in chosen:
        address.main(given.register or ADDRESSES)
    if "linkage" in chosen:
        linkage.main()
    if chosen & {"match", "splink"}:
        with tempfile.TemporaryDirectory() as place:
            data = made.make(Path(place), given.register or made.PERSONS, given.requests)
            if "match" in chosen:
                floor.compare(data)
            if "splink" in chosen:
                compared.compare(Path(place), data)


if __name__ == "__main__":
    main()
