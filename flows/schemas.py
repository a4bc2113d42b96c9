"""What `sluicegate schema` prints: the contracts of the rows, and the forms of letters, instruments and mappings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from expectations import contracts
from expectations.errors import Usage
from expectations.instruments import Agreement, CourtOrder, Letter
from pipelines.register.mapping import Mapping

_MODELS: dict[str, type[BaseModel]] = {
    "letter": Letter,
    "agreement": Agreement,
    "court_order": CourtOrder,
    "register_mapping": Mapping,
}
NAMES = (*contracts.SCHEMAS, *_MODELS)


def json_schema(name: str) -> dict[str, Any]:
    """JSON Schema of a row (one object a row), of a letter, an instrument or a mapping; raises Usage on another name."""
    return _MODELS[_known(name)].model_json_schema() if name in _MODELS else contracts.json_schema(_known(name))


def table(name: str) -> list[tuple[str, str, str, str]]:
    """Field, type, whether null, meaning."""
    if _known(name) in _MODELS:
        fields = _MODELS[name].model_fields.items()
        return [(k, _type(f.annotation), "" if f.is_required() else "yes", f.description or "") for k, f in fields]
    return [
        (f.name, str(f.type), "yes" if f.nullable else "", (f.metadata or {}).get(b"doc", b"").decode())
        for f in contracts.schema(name)
    ]


def _type(annotation: Any) -> str:
    return getattr(annotation, "__name__", str(annotation)).replace("typing.", "")


def _known(name: str) -> str:
    if name not in NAMES:
        raise Usage("UNKNOWN_SCHEMA", "no such schema", remedy=f"Choose one of: {', '.join(NAMES)}.")
    return name
