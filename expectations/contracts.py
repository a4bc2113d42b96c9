"""The rows between stages, as Arrow schemas, and the closed lists of outcomes and tiers.

Everything that crosses a stage is Parquet in one of these schemas. `ordinal` is the identity of a row inside its batch
(0, 1, 2 … over the data files in the letter's order, header not counted; decoys count down from -1): the only thing
about a row that may be logged. `SCHEMAS` is what `sluicegate schema` prints.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

from expectations.errors import Usage


class Outcome(StrEnum):
    """How a submitted row ended. Each row has exactly one (infra/docs/invariants.md, 1)."""

    REJECTED = "rejected"  # could not be read as a row
    DUPLICATE = "duplicate"  # its request id occurs more than once in the submission
    ALREADY_DISCLOSED = "already_disclosed"  # its request id was answered before
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    NEAR = "near"  # name and address only: plausible, without release path
    HELD = "held"  # a rule failed
    DROPPED = "dropped"  # two people dropped the incomplete rows of a held batch
    REFUSED = "refused"  # the batch was refused or rejected
    RELEASED = "released"


class Origin(StrEnum):
    """Who asked: the requester, or the holder (a control row), which never counts in rates, accounting or package."""

    REQUEST = "request"
    CONTROL = "decoy"


class Tier(StrEnum):
    """On which evidence a record was matched (infra/docs/matching.md)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Corroboration(StrEnum):
    """How the request's address compares with the addresses on file of the candidate. Only SAME corroborates."""

    SAME = "same"
    BUILDING = "building"  # same building, but the units are not the same
    DIFFERS = "differs"
    NOT_COMPARABLE = "not_comparable"


class Stage(StrEnum):
    """The four stages, in their order."""

    INGEST = "ingest"
    MATCH = "match"
    VALIDATE = "validate"
    RELEASE = "release"


S, I64, I32, D, B = pa.string(), pa.int64(), pa.int32(), pa.date32(), pa.bool_()


def _f(name: str, kind: pa.DataType, doc: str, *, null: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata={"doc": doc})


# The raw register: two tables, joined on record_id.
REGISTER_PERSON = pa.schema(
    [
        _f("record_id", I64, "the register's own key; above zero (decoys are below)", null=False),
        _f("tin", S, "taxpayer identification number, nine digits, or null"),
        _f("first_name", S, "given name"),
        _f("middle_name", S, "middle name or initial"),
        _f("last_name", S, "surname or surnames"),
        _f("suffix", S, "JR, SR, II, III, IV"),
        _f("birth_date", D, "date of birth"),
    ]
)
REGISTER_ADDRESS = pa.schema(
    [
        _f("record_id", I64, "whose address", null=False),
        _f("street", S, "delivery line without the unit: number and street, PO BOX n, RR n BOX n, PSC n BOX n"),
        _f("unit", S, "secondary unit, with designator (APT 4, UNIT 12)"),
        _f("urbanization", S, "Puerto Rico urbanization (URB line)"),
        _f("city", S, "city or APO, FPO, DPO"),
        _f("state", S, "two letters"),
        _f("zip", S, "ZIP or ZIP+4"),
        _f("valid_from", D, "on file from", null=False),
        _f("valid_to", D, "on file until (exclusive); null: the last known address"),
    ]
)

