"""The console under a load of readers on a morning with many held batches, beside a page with nothing in it.

`python -m tests.bench.console [--held 100] [--rows 1000] [--large 0] [--readers 20] [--seconds 60] [--pause 2]
[--seed 1]`. With `--large`, one more batch is held, of so many rows. A real `sluicegate console` on loopback. Each
reader asks for a page, reads it for a while (`pause` seconds on average), and asks for another. The floor is the page
to sign in, asked for by the same readers.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx

from expectations.base import signatures
from flows.console.web.operators import CHANGES
from flows.console.web.place import Place
from flows.ledger import Ledger
from flows.ledger.entrance import Entrance, From
from tests.bench.pages import held as run_held
from tests.bench.pages import morning
from tests.factories import installations
from tests.factories.installations import Installation
from tests.flows.console.web.test_serve import free_port

HELD, ROWS, READERS, SECONDS, PAUSE = 100, 1000, 20, 60, 2.0
EMPTY = "an empty page"
_DEFAULTS = {"held": HELD, "rows": ROWS, "large": 0, "readers": READERS, "seconds": SECONDS, "seed": 1}
_PASSWORD = "a password of this bench"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console")
    for name, default in _DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--pause", type=float, default=PAUSE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        made = installations.make(Path(place) / "home")
        with installations.at_home(made.home):
            released, held = morning(made, given.held, given.rows)
            large = run_held(made, "L", given.large) if given.large else None
            token = session(made)
            with served() as origin:
                kinds = pages(released, held, large, enrolled(made))
                took = read(origin, token, kinds, given.readers, given.seconds, given.pause, given.seed)
    more = f" and one of {given.large:,}" if large else ""
    said = f"{given.held} held batches of {given.rows:,} rows{more}"
    print(f"{said}; {given.readers} readers, {given.pause} s between pages")
    report(took)


def enrolled(made: Installation) -> list[str]:
    """The ids of the instruments."""
    with Ledger.open(made.home.ledger_url, made.home.clock()) as ledger:
        return sorted({id for id, _, _ in ledger.instruments()})


def session(made: Installation) -> str:
    """The token of somebody who is signed in; all readers have it."""
    with Ledger.open(made.home.ledger_url, made.home.clock()) as ledger:
        entrance = Entrance(ledger)
        entrance.ready()
        entrance.set_password(entrance.invite("operator-1", "operator-2"), _PASSWORD)
        token = entrance.by_password("operator-1", _PASSWORD) or ""
        entered, text = entrance.entered(token), entrance.sign_in_text("bench")
        key = signatures.load(made.home.keys / "operator-1")
        signed = signatures.sign(text, key, signatures.SIGN_IN)
        assert entered is not None
        whole = entrance.prove(entered, signatures.public_line(key), signed, text, From(token))
    assert whole is not None
    return whole


@contextmanager
def served() -> Iterator[str]:
    """A console of its own process; its origin."""
    port = free_port()
    command = [sys.executable, "-m", "flows.cli.main", "console", "--port", str(port)]
    environment = os.environ | {"SLUICEGATE_CONSOLE__PAGES_A_MINUTE": "100000"}  # all readers are one operator
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None and "console" in process.stdout.readline()
        origin, until = f"http://localhost:{port}", time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"{origin}/sign-in")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield origin
        process.terminate()


def pages(released: str, held: list[str], large: str | None, instruments: list[str]) -> dict[str, list[str]]:
    """The addresses of each kind of page."""
    of_large = {
        "a large held batch": [f"/batches/{large}"],
        "its checkpoint": [f"/batches/{large}/intake", f"/batches/{large}/intake?page=100"],
        "a row of it": [f"/batches/{large}/rows/{n}" for n in (0, 7, 100_000)],
        "what is signed on it": [f"/batches/{large}/decide/drop"],
    }
    return {
        EMPTY: ["/sign-in"],
        "what waits": ["/"],
        "held, of one agreement": ["/?kind=held"],
        "a held batch": [f"/batches/{name}" for name in held],
        "a released batch": [f"/batches/{released}"],
        "a held checkpoint": [f"/batches/{name}/intake" for name in held],
        "a passed checkpoint": [f"/batches/{released}/matching"],
        "a row of a held batch": [f"/batches/{name}/rows/{n}" for name in held for n in (0, 3)],
        "a row of a released batch": [f"/batches/{released}/rows/{n}" for n in range(20)],
        "what is signed": [f"/batches/{name}/decide/drop" for name in held],
        "one's own page": ["/me"],
        "law": ["/instruments", *(f"/instruments/{one}" for one in instruments), "/enrol"],
        "people": ["/operators", *(f"/operators/propose/{at}" for at in CHANGES), "/proposals", "/sessions"],
        "what else": ["/recalls", "/views", "/halt", f"/batches/{released}/recall"],
        **(of_large if large else {}),
    }


def read(
    origin: str, token: str, kinds: dict[str, list[str]], readers: int, seconds: int, pause: float, seed: int
) -> dict[str, list[float]]:
    """Milliseconds of each page, by kind."""
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    until = time.monotonic() + seconds

    def one(number: int) -> None:
        chance = random.Random(seed * 1000 + number)
        with httpx.Client(base_url=origin, timeout=60) as client:
            while time.monotonic() < until:
                time.sleep(chance.uniform(0, 2 * pause))
                kind = chance.choice(list(kinds))
                signed_in = {} if kind == EMPTY else {Place.cookie: token}
                began = time.perf_counter()
                answer = client.get(chance.choice(kinds[kind]), cookies=signed_in)
                took[kind].append((time.perf_counter() - began) * 1000)
                assert answer.status_code == 200, (kind, answer.status_code)

    with ThreadPoolExecutor(readers) as pool:
        list(pool.map(one, range(readers)))  # raises what a reader met
    return took


def report(took: dict[str, list[float]]) -> None:
    """A line for each kind."""
    floor = median(took[EMPTY])
    for kind, all_of_them in took.items():
        p50, p95 = median(all_of_them), quantiles(all_of_them, n=20)[18]
        print(f"{kind}: {len(all_of_them)}, p50 {p50:.1f} ms, p95 {p95:.1f} ms; {p50 / floor:.1f} x an empty page")


if __name__ == "__main__":
    main()
