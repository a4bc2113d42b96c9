"""TOML files that people write, checked by pydantic models: instruments, letters, the mapping of a register.

An error names the file and the key, and never quotes what stands there.
"""

import json
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from expectations.base.errors import BadInput


class Strict(BaseModel):
    """A form: unknown keys are errors."""

    # hide_input_in_errors: a validation error must never quote what it could not read
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def entry(description: str, example: Any, **more: Any) -> Any:
    """A key of a form: what it means, and an example, which schemas show and errors propose; `more` as in Field."""
    return Field(description=description, examples=[example], **more)


_M = TypeVar("_M", bound=Strict)


LARGEST_FILE = 1 << 20  # bytes of a form


def file_bytes(path: Path, code: str) -> bytes:
    """The bytes of a form; raises BadInput(code) if it is no plain file, cannot be read, or is too large."""
    try:
        if stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for its other end
            with path.open("rb") as stream:
                data = stream.read(LARGEST_FILE + 1)
            if len(data) <= LARGEST_FILE:
                return data
    except OSError:
        pass
    what = "it is no plain file of at most 1 MiB that can be read"
    raise BadInput(code, what, where=path.name, remedy="Put a plain file there.")


def toml(data: bytes, where: str, code: str) -> dict[str, Any]:
    """The bytes of a TOML file as a table; raises BadInput(code) with the line, if it is none, or none that a person
    would write: nested deeper, with longer numbers or keys of more parts, or with control characters."""
    try:
        text = data.decode("utf-8")
        # the parser walks each key of n parts n times
        if sum(line.count(".") ** 2 for line in text.splitlines()) > _DOTS**2:
            raise BadInput(code, "a key has too many parts", where=where, remedy="Write plain keys.")
        table = tomllib.loads(text)
    except UnicodeDecodeError:
        raise BadInput(code, "the file is not UTF-8", where=where, remedy="Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))  # nothing else of its text: it may quote the file
        place = f"{where}, line {line[1]}" if line else where
        raise BadInput(code, "the file is not TOML", where=place, remedy="Correct its syntax.") from None
    except (ValueError, RecursionError, OverflowError):
        what = "a number is too long, a date is none, or tables are nested too deep"
        raise BadInput(code, what, where=where, remedy="Write it as the form says.") from None
    if unsound := _unsound(table):
        raise BadInput(code, unsound, where=where, remedy="Write it as the form says.")
    return table


_DOTS, _DEEPEST = 2_000, 16
_LARGEST = 1 << 63  # what databases hold as a whole number
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _unsound(table: dict[str, Any]) -> str | None:
    """What no later reader of this table should have to be ready for; None if there is nothing."""
    inner: list[tuple[Any, int]] = [(table, 1)]
    while inner:
        value, depth = inner.pop()
        if isinstance(value, str) and _CONTROL.search(value):
            return "a text holds a control character"
        if isinstance(value, int) and abs(value) >= _LARGEST:
            return "a number is too large"
        if isinstance(value, dict | list):
            if depth > _DEEPEST:
                return "tables or lists are nested too deep"
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            inner += [(part, depth + 1) for part in parts]
    return None


@dataclass(frozen=True)
class Problem:
    """What is wrong at a key of a file, and what to write there. Neither quotes what stands there."""

    key: str
    what: str
    write: str


def problems(model: type[Strict], table: dict[str, Any], context: dict[str, Any] | None = None) -> list[Problem]:
    """All that is wrong with the table as `model`; empty if it fits. `context`: for the validators of the form."""
    try:
        model.model_validate(table, context=context)
    except ValidationError as error:
        return [
            Problem(".".join(map(_plain, e["loc"])) or "the whole file", e["msg"], _write(model, e["loc"]))
            for e in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    except (ValueError, RecursionError, OverflowError):
        return [Problem("the whole file", "a value is none that can be read", "")]
    return []


def _plain(part: int | str) -> str:
    """A key as it may be shown. One that is not a key of ours may be anything: a value, or what upsets a terminal."""
    return str(part) if isinstance(part, int) or re.fullmatch(r"[A-Za-z0-9_ -]{1,40}", part) else "a key"


def validated(
    model: type[_M],
    table: dict[str, Any],
    where: str,
    code: str,
    remedy: str = "See sluicegate schema for the form.",
    context: dict[str, Any] | None = None,
) -> _M:
    """The table as `model`; raises BadInput(code) with the first key at fault."""
    wrong = problems(model, table, context)
    if wrong:
        first = wrong[0]
        raise BadInput(code, f"{first.key}: {first.what}", where=where, remedy=f"{first.write} {remedy}".strip())
    return model.model_validate(table, context=context)


def _write(model: type[Strict], place: tuple[int | str, ...]) -> str:
    """What to write at this place, from the example of its field; nothing if it has none."""
    field, name = None, ""
    for part in place:
        inner = model if field is None else form_in(field.annotation)
        if isinstance(part, int) or inner is None:  # an element of a list
            continue
        name = part
        field = inner.model_fields.get(part)
        if field is None:
            return f"Keys here are {', '.join(inner.model_fields)}."
    return f"Write, for example: {name} = {to_toml(field.examples[0])}." if field and field.examples else ""


def form_in(annotation: Any) -> type[Strict] | None:
    """The form in an annotation such as tuple[Finding, ...] or Only | None."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return annotation
    return next((f for a in get_args(annotation) if (f := form_in(a))), None)


def to_toml(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {to_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def document(table: Mapping[str, Any]) -> str:
    """A whole TOML file: first the plain keys, then each table and each element of a list of tables under a head of its
    own, all in the order given."""
    heads = [(f"[{k}]", v) for k, v in table.items() if isinstance(v, dict)]
    heads += [(f"[[{k}]]", one) for k, v in table.items() if _tables(v) for one in v]
    plain = {k: v for k, v in table.items() if not isinstance(v, dict) and not _tables(v)}
    return "".join([_keys(plain), *(f"\n{head}\n{_keys(keys)}" for head, keys in heads)])


def _tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)


def _keys(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {to_toml(value)}\n" for key, value in table.items())