# A row as submitted: text only, nothing interpreted. Absent columns are null.
RAW_FIELDS = (
    ("request_id", "the requester's own key of this request; required"),
    ("full_name", "name in one field, given names first, or LAST, FIRST MIDDLE; instead of the parts"),
    ("first_name", "given name"),
    ("middle_name", "middle name or initial"),
    ("last_name", "surname or surnames"),
    ("suffix", "JR, SR, II, III, IV"),
    ("address", "address in one line; instead of the parts"),
    ("street", "delivery line"),
    ("unit", "secondary unit, if it is not in the delivery line"),
    ("city", "city"),
    ("state", "state, two letters or in full"),
    ("zip", "ZIP or ZIP+4"),
    ("birth_date", "date of birth, YYYY-MM-DD"),
    ("tin", "taxpayer identification number; hyphens allowed"),
    ("taxable_period", "the taxable period or periods asked for, YYYY or YYYY-YYYY; 26 USC 6103(i)(2)(B)(ii)"),
    ("reason", "the specific reason why the disclosure may be relevant; 26 USC 6103(i)(2)(B)(iv)"),
    ("officer", "id of the officer personally and directly engaged, from the letter's list; 26 USC 6103(i)(2)(A)"),
    ("final_order_date", "date of the final order of removal, YYYY-MM-DD; 8 USC 1253(a)(1)"),
    (
        "judicial_order_date",
        "date of the reviewing court's final order, YYYY-MM-DD, or none: no judicial review; 8 USC 1253(a)(1)",
    ),
    (
        "removal_ground",
        "the paragraph of 8 USC 1227(a) that the order rests on, such as 1227(a)(1)(B); 8 USC 1253(a)(1)",
    ),
    ("case_number", "the case in which the final order was made"),
)
RAW_NAMES = tuple(name for name, _ in RAW_FIELDS)
# Of every submission; the letter's statute asks for more (rules.statutes).
REQUIRED_COLUMNS = ("request_id", "taxable_period", "reason", "officer")
RAW_REQUEST = pa.schema([_f(name, S, doc) for name, doc in RAW_FIELDS])

