"""A small made batch that is right in every respect: what the self-test first lets pass, and then poisons.

Nobody in it exists. Its rows are written as each stage would commit them, to a folder that the caller deletes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, parquet
from expectations.contracts.lists import Origin
from expectations.contracts.package import RELEASE
from expectations.contracts.register import REGISTER_ADDRESS
from expectations.contracts.request import RAW_REQUEST
from expectations.contracts.stages import CANDIDATE, CANONICAL, OUTCOME, REJECT, VERDICT
from expectations.contracts.stages import PLACE as ROW_PLACE
from expectations.facts.letter import LetterFacts
from expectations.rules.address import CROWD, PREMISES
from expectations.suites import disclosure_tables, eligibility_tables, intake_tables, matching
from expectations.suites.on_file import PARSED as PREPARED
from expectations.suites.on_file import Register

FIELDS = ("street", "unit", "city", "state", "zip")
PLACE = {"street": "100 MAIN ST", "city": "SPRINGFIELD", "state": "IL", "zip": "62701"}
REQUEST: dict[str, Any] = {
    **PLACE,
    "first_name": "TESTINE",
    "last_name": "EXAMPLE",
    "birth_date": "1980-02-03",
    "taxable_period": "2024",
    "reason": "Failed to depart after the order in the case named",
    "officer": "officer-1",
    "final_order_date": "2025-01-02",
    "judicial_order_date": "none",
    "removal_ground": "1227(a)(1)(B)",
    "case_number": "MADE-1",
}
SEED = "made"
# Who else lives where the poison of CROWDED does: with it, one person more than the made agreement allows (by ordinal).
NEIGHBOURS = {900 + n: f"NEIGHBOUR {letter}" for n, letter in enumerate("ABCDE")}
ELSEWHERE = {**PLACE, "street": "200 OAK AVE"}
# What stands beside a row of REQUEST, and beside one at CROWD in Springfield, when it was derived right.
PARSED = {"a_kind": "street", "a_city": "SPRINGFIELD", "a_state": "IL", "a_zip": "62701"}
STREETS = {
    PLACE["street"]: {"a_number": "100", "a_street": "MAIN ST"},
    CROWD["street"]: {"a_number": "1429", "a_street": "ALDER ST"},
    ELSEWHERE["street"]: {"a_number": "200", "a_street": "OAK AVE"},
}
BUILDING = pa.schema({"a_zip": pa.string(), "a_number": pa.string(), "a_street": pa.string(), "units": pa.int32()})
ON_FILE = pa.schema([*REGISTER_ADDRESS, *(pa.field(name, pa.string()) for name in PREPARED)])
# ordinal → what differs from REQUEST, what must come of it, and with which code
CONTROL_ROWS: dict[int, tuple[dict[str, Any], str, str | None]] = {
    -1: ({}, "eligible", None),
    -2: ({}, "unmatched", None),
    -3: ({"zip": None}, "held", "NO_ZIP"),
    -4: ({}, "held", "NOT_CORROBORATED"),
}
_TRIED_BEFORE = pa.schema({name: pa.string() for name in ("batch", "person_key", "values_key")})
_MATCHED, _LOOKED_UP = (-1, -4), (-1, -2, -4)  # of the control rows


@dataclass(frozen=True)
class Batch:
    """The made batch, in `folder`. `injected`: ordinal → changed raw fields of a row that the stages are made to let
    pass; all None for the row that has nothing in it."""

    folder: Path
    letter: LetterFacts
    injected: Mapping[int, Mapping[str, Any]]

    def _write(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> str:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{name}.parquet"
        loose = pa.schema([pa.field(f.name, f.type) for f in schema])  # poison may be null where a stage may not
        pq.write_table(pa.Table.from_pylist(rows, schema=loose), path)
        return parquet([path])

    def _asked(self) -> dict[int, dict[str, Any]]:
        crowded = any(change.items() >= CROWD.items() for change in self.injected.values())
        neighbours = {n: {**CROWD, "last_name": name} for n, name in NEIGHBOURS.items()} if crowded else {}
        return {n: {**REQUEST, **change} for n, change in {0: {}, **self.injected, **neighbours}.items()}

    def _raw(self) -> str:
        rows = [_row(n, row) for n, row in self._asked().items()]
        return self._write("raw", rows, pa.schema([*ROW_PLACE, *RAW_REQUEST]))

    def _rejects(self) -> str:
        return self._write("rejects", [{**_place(1), "code": "RAGGED_ROW"}], REJECT)

    def _rows(self) -> str:
        asked = [_row(n, row) for n, row in self._asked().items()]
        return self._write("rows", [*asked, *_control_rows()], CANONICAL)

    def _expected(self) -> str:
        rows = [{"ordinal": n, "expected": end, "code": code} for n, (_, end, code) in CONTROL_ROWS.items()]
        schema = pa.schema({"ordinal": pa.int64(), "expected": pa.string(), "code": pa.string()})
        return self._write("expected", rows, schema)

    def _candidates(self) -> str:
        found = [_candidate(n) for n in (*self._asked(), *_LOOKED_UP)]
        return self._write("candidates", found, CANDIDATE)

    def _verdicts(self) -> str:
        return self._write("verdicts", [_verdict(n) for n in (*self._asked(), *_MATCHED)], VERDICT)

    def _registers(self) -> dict[Origin, Register]:
        """The register and that of the control rows, prepared: one address for each record."""
        found = {}
        for origin, ordinals in ((Origin.REQUEST, self._asked()), (Origin.CONTROL, _MATCHED)):
            homes = [{"record_id": _record(n), **home, **_parsed(home)} for n in ordinals for home in _on_file(n)]
            self._write(f"on_file_{origin}", homes, ON_FILE)
            self._write(f"buildings_{origin}", [], BUILDING)
            files = (str(self.folder / f"{name}_{origin}.parquet") for name in ("on_file", "buildings"))
            found[origin] = Register(*((file,) for file in files))
        return found

    def intake(self) -> intake_tables.Inputs:
        control_rows = self._write("control_rows", _control_rows(), pa.schema([*ROW_PLACE, *RAW_REQUEST]))
        disclosed = self._write("disclosed", [{"request_key": "another"}], pa.schema({"request_key": pa.string()}))
        dropped = self._write("dropped", [], pa.schema({"ordinal": pa.int64()}))
        relations = (self._raw(), self._rejects(), self._rows(), control_rows, disclosed)
        committed = len(self._asked()) + len(CONTROL_ROWS)
        return intake_tables.Inputs(*relations, SEED, committed, (2,), self.letter, PREMISES, dropped)

    def matching(self) -> matching.Inputs:
        committed = len(self._asked()) + len(_LOOKED_UP)
        on_file = {origin: parquet(list(one.addresses)) for origin, one in self._registers().items()}
        relations = (self._rows(), self._candidates(), self._expected(), on_file)
        return matching.Inputs(*relations, committed, self.letter)

    def eligibility(self) -> eligibility_tables.Inputs:
        relations = (self._rows(), self._candidates(), self._verdicts(), self._expected())
        tries = (self._tries(), self._tried(), self._write("tried_before", [], _TRIED_BEFORE))
        committed = len(self._asked()) + len(_MATCHED)
        registers = self._registers()
        return eligibility_tables.Inputs(*relations, committed, registers, SEED, self.letter, PREMISES, *tries)

    def _tries(self) -> str:
        rows = [{"ordinal": n, "record_id": _record(n)} for n in self._asked()]
        return self._write("tries", rows, pa.schema({"ordinal": pa.int64(), "record_id": pa.int64()}))

    def _tried(self) -> str:
        rows = [
            {"ordinal": n, "record_id": _record(n), "person_key": f"person{n}", "values_key": "values"}
            for n in self._asked()
        ]
        keys = {"ordinal": pa.int64(), "record_id": pa.int64(), "person_key": pa.string(), "values_key": pa.string()}
        return self._write("tried", rows, pa.schema(keys))

    def disclosure(self, duck: DuckSettings | None = None) -> disclosure_tables.Inputs:
        released = {"request_id": "made0", **PLACE}
        row = {"ordinal": 0, "request_key": "key0", "person_key": "person0", "record_id": _record(0), **released}
        keys = {"ordinal": pa.int64(), "request_key": pa.string(), "person_key": pa.string(), "record_id": pa.int64()}
        eligible = self._write("eligible", [row], pa.schema([*pa.schema(keys), *RELEASE]))
        parquet, csv = (self._write(name, [released], RELEASE) for name in ("parquet", "csv"))
        relations = (self._rows(), self._rejects(), self._candidates(), self._verdicts())
        outcomes = self._write("outcomes", _outcomes(), OUTCOME)
        manifest = {
            "counts": {"submitted": 2, "released": 1},
            "fields": ["request_id", *FIELDS],
            "content_digest": disclosure_tables.released_digest(parquet, duck),
        }
        return disclosure_tables.Inputs(*relations, outcomes, eligible, 2, FIELDS, parquet, csv, manifest)


def _place(ordinal: int) -> dict[str, Any]:
    if ordinal in CONTROL_ROWS:
        return {"ordinal": ordinal, "file": 0, "row": -ordinal, "origin": "decoy"}
    return {"ordinal": ordinal, "file": 1, "row": ordinal + 1, "origin": "request"}


def _record(ordinal: int) -> int:
    return ordinal if ordinal in CONTROL_ROWS else 1000 + ordinal


def _row(ordinal: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A row as ingest would write it, without a code."""
    keys = {"request_id": f"made{ordinal}", "request_key": f"key{ordinal}"}
    named = {"s_first": asked["first_name"], "s_last": asked["last_name"], "s_birth": date(1980, 2, 3)}
    return {**_place(ordinal), **keys, **asked, **named, **_parsed(asked), "a_codes": [], "codes": []}


