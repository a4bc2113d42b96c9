"""What `sluicegate schema` prints: the contracts of the rows, and the forms of letters, instruments and mappings."""

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from expectations.base.errors import Usage
from expectations.base.forms import Strict, form_in, to_toml
from expectations.contracts import schemas as rows
from expectations.instruments import Agreement, CourtOrder, Determination, Letter
from pipelines.register.mapping import Mapping

_MODELS: dict[str, type[Strict]] = {
    "letter": Letter,
    "agreement": Agreement,
    "court_order": CourtOrder,
    "determination": Determination,
    "register_mapping": Mapping,
}
_WORDS = {str: "text", date: "date", int: "number", float: "number", bool: "true or false"}
NAMES = (*rows.SCHEMAS, *_MODELS)


def json_schema(name: str) -> dict[str, Any]:
    """JSON Schema of a row, a letter, an instrument or a mapping; raises Usage on another name."""
    if _known(name) not in _MODELS:
        return rows.json_schema(name)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **_MODELS[name].model_json_schema(), "title": name}


def table(name: str) -> list[tuple[str, str, str, str]]:
    """Field, type, whether null or may be left out, meaning; the fields of a table within it under their full key."""
    if _known(name) in _MODELS:
        fields = _fields(_MODELS[name])
        return [(key, _type(f.annotation), "" if f.is_required() else "yes", _meaning(f)) for key, f in fields]
    return [
        (f.name, str(f.type), "yes" if f.nullable else "", (f.metadata or {}).get(b"doc", b"").decode())
        for f in rows.schema(name)
    ]


def meanings(name: str) -> dict[str, str]:
    """What each field of a form means, by its full key."""
    return {key: field.description or "" for key, field in _fields(_MODELS[name])}


def _fields(model: type[Strict], within: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield within + name, field
        if inner := form_in(field.annotation):
            yield from _fields(inner, f"{within}{name}.")


def _meaning(field: FieldInfo) -> str:
    example = f" For example: {to_toml(field.examples[0])}" if field.examples else ""
    return f"{field.description or ''}{example}".strip()


def _type(annotation: Any) -> str:
    """In words: text, date, a table, a list of them …"""
    if form_in(annotation):
        return "list of tables" if get_origin(annotation) is tuple else "table"
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return _type(inner[0])
    if kind is tuple:
        return f"list of {_type(inner[0])}"
    if kind is dict:
        return f"table of {_type(inner[1])}"
    if kind is Literal:
        return " | ".join(map(str, inner))
    if inner:
        return " or ".join(_type(a) for a in inner if a is not type(None))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(annotation)
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _known(name: str) -> str:
    if name not in NAMES:
        raise Usage("UNKNOWN_SCHEMA", "no such schema", remedy=f"Choose one of: {', '.join(NAMES)}.")
    return name
