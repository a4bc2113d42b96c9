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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import contracts, facts, signatures
from expectations.duck import DuckSettings, parquet
from expectations.instruments import Agreement, Letter, parse_instrument, parse_letter
from expectations.rules.address import PREMISES
from expectations.suites import disclosure, eligibility, intake, matching

DAY = date(2026, 6, 1)
FIELDS = ("street", "unit", "city", "state", "zip")
PLACE = {"street": "100 MAIN ST", "city": "SPRINGFIELD", "state": "IL", "zip": "62701"}
REQUEST: dict[str, Any] = {
    **PLACE, "first_name": "TESTINE", "last_name": "EXAMPLE", "birth_date": "1980-02-03", "taxable_period": "2024",
    "reason": "Failed to depart after the order in the case named", "officer": "officer-1",
    "final_order_date": "2025-01-02", "case_number": "MADE-1",
}  # fmt: skip
# ordinal → what differs from REQUEST, what must come of it, and with which code
DECOYS: dict[int, tuple[dict[str, Any], str, str | None]] = {
    -1: ({}, "eligible", None),
    -2: ({}, "unmatched", None),
    -3: ({"zip": None}, "held", "NO_ZIP"),
    -4: ({}, "held", "NOT_CORROBORATED"),
}
_PARTIES = """
[holder]
id = "made-holder"
name = "Made holder"
address = "1 Made Way"
[requester]
id = "made-requester"
name = "Made requester"
address = "2 Made Way"
[thresholds]
incomplete_share = 0.1
incomplete_share_per_file = 0.15
match_rate_floor = 0.0
match_rate_ceiling = 1.0
letter_age_days = 30
rows_per_batch = 1000
matters_per_officer = 1000
identical_reason_share = 0.5
persons_per_address = 100
tries_per_person = 3
held_days = 30
[safeguards]
reviewed_on = 2026-01-01
"""
_LETTER = """
requester = "made-requester"
agreement = "made-agreement"
statute = "a statute"
purpose = "a purpose"
date = 2026-05-30
signatory = {name = "Made", office = "an office"}
officers = [{id = "officer-1", name = "Made"}]
attestations = {solely = true, no_informant_or_investigation_harmed = true}
[[files]]
path = "made.csv"
format = "csv"
rows = 2
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"""


