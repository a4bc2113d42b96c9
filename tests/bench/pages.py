"""The operators' pages on a morning with many held batches: how long each kind takes to make, beside an empty page.

`python -m tests.bench.pages [--held 100] [--rows 1000] [--times 40] [--seed 1]`. One batch is run and held; the others
are taken in and held through the ledger, each with a copy of its result and of its rows. A page is made as a server or
the site makes it: what it shows is read anew, then rendered. The floor is the frame of a page with nothing in it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TypeAlias

from flows.console import batch, checkpoint, kept, pages, queue
from flows.console.links import SiteLinks
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.schedule import summary
from tests.factories import installations, runs
from tests.factories.installations import Installation

HELD, ROWS, TIMES = 100, 1000, 40
_MATTERS = 1000  # of an officer, at most: more, and the batch would be refused
_Page: TypeAlias = Callable[[], str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages")
    parser.add_argument("--held", type=int, default=HELD)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        made = installations.make(Path(place) / "home")
        with installations.at_home(made.home):
            released, held = morning(made, given.held, given.rows)
            print(f"{given.held} held batches of {given.rows:,} rows, and one released", flush=True)
            with Ledger.open(made.home.ledger_url, made.home.clock()) as ledger:
                report(each(made.home, ledger, released, held, random.Random(given.seed)), given.times)


def morning(made: Installation, count: int, rows: int) -> tuple[str, list[str]]:
    """The names of a batch that was released, and of those that are held, of which the first was run."""
    released = runs.released(made, made.home.inbox / "released", 1, 20)
    first = held(made, "H", rows)
    night = {"at": "2026-11-26T02:00:00+00:00", "selftest": summary.PASSED, "batches": [], "waiting": []}
    summary.store(made.home, night)
    with runs.ledger_of(made.home) as ledger:
        return released, [first, *(copied(made.home, ledger, ledger.known_batch(first), n) for n in range(1, count))]


def held(made: Installation, mark: str, rows: int) -> str:
    """The name of a batch that was run and is held: none of its rows has an address that can be used."""
    names = [f"officer-{n}" for n in range(rows // _MATTERS + 2)]
    spoilt = [_spoilt(mark, n, names[n % len(names)]) for n in range(rows)]
    listed = [{"id": name, "name": f"Person {name}"} for name in names]
    name, state = runs.run(made.home, made.submit(made.home.inbox / f"held-{mark}", spoilt, officers=listed))
    assert state is State.HELD, state
    return name


def _spoilt(mark: str, n: int, officer: str) -> dict[str, Any]:
    return installations.request(n % 80 + 1, request_id=f"{mark}-{n}", street="NA NA", officer=officer)


def copied(home: Home, ledger: Ledger, like: BatchRecord, n: int) -> str:
    """A batch that is held as `like` is, with its own copy of what its stages committed and of what was found."""
    digest = sha256(f"copy {n}".encode()).hexdigest()
    name = f"b-{digest[:12]}"
    ledger.receive(
        name,
        submission=digest,
        requester=like.requester,
        agreement=like.agreement,
        received_at=like.received_at,
        decided_on=like.decided_on,
        instruments=like.instruments,
        register=like.register,
        rows=like.rows,
    )
    shutil.copytree(home.lake / like.name, home.lake / name, copy_function=os.link)
    found = json.loads((home.verdicts / like.name / "intake.json").read_text())
    stored = home.store_verdict(name, Checkpoint.INTAKE.value, found)
    assert like.content_digest is not None
    ledger.hold(name, Checkpoint.INTAKE, like.content_digest, like.codes, facts={"verdict": stored})
    return name


def each(home: Home, ledger: Ledger, released: str, held: list[str], chance: random.Random) -> dict[str, _Page]:
    """A way to make a page of each kind; those of held batches are of any of them."""
    links, now = SiteLinks(frozenset([released, *held]), "../"), home.clock().now()

    def one(name: str) -> str:
        return pages.page("batch.html", links=links, made=now, **batch.batch(home, ledger, ledger.known_batch(name)))

    def judged(name: str, which: Checkpoint) -> str:
        found = kept.one(home, name, which)
        assert found is not None
        shown = checkpoint.checkpoint(home, ledger, ledger.known_batch(name), found)
        return pages.page("checkpoint.html", links=links, made=now, **shown)

    def first() -> str:
        queue._read.cache_clear()
        shown = queue.queue(home, ledger)
        assert shown["all"] == len(held), shown["counts"]
        return pages.page("queue.html", links=links, made=now, **shown)

    return {
        "an empty page": lambda: pages.page("base.html", links=links, made=now),
        "what waits, looked at first": first,
        "what waits": lambda: pages.page("queue.html", links=links, made=now, **queue.queue(home, ledger)),
        "a held batch": lambda: one(chance.choice(held)),
        "a released batch": lambda: one(released),
        "a held checkpoint": lambda: judged(chance.choice(held), Checkpoint.INTAKE),
        "a passed checkpoint": lambda: judged(released, Checkpoint.MATCHING),
    }


def report(made: dict[str, _Page], times: int) -> None:
    """A line for each kind. The kinds take turns, so that all meet the same machine."""
    took: dict[str, list[tuple[float, float]]] = {kind: [] for kind in made}
    for page in made.values():  # imports and templates are loaded once in a server's life
        page()
    for _ in range(times):
        for kind, page in made.items():
            began, busy = time.perf_counter(), time.process_time()
            page()
            took[kind].append(((time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000))
    floor = median(wall for wall, _ in took["an empty page"])
    for kind, all_of_them in took.items():
        print(f"{kind}: {figures(all_of_them, floor)}")


def figures(took: Sequence[tuple[float, float]], floor: float) -> str:
    """Of the milliseconds of each page, as the clock has them and of the processor: other work makes only the first
    more."""
    wall, busy = ([one[n] for one in took] for n in (0, 1))
    middle, most = median(wall), quantiles(wall, n=20)[18]
    times = f"{middle / floor:,.0f} x an empty page"
    return f"p50 {middle:.1f} ms, p95 {most:.1f} ms, processor p50 {median(busy):.1f} ms; {times}"


if __name__ == "__main__":
    main()
