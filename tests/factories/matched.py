"""A small batch as match leaves it, made by hand: one row for each way in which a row can end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import session
from expectations.contracts.register import ON_FILE
from expectations.contracts.stages import CANDIDATE, CANONICAL, REJECT
from expectations.instruments import Agreement, parse_letter
from pipelines import lake
from pipelines.context import BatchContext
from pipelines.register.opened import PREPARATION
from pipelines.register.prepare import preparation
from tests.factories import submissions
from tests.factories.contexts import hash_key

NEW, OLD, OLDER = date(2020, 1, 1), date(2015, 1, 1), date(2010, 1, 1)
FORMULA_ID = "=cmd|' /C calc'!A0"
# ordinal → (how it must end, its codes)
ENDS: dict[int, tuple[str, list[str]]] = {
    0: ("released", []),
    1: ("held", ["NOT_CORROBORATED"]),
    2: ("held", ["UNIT_NEEDED"]),
    3: ("unmatched", ["NO_CANDIDATE"]),
    4: ("ambiguous", ["NOT_UNIQUE"]),
    5: ("near", ["WEAK_EVIDENCE"]),
    6: ("held", ["NO_NUMBER"]),
    7: ("duplicate", ["DUPLICATE_REQUEST_ID"]),
    8: ("already_disclosed", ["ALREADY_DISCLOSED"]),
    9: ("rejected", ["RAGGED_ROW"]),
    10: ("released", []),
    11: ("held", ["NO_ADDRESS_ON_FILE"]),
    12: ("held", ["TOO_MANY_TRIES"]),
}
_INGEST = {6: "held", 7: "duplicate", 8: "already_disclosed"}
_MATCH = {3: "unmatched", 4: "ambiguous", 5: "near", -2: "unmatched"}


def on_file(number: int, start: date = NEW, end: date | None = None, **changes: Any) -> dict[str, Any]:
    """An address in Springfield, as the register holds it."""
    place = {"street": f"{number} OAK ST", "unit": None, "urbanization": None, "city": "SPRINGFIELD", "state": "IL"}
    return {**place, "zip": "62701", "valid_from": start, "valid_to": end, **changes}


# record id → addresses; request n asks for record 100 + n and gives the address "n+1 Oak St"
REGISTER: dict[int, list[dict[str, Any]]] = {
    100: [on_file(1)],
    101: [on_file(99)],
    102: [on_file(3)],
    110: [on_file(11, OLD, NEW), on_file(77, OLDER, None, street="77 OLD RD"), on_file(500, NEW, None, city="@HOME")],
    111: [on_file(12, OLD, NEW)],
    112: [on_file(13)],
}
CONTROL_ROWS = {-1: [on_file(9001)]}


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(r) for r in rows], schema=schema)


def commit(
    folder: Path, datasets: Mapping[str, Sequence[pa.Table]], labels: Mapping[str, str] | None = None
) -> lake.Manifest:
    """Commits tables as the parts of a step."""
    attempt = lake.Attempt(str(folder / lake.ATTEMPTS / "made"))
    parts = [
        attempt.write(name, index, part).__dict__
        for name, tables in datasets.items()
        for index, part in enumerate(tables)
    ]
    lake.commit_manifest([dict(p) for p in parts], str(folder), "made", labels or {})
    return lake.committed(folder)


def canonical(ordinal: int, request_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """A canonical row whose address is "ordinal+1 Oak St, Springfield IL 62701"."""
    decoy = ordinal < 0
    number = 9000 - ordinal if decoy else ordinal + 1
    row: dict[str, Any] = {
        "ordinal": ordinal,
        "file": 0 if decoy else 1 + ordinal // 7,
        "row": abs(ordinal) if decoy else ordinal % 7 + 1,
        "origin": "decoy" if decoy else "request",
        "request_id": request_id or f"R{ordinal:03d}",
        "request_key": f"key-{ordinal}",
        "street": f"{number} Oak Street",
        "a_kind": "street",
        "a_number": str(number),
        "a_street": "OAK ST",
        "a_city": "SPRINGFIELD",
        "a_state": "IL",
        "a_zip": "62701",
        "a_codes": [],
        "codes": ENDS[ordinal][1] if ordinal in _INGEST else [],
        "outcome": _INGEST.get(ordinal),
    }
    return {**row, **changes}


def candidate(ordinal: int) -> dict[str, Any]:
    outcome = _MATCH.get(ordinal)
    record = None if outcome else (ordinal if ordinal < 0 else 100 + ordinal)
    origin = "decoy" if ordinal < 0 else "request"
    empty: dict[str, Any] = {"evidence": [], "vetoes": [], "plausible": 1}
    return {"ordinal": ordinal, "origin": origin, "outcome": outcome, "record_id": record, "tier": "A", **empty}


# What match and validate read of a prepared person; the rest of its columns are keys.
PREPARED_PERSON = pa.schema(
    [
        ("record_id", pa.int64()),
        *((name, pa.string()) for name in ("s_first", "s_middle", "s_last", "s_suffix")),
        ("s_birth", pa.date32()),
        ("k_tin", pa.uint32()),
    ]
)


def register(folder: Path, addresses: Mapping[int, Sequence[Mapping[str, Any]]], units: int = 0) -> None:
    """A prepared register in `folder`; `units`: how many units 3 Oak St has."""
    record = pa.field("record_id", pa.int64())
    held = pa.schema([record, *(ON_FILE.field(i) for i in range(ON_FILE.num_fields))])
    rows = [{"record_id": record_id, **a} for record_id, given in addresses.items() for a in given]
    people = [{"record_id": n, "s_first": "ANA"} for n in addresses]
    first, later = ({p["record_id"] for p in part} for part in (people[:2], people[2:]))
    building = {"a_zip": "62701", "a_number": "3", "a_street": "OAK ST", "units": units}
    kinds = [(n, pa.string()) for n in ("a_zip", "a_number", "a_street")] + [("units", pa.int32())]
    commit(
        folder,
        {
            "persons": [table(people[:2], PREPARED_PERSON), table(people[2:], PREPARED_PERSON)],
            "addresses": [table([r for r in rows if r["record_id"] in ids], held) for ids in (first, later)],
            "buildings": [table([building] if units else [], pa.schema(kinds))],
        },
        labels={PREPARATION: preparation()},
    )


def made(root: Path, agreement: Agreement, rows: Sequence[dict[str, Any]] | None = None) -> BatchContext:
    """The batch in `root`, matched and not yet validated. `rows`: other canonical rows than those of ENDS."""
    letter = submissions.letter([submissions.DataFile("requests.csv", b"", 13)], agreement)
    context = BatchContext(
        "b-made",
        root / "batch",
        "0" * 64,
        parse_letter(letter.encode()),
        agreement,
        (),
        date(2026, 6, 2),
        date(2026, 6, 1),
        root / "register",
        hash_key(root),
        determinations=(submissions.determined(),),
    )
    context.files.mkdir(parents=True)
    (context.files / "letter.toml").write_text(letter)
    chosen = rows or [canonical(o, FORMULA_ID if o == 0 else None) for o in ENDS if o != 9]
    decoys = [canonical(-1), canonical(-2)]
    reject = {"ordinal": 9, "file": 2, "row": 3, "origin": "request", "field": None, "code": "RAGGED_ROW"}
    commit(context.step("ingest.decode"), {"rejects": [table([reject], REJECT)]})
    half = len(chosen) // 2
    parts = [table(part, CANONICAL) for part in (chosen[:half], chosen[half:], decoys)]
    commit(context.step("ingest.rows"), {"rows": parts})
    looked_up = [candidate(r["ordinal"]) for r in [*chosen, *decoys] if r["outcome"] is None]
    found(context, looked_up)
    register(context.register, REGISTER, units=2)
    register(context.step("match.decoys"), CONTROL_ROWS)
    write_tries(context, [("before", person_key(context, 112), f"other-{n}") for n in range(3)])
    return context


def person_key(context: BatchContext, record_id: int) -> str:
    with session() as connection:
        context.hash_key.install(connection)
        return str(connection.execute(f"SELECT {context.sql_person_key(str(record_id))}").fetchall()[0][0])


def found(context: BatchContext, candidates: Sequence[Mapping[str, Any]]) -> None:
    """Commits the match stage: each request that is matched is a try on its record."""
    tries = [{k: c[k] for k in ("ordinal", "record_id")} for c in candidates if c["record_id"] and c["ordinal"] >= 0]
    kinds = pa.schema({"ordinal": pa.int64(), "record_id": pa.int64()})
    made = {"candidates": [table(candidates, CANDIDATE)], "tries": [table(tries, kinds)]}
    commit(context.step("match.candidates"), made)


def write_tries(context: BatchContext, tries: Sequence[tuple[str, str, str | None]]) -> None:
    """What the ledger knows of earlier tries: batch, person_key, values_key; None: it disclosed the person's record."""
    kinds = pa.schema({name: pa.string() for name in ("batch", "person_key", "values_key")})
    pq.write_table(table([dict(zip(kinds.names, t, strict=True)) for t in tries], kinds), context.tries)


def with_fields(context: BatchContext, *fields: str) -> BatchContext:
    """The same batch under an agreement that lets out these fields only."""
    return replace(context, agreement=context.agreement.model_copy(update={"fields": fields}))


def rows_of(manifest: lake.Manifest, dataset: str) -> list[dict[str, Any]]:
    found = [row for path in manifest.paths(dataset) for row in pq.read_table(path).to_pylist()]
    return sorted(found, key=lambda r: r.get("ordinal", 0))
