"""What lookbacks found: a list of disclosures that would not be made today, of which a recall is opened; and how many
of them are in no recall yet."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.base.digests import file_matches
from expectations.base.errors import BadInput, Usage
from flows.evidence import keys
from flows.home import staging
from flows.home.keys import hashed_with
from flows.home.tree import Home
from flows.ledger import Ledger
from pipelines import sealing
from pipelines.lake import durable
from pipelines.lake.sql import quiet

NAME = re.compile(r"[0-9]{8}T[0-9]{12}Z", re.ASCII)
STEP = "recall.listed"
_LIST = ".parquet.age"  # ends the name of its sealed list
_MOST = 20  # counts that are kept
_left: dict[tuple[str, int], "Left"] = {}


@dataclass(frozen=True)
class Looked:
    """A lookback, by the time at which it was made. `as_of`: it looked as of that day, and not of all; `found`: of each
    batch with something in it, its name, and how many rows of it by code; `not_decided`: batches that it could not
    decide; `digest`: of the list, if it found anything."""

    name: str
    at: datetime
    as_of: str | None
    batches: int
    released: int
    affected: int
    codes: Mapping[str, int]
    found: tuple[Mapping[str, Any], ...]
    not_decided: tuple[Mapping[str, str], ...]
    digest: str | None


@dataclass(frozen=True)
class Left:
    """Rows of a list that are in no recall, and how many by code: a row counts under each of its codes."""

    rows: int
    codes: Mapping[str, int] = field(default_factory=dict)


def newest(home: Home, count: int) -> list[Looked]:
    """So many of those that can be read, the newest first."""
    found: list[Looked] = []
    for name in _names(home)[:count]:
        with suppress(BadInput):
            found.append(one(home, name))
    return found


def one(home: Home, name: str) -> Looked:
    """A lookback; raises Usage if there is none of this name, BadInput if what it found cannot be read."""
    path = _folder(home) / f"{name}.json"
    if not NAME.fullmatch(name) or not path.exists():
        raise Usage("UNKNOWN_LOOKBACK", "there is no lookback of this name", remedy="Make one: sluicegate lookback.")
    try:
        said = json.loads(path.read_bytes())
        counts = {name: int(said[name]) for name in ("batches", "released", "affected")}
        of_each = tuple(said["found"]), tuple(said["not_decided"])
        at, as_of = datetime.fromisoformat(said["at"]), said["as_of"]
        return Looked(
            name,
            at,
            as_of,
            **counts,
            codes=said["codes"],
            found=of_each[0],
            not_decided=of_each[1],
            digest=said.get("list_digest"),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        what = "what this lookback found cannot be read"
        raise BadInput("LOOKBACK_UNREADABLE", what, where=name, remedy="Make another: sluicegate lookback.") from None


def listed(home: Home, one: Looked) -> Path:
    """The sealed list of what it found; raises BadInput if it is missing or was changed."""
    path = _folder(home) / f"{one.name}{_LIST}"
    for here in (path, staging.waiting(home, path)):  # one that was just sealed anew may wait yet
        if one.digest is not None and here.exists() and file_matches(here, one.digest):
            return here
    what = "the list of this lookback is missing, or was changed"
    raise BadInput("LIST_CHANGED", what, where=one.name, remedy="Make another: sluicegate lookback.")


def lists(home: Home) -> list[Path]:
    """Every sealed list that is there."""
    return sorted(_folder(home).glob(f"[!.]*{_LIST}"))


def digest(sealed: Path) -> str | None:
    """Which digest the summary of a lookback has for its list; None if it has none, or cannot be read."""
    try:
        said = json.loads(_summary(sealed).read_bytes())["list_digest"]
        return said if isinstance(said, str) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def now_digest(sealed: Path, digest: str) -> None:
    """The list is about to be sealed anew: its summary has this digest from now on."""
    path = _summary(sealed)
    durable.write(path, json.dumps(json.loads(path.read_bytes()) | {"list_digest": digest}, indent=1).encode())


def _summary(sealed: Path) -> Path:
    return sealed.with_name(f"{sealed.name.removesuffix(_LIST)}.json")


def left(home: Home, ledger: Ledger, one: Looked) -> Left:
    """What of its list is in no recall yet. Raises as `listed`. The list is opened in memory, once for as many rows as
    are recalled: what is recalled stays so."""
    if one.digest is None:
        return Left(0)
    known = one.digest, ledger.count_recalled()
    if known not in _left:
        with sealing.opened_stream(listed(home, one), keys.holder(home)) as stream:
            rows = pq.read_table(BytesIO(stream.read()), columns=["batch", "request_key", "codes"])
        taken = pa.array(ledger.recalled(), pa.string())
        rows = _carried(home, ledger, rows)
        rows = rows.filter(pc.invert(pc.is_in(rows["request_key"], value_set=taken)))
        counted = pc.value_counts(pc.list_flatten(rows["codes"])).to_pylist()
        if len(_left) >= _MOST:
            _left.clear()
        _left[known] = Left(rows.num_rows, {one["values"]: one["counts"] for one in counted})
    return _left[known]


def _carried(home: Home, ledger: Ledger, rows: pa.Table) -> pa.Table:
    """The rows with their request keys as the ledger has them now: in a list they stand as each batch was hashed."""
    key = home.hash_key
    then = {name: hashed_with(home, ledger, name) for name in pc.unique(rows["batch"]).to_pylist()}
    if all(one == key for one in then.values()):
        return rows
    with quiet(STEP, home.duck) as connection:
        key.install(connection)
        connection.register("listed", rows)
        query = f"SELECT {key.sql_carried_each('request_key', 'batch', then)} AS request_key, codes FROM listed"
        found = connection.execute(query).to_arrow_table()
        connection.unregister("listed")
    return found


def waiting(home: Home, ledger: Ledger) -> tuple[Looked, Left] | None:
    """The newest lookback over all that was released, if rows of its list are in no recall: it alone says what would
    not be released today. None: nothing waits. Raises as `one` and `listed`."""
    looked = next((found for name in _names(home) if (found := one(home, name)).as_of is None), None)
    rest = left(home, ledger, looked) if looked else Left(0)
    return (looked, rest) if looked and rest.rows else None


def _names(home: Home) -> list[str]:
    """The newest first."""
    return sorted(filter(NAME.fullmatch, (path.stem for path in _folder(home).glob("*.json"))), reverse=True)


def _folder(home: Home) -> Path:
    return home.root / "lookback"
