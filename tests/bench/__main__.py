"""`make bench`: what the stages cost beside a floor or another tool in the same run, and how well they judge labelled
sets. Ratios and rates, never pass or fail on seconds.

`python -m tests.bench [address|rules|accounting|lookback|match|splink|linkage|wrong-person|all] [--register ROWS]
[--requests ROWS] [--before FOLDER]`, or, for scales that take long to make, `python -m tests.bench match --prepared
FOLDER --asked FILE.parquet`: a prepared register and raw request rows.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench import accounting, address, compared, floor, linkage, lookback, made, rules, wrong_person

BENCHES = ("address", "rules", "accounting", "lookback", "match", "splink", "linkage", "wrong-person", "all")
ADDRESSES, REQUESTS = 500_000, 100_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("bench", nargs="?", choices=BENCHES, default="all")
    parser.add_argument("--register", type=int, metavar="ROWS", help="addresses, or persons on file")
    parser.add_argument("--requests", type=int, metavar="ROWS", help="rows asked for, or judged")
    parser.add_argument("--released", type=float, metavar="SHARE", help="lookback: of the rows asked for")
    parser.add_argument("--prepared", type=Path, metavar="FOLDER", help="match: a prepared register to run against")
    parser.add_argument("--asked", type=Path, metavar="FILE", help="match: Parquet with raw request rows")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="wrong-person: another checkout, to compare")
    given = parser.parse_args()
    if given.prepared and given.asked:
        floor.compare(given.prepared, given.asked)
        return
    chosen = set(BENCHES) if given.bench == "all" else {given.bench}
    if "address" in chosen:
        address.main(given.register or ADDRESSES)
    if "rules" in chosen:
        rules.main(given.requests or rules.ROWS)
    if "accounting" in chosen:
        accounting.main(given.requests or accounting.ROWS)
    if "lookback" in chosen:
        lookback.main(given.requests or lookback.ROWS, [given.released] if given.released else lookback.SHARES)
    if "linkage" in chosen:
        linkage.main()
    if "wrong-person" in chosen:
        wrong_person.main(given.requests or wrong_person.REQUESTS, given.register or wrong_person.PERSONS, given.before)
    if chosen & {"match", "splink"}:
        with tempfile.TemporaryDirectory() as place:
            data = made.make(Path(place), given.register or made.PERSONS, given.requests or REQUESTS)
            if "match" in chosen:
                floor.compare(data.prepared, data.requests)
            if "splink" in chosen:
                compared.compare(Path(place), data)


if __name__ == "__main__":
    main()
