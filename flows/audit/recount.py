"""`ledger verify --deep`: each sealed accounting is opened with the holder's key, and counted again, row by row.

What is opened lies as plaintext in a folder of its own in the lake, one batch at a time, and is then deleted.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from expectations.base import algorithms
from expectations.base.algorithms import HASHES
from expectations.base.digests import matches
from expectations.base.duck import parquet, session
from expectations.base.errors import SluicegateError
from expectations.base.hash_key import HashKey
from flows.evidence import keys
from flows.evidence.store import accounting_path, plaintext_folder, stored_evidence
from flows.home.keys import hashed_with
from flows.home.tree import Home, busy
from flows.ledger import Ledger
from flows.ledger.chain import Problem
from flows.ledger.lifecycles.states import State
from pipelines import sealing
from pipelines.release.accounting import Tally, tally

_COUNTED = {"rows": "rows are", "outcomes": "outcomes are", "codes": "codes are", "merkle_root": "Merkle root is"}


def problems(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every accounting that does not come to what its event says, or the claims; every evidence key that fails."""
    identity = keys.holder(home)
    for record in ledger.batches():
        said = ledger.accounted(record.name)
        if said is None or busy(home, record.name) or not accounting_path(home, record.name).exists():
            continue
        events = ledger.events(record.name) if record.state is State.PUBLISHED else []
        claims = next((e["facts"]["claims"] for e in reversed(events) if e["kind"] == State.PREPARED.value), None)
        try:
            yield from _accounting(home, record.name, said, claims, identity)
            if carried := ledger.claims_carried(record.name):
                yield from _carried(home, ledger, record.name, carried, identity)
            listed = stored_evidence(home, record.name) if keys.place(home, record.name).exists() else None
            if listed and keys.identity(home, record.name).recipient != listed.recipient:
                yield Problem(f"evidence of batch {record.name}", "its key is not the one that it was sealed to")
        except SluicegateError as error:  # whatever was sealed in its place
            yield Problem(f"accounting of batch {record.name}", f"{error.message} ({error.where})")


def _accounting(
    home: Home, batch: str, said: dict[str, Any], claims: str | None, identity: sealing.Identity
) -> Iterator[Problem]:
    place = f"accounting of batch {batch}"
    with plaintext_folder(home) as folder:
        plain = folder / "accounting.parquet"
        sealing.open_file(accounting_path(home, batch), plain, identity)
        found = _tally(home, plain, said["merkle_root"])
        for name, what in _COUNTED.items():
            if getattr(found, name) != said[name]:
                yield Problem(place, f"its {what} not what the ledger says")
        if claims is not None and not matches(claims, partial(_released, home, plain)):
            yield Problem(place, "its released rows are not those whose keys were claimed")


def _tally(home: Home, plain: Path, root: str) -> Tally:
    """What an accounting comes to, its root by the algorithm that gives the one that is known; else by the first."""
    for scheme in algorithms.all_of_them():
        with algorithms.using(scheme):
            found = tally(plain, home.duck)
        if found.merkle_root == root:
            break
    return found


def _carried(home: Home, ledger: Ledger, batch: str, claims: str, identity: sealing.Identity) -> Iterator[Problem]:
    """Whether the claims are the accounting's, carried over to the present key of the keyed hashes."""
    then, now = hashed_with(home, ledger, batch), home.hash_key
    with plaintext_folder(home) as folder:
        plain = folder / "accounting.parquet"
        sealing.open_file(accounting_path(home, batch), plain, identity)
        if not matches(claims, partial(_released, home, plain, now, then)):
            what = "its released rows are not those whose claims were carried over to another key"
            yield Problem(f"accounting of batch {batch}", what)


def _released(home: Home, plain: Path, now: HashKey | None = None, then: HashKey | None = None) -> str:
    """The digest of the claims (see `flows.ledger.bulk.digest`), from the accounting. `now`: the key that they were
    carried over to from what it was `then`; None: they were not."""
    request, person = (now.sql_carried(name, then) if now and then else name for name in ("request_key", "person_key"))
    rows = f"SELECT {request} AS request_key, {person} AS person_key FROM {parquet([plain])} WHERE outcome = 'released'"
    query = f"SELECT request_key || '|' || person_key FROM ({rows}) ORDER BY request_key"
    total = HASHES[algorithms.in_force()]()
    with session(home.duck) as connection:
        if now:
            now.install(connection)
        for batch in connection.execute(query).to_arrow_reader(50_000):
            total.update("".join(f"{line}\n" for line in batch.column(0).to_pylist()).encode())
    return str(total.hexdigest())