# Where a row stands in its submission. `file` counts from 1 in the letter's order, `row` from 1 in its file.
PLACE = [
    _f("ordinal", I64, "identity of the row inside its batch", null=False),
    _f("file", I32, "data file, counted from 1 in the letter's order; 0 for decoys", null=False),
    _f("row", I64, "row of that file, counted from 1, header not counted", null=False),
    _f("origin", S, "request or decoy", null=False),
]
# Standardised fields: written by expectations.standard and expectations.address, which the checkpoints run again.
STANDARD = [
    _f("request_key", S, "keyed hash (HMAC-SHA256, hex) of the request id: what the ledger knows of it"),
    _f("s_first", S, "given name: capitals, no accents"),
    _f("s_middle", S, "middle initial"),
    _f("s_last", S, "surname tokens, one space between"),
    _f("s_last1", S, "first surname token"),
    _f("s_last2", S, "last surname token; the same where there is one only"),
    _f("s_suffix", S, "JR SR II III IV V or null"),
    _f("s_birth", D, "date of birth, null if it cannot be read"),
    _f("s_birth_year_only", B, "1 January: the year only is known"),
    _f("s_tin", S, "nine digits that can be an SSN, ITIN or ATIN, else null"),
]
# The parsed address: what expectations.address derives, for requests and for the register alike.
ADDRESS = [
    _f("a_kind", S, "street, po_box, rural, general_delivery, military, or null: not parsed"),
    _f("a_number", S, "house number; for boxes and routes: the box number"),
    _f("a_street", S, "street with standard abbreviations; PO BOX; RR n; HC n; PSC n"),
    _f("a_unit", S, "unit identifier without designator"),
    _f("a_urb", S, "Puerto Rico urbanization"),
    _f("a_city", S, "city: capitals, no accents"),
    _f("a_state", S, "two letters"),
    _f("a_zip", S, "five digits"),
    _f("a_codes", pa.list_(S), "address codes, sorted; see expectations.codes", null=False),
]
CANONICAL = pa.schema(
    PLACE
    + list(RAW_REQUEST)
    + STANDARD
    + ADDRESS
    + [
        _f("codes", pa.list_(S), "codes of every request-phase rule that failed, sorted", null=False),
        _f("outcome", S, "null: goes on to match; duplicate, already_disclosed or held otherwise"),
    ]
)
REJECT = pa.schema(
    [
        *PLACE,
        _f("field", S, "the field at fault, or null for the whole row"),
        _f("code", S, "why it could not be read", null=False),
    ]
)
CANDIDATE = pa.schema(
    [
        _f("ordinal", I64, "row", null=False),
        _f("origin", S, "request or decoy", null=False),
        _f("outcome", S, "null: one candidate; unmatched, ambiguous or near otherwise"),
        _f("record_id", I64, "the one register record that the row refers to, or null"),
        _f("tier", S, "A, B, C or D (matching.md), or null"),
        _f("evidence", pa.list_(S), "agreeing evidence: tin, birth_date, first_name, last_name, address …", null=False),
        _f("vetoes", pa.list_(S), "conflicts that forbade a release, of the best record", null=False),
        _f("plausible", I32, "records that might be the same person", null=False),
        _f("weight", pa.float32(), "Fellegi-Sunter weight of the best record in bits, for study; releases nothing"),
    ]
)
ON_FILE = pa.struct(
    [
        pa.field(name, kind)
        for name, kind in [
            ("street", S),
            ("unit", S),
            ("urbanization", S),
            ("city", S),
            ("state", S),
            ("zip", S),
            ("valid_from", D),
            ("valid_to", D),
        ]
    ]
)
VERDICT = pa.schema(
    [
        _f("ordinal", I64, "row", null=False),
        _f("origin", S, "request or decoy", null=False),
        _f("record_id", I64, "the candidate", null=False),
        _f("person_key", S, "keyed hash (HMAC-SHA256, hex) of the record id: what the ledger knows of it", null=False),
        _f("addresses_on_file", pa.list_(ON_FILE), "every address on file that counts, raw, newest first", null=False),
        _f("units_on_file", I32, "distinct units on file in the request's building", null=False),
        _f("lists", pa.list_(S), "the holder's lists of persons that this one is on, sorted", null=False),
        _f("earlier_tries", I32, "other addresses already tried for this person by this requester", null=False),
        _f("corroboration", S, "same, building, differs or not_comparable", null=False),
        _f("codes", pa.list_(S), "codes of every register-phase rule that failed, sorted", null=False),
        _f("outcome", S, "null: eligible; held otherwise"),
    ]
)
# What may leave. The agreement's `fields` choose among the address columns.
RELEASE = pa.schema(
    [
        _f("request_id", S, "the requester's own key", null=False),
        _f("street", S, "last known address: delivery line"),
        _f("unit", S, "last known address: unit"),
        _f("urbanization", S, "last known address: Puerto Rico urbanization"),
        _f("city", S, "last known address: city"),
        _f("state", S, "last known address: state"),
        _f("zip", S, "last known address: ZIP"),
    ]
)
OUTCOME = pa.schema(
    [
        _f("ordinal", I64, "row", null=False),
        _f("file", I32, "data file", null=False),
        _f("row", I64, "row of the file", null=False),
        _f("request_id", S, "the requester's own key, as far as it could be read"),
        _f("request_key", S, "keyed hash of the request id"),
        _f("person_key", S, "keyed hash of the record id, for released rows"),
        _f("outcome", S, "the one end of this row", null=False),
        _f("codes", pa.list_(S), "every code, for the holder's own eyes", null=False),
        _f("told", pa.list_(S), "the codes that the requester is told", null=False),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "register_person": REGISTER_PERSON,
    "register_address": REGISTER_ADDRESS,
    "request": RAW_REQUEST,
    "canonical": CANONICAL,
    "reject": REJECT,
    "candidate": CANDIDATE,
    "verdict": VERDICT,
    "release": RELEASE,
    "outcome": OUTCOME,
}


def schema(name: str) -> pa.Schema:
    """The schema called `name`; raises Usage with the list of names if there is none."""
    if name not in SCHEMAS:
        raise Usage("UNKNOWN_SCHEMA", "no such schema", remedy=f"Choose one of: {', '.join(SCHEMAS)}.")
    return SCHEMAS[name]


def json_schema(name: str) -> dict[str, object]:
    """The schema called `name` as JSON Schema (2020-12), for one row."""
    fields = schema(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "type": "object",
        "properties": {f.name: {**_json_type(f.type, f.nullable), "description": _doc(f)} for f in fields},
        "required": [f.name for f in fields if not f.nullable],
        "additionalProperties": False,
    }


def _doc(field: pa.Field) -> str:
    return (field.metadata or {}).get(b"doc", b"").decode()


def _json_type(kind: pa.DataType, nullable: bool) -> dict[str, object]:
    if pa.types.is_list(kind):
        base: dict[str, object] = {"type": "array", "items": _json_type(kind.value_type, False)}
    elif pa.types.is_struct(kind):
        base = {"type": "object", "properties": {f.name: _json_type(f.type, f.nullable) for f in kind}}
    elif pa.types.is_date(kind):
        base = {"type": "string", "format": "date"}
    elif pa.types.is_integer(kind):
        base = {"type": "integer"}
    elif pa.types.is_boolean(kind):
        base = {"type": "boolean"}
    else:
        base = {"type": "string"}
    if nullable:
        base["type"] = [base["type"], "null"]
    return base
