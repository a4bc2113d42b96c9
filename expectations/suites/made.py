"""A small made batch that is right in every respect: what the self-test first lets pass, and then poisons.

Nobody in it exists. Its rows are written as each stage would commit them, to a folder that the caller deletes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, parquet
from expectations.contracts.package import RELEASE
from expectations.contracts.request import RAW_REQUEST
from expectations.contracts.stages import CANDIDATE, CANONICAL, OUTCOME, REJECT, VERDICT
from expectations.contracts.stages import PLACE as ROW_PLACE
from expectations.facts.letter import LetterFacts
from expectations.rules.address import CROWD, PREMISES
from expectations.suites import eligibility, intake, matching
from expectations.suites.disclosure_tables import Inputs as DisclosureInputs
from expectations.suites.disclosure_tables import released_digest
from expectations.suites.made_letter import letter_facts

__all__ = ["CONTROL_ROWS", "FIELDS", "PLACE", "REQUEST", "Batch", "letter_facts"]

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
# Who else lives where the poison of CROWDED does: with it, one person more than the made agreement allows (by ordinal).
NEIGHBOURS = {900 + n: f"NEIGHBOUR {letter}" for n, letter in enumerate("ABCDE")}
PARSED = {"a_kind": "street", "a_number": "1429", "a_street": "ALDER ST", "a_zip": "62701"}  # CROWD in Springfield
# ordinal → what differs from REQUEST, what must come of it, and with which code
CONTROL_ROWS: dict[int, tuple[dict[str, Any], str, str | None]] = {
    -1: ({}, "eligible", None),
    -2: ({}, "unmatched", None),
    -3: ({"zip": None}, "held", "NO_ZIP"),
    -4: ({}, "held", "NOT_CORROBORATED"),
}


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

    def _asked(self) -> list[tuple[int, dict[str, Any]]]:
        crowded = any(change.items() >= CROWD.items() for change in self.injected.values())
        neighbours = {n: {**CROWD, "last_name": name} for n, name in NEIGHBOURS.items()} if crowded else {}
        changes = {**self.injected, **neighbours}
        return [(0, REQUEST), *((n, {**REQUEST, **change}) for n, change in changes.items())]

    def _raw(self) -> str:
        rows = [{**_place(n), **row, "request_id": row.get("request_id", f"made{n}")} for n, row in self._asked()]
        return self._write("raw", rows, pa.schema([*ROW_PLACE, *RAW_REQUEST]))

    def _rejects(self) -> str:
        return self._write("rejects", [{**_place(1), "code": "RAGGED_ROW"}], REJECT)

    def _rows(self) -> str:
        return self._write("rows", [*self._request_rows(), *_control_rows()], CANONICAL)

    def _request_rows(self) -> list[dict[str, Any]]:
        return [
            {
                **_place(n),
                **row,
                **(PARSED if row["street"] == CROWD["street"] else {}),
                "s_last": row["last_name"],
                "request_id": row.get("request_id", f"made{n}"),
                "request_key": f"key{n}",
                "codes": [],
            }
            for n, row in self._asked()
        ]

    def _expected(self) -> str:
        rows = [{"ordinal": n, "expected": end, "code": code} for n, (_, end, code) in CONTROL_ROWS.items()]
        schema = pa.schema([("ordinal", pa.int64()), ("expected", pa.string()), ("code", pa.string())])
        return self._write("expected", rows, schema)

    def _candidates(self) -> str:
        found: list[dict[str, Any]] = []
        for n in [n for n, _ in self._asked()] + [n for n, (_, _, code) in CONTROL_ROWS.items() if code != "NO_ZIP"]:
            unmatched = n in CONTROL_ROWS and CONTROL_ROWS[n][1] == "unmatched"
            found.append(
                {
                    **_place(n),
                    "outcome": "unmatched" if unmatched else None,
                    "record_id": None if unmatched else _record(n),
                    "tier": None if unmatched else "B",
                    "evidence": [],
                    "vetoes": [],
                    "plausible": 0 if unmatched else 1,
                }
            )
        return self._write("candidates", found, CANDIDATE)

    def _verdicts(self) -> str:
        judged = [n for n, _ in self._asked()] + [
            n for n, (_, _, code) in CONTROL_ROWS.items() if code != "NO_ZIP" and n != -2
        ]
        return self._write("verdicts", [_verdict(n) for n in judged], VERDICT)

    def intake(self) -> intake.Inputs:
        control_rows = self._write("control_rows", _control_rows(), pa.schema([*ROW_PLACE, *RAW_REQUEST]))
        disclosed = self._write("disclosed", [{"request_key": "another"}], pa.schema([("request_key", pa.string())]))
        dropped = self._write("dropped", [], pa.schema([("ordinal", pa.int64())]))
        return intake.Inputs(
            self._raw(),
            self._rejects(),
            self._rows(),
            control_rows,
            disclosed,
            len(self._asked()) + len(CONTROL_ROWS),
            (2,),
            self.letter,
            PREMISES,
            dropped,
        )

    def matching(self) -> matching.Inputs:
        committed = len(self._asked()) + len(CONTROL_ROWS) - 1
        return matching.Inputs(self._rows(), self._candidates(), self._expected(), committed, self.letter)

    def eligibility(self) -> eligibility.Inputs:
        committed = len(self._asked()) + len(CONTROL_ROWS) - 2
        return eligibility.Inputs(
            self._rows(), self._candidates(), self._verdicts(), self._expected(), committed, self.letter, PREMISES
        )

    def disclosure(self, duck: DuckSettings | None = None) -> DisclosureInputs:
        released = {"request_id": "made0", **PLACE}
        row = {"ordinal": 0, "request_key": "key0", "person_key": "person0", "record_id": _record(0), **released}
        keys = [
            ("ordinal", pa.int64()),
            ("request_key", pa.string()),
            ("person_key", pa.string()),
            ("record_id", pa.int64()),
        ]
        eligible = self._write("eligible", [row], pa.schema([*(pa.field(n, t) for n, t in keys), *RELEASE]))
        forms = [self._write(name, [released], RELEASE) for name in ("parquet", "csv")]
        outcomes = self._write("outcomes", _outcomes(), OUTCOME)
        manifest = {
            "counts": {"submitted": 2, "released": 1},
            "fields": ["request_id", *FIELDS],
            "content_digest": released_digest(forms[0], duck),
        }
        return DisclosureInputs(
            rows=self._rows(),
            rejects=self._rejects(),
            candidates=self._candidates(),
            verdicts=self._verdicts(),
            outcomes=outcomes,
            eligible=eligible,
            committed=2,
            fields=FIELDS,
            parquet=forms[0],
            csv=forms[1],
            manifest=manifest,
        )


def _place(ordinal: int) -> dict[str, Any]:
    control = ordinal in CONTROL_ROWS
    return {
        "ordinal": ordinal,
        "file": 0 if control else 1,
        "row": abs(ordinal) + (0 if control else 1),
        "origin": "decoy" if control else "request",
    }


def _record(ordinal: int) -> int:
    return ordinal if ordinal in CONTROL_ROWS else 1000 + ordinal


def _control_rows() -> list[dict[str, Any]]:
    held = {"NO_ZIP": (["NO_ZIP"], "held")}
    return [
        {
            **_place(n),
            **REQUEST,
            **change,
            "request_id": f"made{n}",
            "request_key": f"key{n}",
            "codes": held.get(code or "", ([], None))[0],
            "outcome": held.get(code or "", ([], None))[1],
        }
        for n, (change, _, code) in CONTROL_ROWS.items()
    ]


def _verdict(ordinal: int) -> dict[str, Any]:
    elsewhere = ordinal in CONTROL_ROWS and CONTROL_ROWS[ordinal][2] == "NOT_CORROBORATED"
    on_file = {**PLACE, "street": "200 OAK AVE"} if elsewhere else PLACE
    return {
        **_place(ordinal),
        "record_id": _record(ordinal),
        "person_key": f"person{ordinal}",
        "addresses_on_file": [{**on_file, "valid_from": date(2020, 1, 1)}],
        "units_on_file": 0,
        "lists": [],
        "earlier_tries": 0,
        "corroboration": "differs" if elsewhere else "same",
        "codes": ["NOT_CORROBORATED"] if elsewhere else [],
        "outcome": "held" if elsewhere else None,
    }


def _outcomes() -> list[dict[str, Any]]:
    released = {
        **_place(0),
        "request_id": "made0",
        "request_key": "key0",
        "person_key": "person0",
        "outcome": "released",
        "codes": [],
        "told": [],
    }
    return [released, {**_place(1), "outcome": "rejected", "codes": ["RAGGED_ROW"], "told": ["RAGGED_ROW"]}]
