"""Ten thousand hostile submissions: no fault, each with an entry, a code, and the end of bad input or of a refusal.

`python -m tests.bench.hostile --count 10000 --seed 1 [--data SHARE] [--run SHARE]`: begins where the log of this seed
ends, so that it may be stopped. The log lies in tests/bench/results; each line that is not right is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from expectations.base import signatures
from flows.ledger import Ledger
from flows.sandbox.home import REQUESTER_SIGNING
from tests.attack import hostile
from tests.attack.judged import judge
from tests.factories import installations

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.hostile")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=float, default=0.03, help="share with hostile data files: each takes seconds")
    parser.add_argument("--run", type=float, default=1, help="share that is run beyond receipt: each takes seconds")
    given = parser.parse_args()
    log = RESULTS / f"hostile-{given.seed}.jsonl"
    done = log.read_text().splitlines() if log.exists() else []
    wrong = run(given.count, given.seed, len(done), log, given.data, given.run)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    ends = Counter((line["kind"], line["entry"] or "no entry", line["end"]) for line in lines)
    print(f"{len(lines):,} submissions; {sum(not line['right'] for line in lines)} not right; {wrong} of them now")
    for (kind, entry, end), n in sorted(ends.items()):
        print(f"  {kind}: {entry}, exit {end}: {n:,}")


def run(count: int, seed: int, first: int, log: Path, data: float, share: float = 1) -> int:
    """Judges the submissions from number `first` on; gives how many are not right."""
    wrong, begun = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as place, log.open("a") as stream:
        made = installations.make(Path(place) / "home")
        key = signatures.load(made.home.keys / REQUESTER_SIGNING)
        with Ledger.open(made.home.ledger_url, made.home.clock()) as ledger:
            for number in range(first, count):
                kind, folder = hostile.make(number, seed, made.home.inbox, key, made.agreement, data)
                began = time.monotonic()
                chosen = random.Random(f"run|{seed}|{number}").random() < share
                found = judge(made.home, ledger, kind, folder, run=chosen or kind == "data")
                took = round(time.monotonic() - began, 2)
                wrong += not found.right
                stream.write(json.dumps({"number": number, **asdict(found), "right": found.right, "s": took}) + "\n")
                stream.flush()
                if not found.right:
                    print(number, found, flush=True)
                if number % 500 == 499:
                    print(f"{number + 1:,} in {time.monotonic() - begun:.0f} s", flush=True)
                for left in made.home.inbox.iterdir():
                    shutil.rmtree(
                        left, ignore_errors=True
                    ) if left.is_dir() and not left.is_symlink() else left.unlink()
            problems = ledger.verify()
            print(f"ledger verify: {len(problems)} problems", *problems[:5])
    return wrong


if __name__ == "__main__":
    main()