def _parsed(place: Mapping[str, Any]) -> dict[str, Any]:
    """The parsed columns of an address of this module, poisoned or not."""
    return {**PARSED, **STREETS.get(place["street"], {}), **({} if place["zip"] else {"a_zip": None})}


def _on_file(ordinal: int) -> list[dict[str, Any]]:
    """The addresses on file of the record that a row was matched to."""
    elsewhere = ordinal in CONTROL_ROWS and CONTROL_ROWS[ordinal][2] == "NOT_CORROBORATED"
    return [{**(ELSEWHERE if elsewhere else PLACE), "valid_from": date(2020, 1, 1)}]


def _control_rows() -> list[dict[str, Any]]:
    held = {"codes": ["NO_ZIP"], "outcome": "held"}
    return [
        {**_row(n, {**REQUEST, **change}), **(held if code == "NO_ZIP" else {})}
        for n, (change, _, code) in CONTROL_ROWS.items()
    ]


def _candidate(ordinal: int) -> dict[str, Any]:
    match = {"record_id": _record(ordinal), "tier": "B", "plausible": 1}
    unmatched = {"outcome": "unmatched", "plausible": 0}
    found = unmatched if CONTROL_ROWS.get(ordinal, ({}, "", None))[1] == "unmatched" else match
    return {**_place(ordinal), "evidence": [], "vetoes": [], **found}


def _verdict(ordinal: int) -> dict[str, Any]:
    keys = {"record_id": _record(ordinal), "person_key": f"person{ordinal}"}
    verdict: dict[str, Any] = {"corroboration": "same", "codes": []}
    if _on_file(ordinal)[0]["street"] != PLACE["street"]:
        verdict = {"corroboration": "differs", "codes": ["NOT_CORROBORATED"], "outcome": "held"}
    counted = {"addresses_on_file": _on_file(ordinal), "units_on_file": 0}
    return {**_place(ordinal), **keys, **counted, "lists": [], "earlier_tries": 0, "tried_beside": 0, **verdict}


def _outcomes() -> list[dict[str, Any]]:
    keys = {"request_id": "made0", "request_key": "key0", "person_key": "person0"}
    return [
        {**_place(0), **keys, "outcome": "released", "codes": [], "told": []},
        {**_place(1), "outcome": "rejected", "codes": ["RAGGED_ROW"], "told": ["RAGGED_ROW"]},
    ]
