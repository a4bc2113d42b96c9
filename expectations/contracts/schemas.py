"""What `sluicegate schema` prints: each kind of row by its name."""

import pyarrow as pa

from expectations.base.errors import Usage
from expectations.contracts.column import I32, I64, B, D
from expectations.contracts.package import RELEASE
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON
from expectations.contracts.request import RAW_REQUEST
from expectations.contracts.stages import CANDIDATE, CANONICAL, OUTCOME, REJECT, VERDICT

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
_WHOLE = {"type": "integer"}
_JSON_TYPES = {I64: _WHOLE, I32: _WHOLE, B: {"type": "boolean"}, D: {"format": "date"}}  # where it is no plain string


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
        "properties": {
            f.name: {**_json_type(f.type, f.nullable), "description": f.metadata[b"doc"].decode()} for f in fields
        },
        "required": [f.name for f in fields if not f.nullable],
        "additionalProperties": False,
    }


def _json_type(kind: pa.DataType, nullable: bool) -> dict[str, object]:
    if pa.types.is_list(kind):
        base: dict[str, object] = {"type": "array", "items": _json_type(kind.value_type, False)}
    elif pa.types.is_struct(kind):
        base = {"type": "object", "properties": {f.name: _json_type(f.type, f.nullable) for f in kind}}
    else:
        base = {"type": "string", **_JSON_TYPES.get(kind, {})}
    if nullable:
        base["type"] = [base["type"], "null"]
    return base
