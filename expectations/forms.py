"""TOML files that people write, checked by pydantic models: instruments, letters, the mapping of a register.

An error names the file and the key, and never quotes what stands there.
"""

from __future__ import annotations

import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from expectations.errors import BadInput


class Strict(BaseModel):
    """A form: unknown keys are errors."""

    # hide_input_in_errors: a validation error must never quote what it could not read
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


_M = TypeVar("_M", bound=Strict)


def toml(data: bytes, where: str, code: str) -> dict[str, Any]:
    """The bytes of a TOML file as a table; raises BadInput(code) with the line, if it is none."""
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadInput(code, "the file is not UTF-8", where=where, remedy="Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        line = getattr(error, "lineno", None)
        place = f"{where}, line {line}" if line else where
        raise BadInput(code, "the file is not TOML", where=place, remedy="Correct its syntax.") from None


def validated(
    model: type[_M], table: dict[str, Any], where: str, code: str, remedy: str = "See sluicegate schema for the form."
) -> _M:
    """The table as `model`; raises BadInput(code) with the first key at fault."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        key = ".".join(str(p) for p in first["loc"]) or "the whole file"
        raise BadInput(code, f"{key}: {first['msg']}", where=where, remedy=remedy) from None