@dataclass(frozen=True)
class Batch:
    """The made batch, in `folder`. `injected`: ordinal → changed raw fields of a row that the stages are made to let pass;
    all None for the row that has nothing in it."""

    folder: Path
    letter: Mapping[str, Any]
    injected: Mapping[int, Mapping[str, Any]]

    def _write(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> str:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{name}.parquet"
        loose = pa.schema([pa.field(f.name, f.type) for f in schema])  # poison may be null where a stage may not
        pq.write_table(pa.Table.from_pylist(rows, schema=loose), path)
        return parquet([path])

    def _asked(self) -> list[tuple[int, dict[str, Any]]]:
        return [(0, REQUEST), *((n, {**REQUEST, **change}) for n, change in self.injected.items())]

    def _raw(self) -> str:
        rows = [{**_place(n), **row, "request_id": row.get("request_id", f"made{n}")} for n, row in self._asked()]
        return self._write("raw", rows, pa.schema([*contracts.PLACE, *contracts.RAW_REQUEST]))

    def _rejects(self) -> str:
        return self._write("rejects", [{**_place(1), "code": "RAGGED_ROW"}], contracts.REJECT)

    def _rows(self) -> str:
        return self._write("rows", [*self._request_rows(), *_decoy_rows()], contracts.CANONICAL)

    def _request_rows(self) -> list[dict[str, Any]]:
        return [
            {**_place(n), **row, "request_id": row.get("request_id", f"made{n}"), "request_key": f"key{n}", "codes": []}
            for n, row in self._asked()
        ]

    def _expected(self) -> str:
        rows = [{"ordinal": n, "expected": end, "code": code} for n, (_, end, code) in DECOYS.items()]
        schema = pa.schema([("ordinal", pa.int64()), ("expected", pa.string()), ("code", pa.string())])
        return self._write("expected", rows, schema)

    def _candidates(self) -> str:
        found: list[dict[str, Any]] = []
        for n in [n for n, _ in self._asked()] + [n for n, (_, _, code) in DECOYS.items() if code != "NO_ZIP"]:
            unmatched = n in DECOYS and DECOYS[n][1] == "unmatched"
            found.append(
                {
                    **_place(n), "outcome": "unmatched" if unmatched else None, "record_id": None if unmatched else _record(n),
                    "tier": None if unmatched else "B", "evidence": [], "vetoes": [], "plausible": 0 if unmatched else 1,
                }
            )  # fmt: skip
        return self._write("candidates", found, contracts.CANDIDATE)

    def _verdicts(self) -> str:
        judged = [n for n, _ in self._asked()] + [
            n for n, (_, _, code) in DECOYS.items() if code != "NO_ZIP" and n != -2
        ]
        return self._write("verdicts", [_verdict(n) for n in judged], contracts.VERDICT)

    def intake(self) -> intake.Inputs:
        decoys = self._write("decoys", _decoy_rows(), pa.schema([*contracts.PLACE, *contracts.RAW_REQUEST]))
        disclosed = self._write("disclosed", [{"request_key": "another"}], pa.schema([("request_key", pa.string())]))
        dropped = self._write("dropped", [], pa.schema([("ordinal", pa.int64())]))
        return intake.Inputs(
            self._raw(), self._rejects(), self._rows(), decoys, disclosed, len(self._asked()) + len(DECOYS), (2,), self.letter,
            PREMISES, dropped,
        )  # fmt: skip

    def matching(self) -> matching.Inputs:
        committed = len(self._asked()) + len(DECOYS) - 1
        return matching.Inputs(self._rows(), self._candidates(), self._expected(), committed, self.letter)

    def eligibility(self) -> eligibility.Inputs:
        committed = len(self._asked()) + len(DECOYS) - 2
        return eligibility.Inputs(
            self._rows(), self._candidates(), self._verdicts(), self._expected(), committed, self.letter, PREMISES
        )  # fmt: skip

    def disclosure(self, duck: DuckSettings | None = None) -> disclosure.Inputs:
        released = {"request_id": "made0", **PLACE}
        row = {"ordinal": 0, "request_key": "key0", "person_key": "person0", "record_id": _record(0), **released}
        keys = [
            ("ordinal", pa.int64()),
            ("request_key", pa.string()),
            ("person_key", pa.string()),
            ("record_id", pa.int64()),
        ]
        eligible = self._write("eligible", [row], pa.schema([*(pa.field(n, t) for n, t in keys), *contracts.RELEASE]))
        forms = [self._write(name, [released], contracts.RELEASE) for name in ("parquet", "csv")]
        outcomes = self._write("outcomes", _outcomes(), contracts.OUTCOME)
        manifest = {
            "counts": {"submitted": 2, "released": 1}, "fields": ["request_id", *FIELDS],
            "content_digest": disclosure.released_digest(forms[0], duck),
        }  # fmt: skip
        return disclosure.Inputs(
            rows=self._rows(), rejects=self._rejects(), candidates=self._candidates(), verdicts=self._verdicts(),
            outcomes=outcomes, eligible=eligible, committed=2, fields=FIELDS, parquet=forms[0], csv=forms[1],
            manifest=manifest,
        )  # fmt: skip


def letter_facts() -> dict[str, Any]:
    """Facts of a letter in good order, under an agreement in force, signed with a key made now."""
    key = Ed25519PrivateKey.generate()
    signed = _LETTER.encode()
    letter: Letter = parse_letter(signed)
    signature = signatures.sign(signed, key, signatures.LETTER)
    return facts.letter_facts(letter, signed, signature, _agreement(key), [], DAY, DAY)


def _agreement(key: Ed25519PrivateKey) -> Agreement:
    head = f"""
kind = "agreement"
id = "made-agreement"
title = "Made"
source = "made for the self-test"
valid_from = 2026-01-01
valid_to = 2026-12-31
received_on = 2026-01-01
zone = "UTC"
statutes = ["a statute"]
offices = ["an office"]
purposes = ["a purpose"]
fields = ["street", "unit", "city", "state", "zip"]
keys = {{signing = ["{signatures.public_line(key)}"], recipient = "nobody"}}
"""
    made = parse_instrument((head + _PARTIES).encode(), "made-agreement")
    assert isinstance(made, Agreement)
    return made


def _place(ordinal: int) -> dict[str, Any]:
    decoy = ordinal in DECOYS
    return {
        "ordinal": ordinal, "file": 0 if decoy else 1, "row": abs(ordinal) + (0 if decoy else 1),
        "origin": "decoy" if decoy else "request",
    }  # fmt: skip


def _record(ordinal: int) -> int:
    return ordinal if ordinal in DECOYS else 1000 + ordinal


def _decoy_rows() -> list[dict[str, Any]]:
    held = {"NO_ZIP": (["NO_ZIP"], "held")}
    return [
        {
            **_place(n), **REQUEST, **change, "request_id": f"made{n}", "request_key": f"key{n}",
            "codes": held.get(code or "", ([], None))[0], "outcome": held.get(code or "", ([], None))[1],
        }
        for n, (change, _, code) in DECOYS.items()
    ]  # fmt: skip


def _verdict(ordinal: int) -> dict[str, Any]:
    elsewhere = ordinal in DECOYS and DECOYS[ordinal][2] == "NOT_CORROBORATED"
    on_file = {**PLACE, "street": "200 OAK AVE"} if elsewhere else PLACE
    return {
        **_place(ordinal), "record_id": _record(ordinal), "person_key": f"person{ordinal}",
        "addresses_on_file": [{**on_file, "valid_from": date(2020, 1, 1)}], "units_on_file": 0, "earlier_tries": 0,
        "corroboration": "differs" if elsewhere else "same",
        "codes": ["NOT_CORROBORATED"] if elsewhere else [], "outcome": "held" if elsewhere else None,
    }  # fmt: skip


def _outcomes() -> list[dict[str, Any]]:
    released = {
        **_place(0), "request_id": "made0", "request_key": "key0", "person_key": "person0", "outcome": "released",
        "codes": [], "told": [],
    }  # fmt: skip
    return [released, {**_place(1), "outcome": "rejected", "codes": ["RAGGED_ROW"], "told": ["RAGGED_ROW"]}]
