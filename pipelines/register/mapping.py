"""`mapping.toml` of a raw register: which files hold persons and addresses, and the names of their columns."""

import os
import re
from datetime import date
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal

import pyarrow as pa
from pydantic import Field, field_validator

from expectations.base import forms
from expectations.base.forms import Strict
from expectations.contracts.register import REGISTER_ADDRESS, REGISTER_PERSON

NAME = "mapping.toml"
_WIDTHS = {"%Y": "[1-9][0-9]{3}", "%b": "[A-Za-z]{3}", "%B": "[A-Za-z]{3,9}", "%f": "[0-9]{1,9}"}
_WIDTHS |= dict.fromkeys(("%m", "%d", "%H"), "[0-9]{1,2}") | dict.fromkeys(("%M", "%S"), "[0-9]{2}")
_FILES = "the files, from the register's folder: records/*.csv; else what lies in its own folder"
_DATES = (
    "dates written as text: %Y, %m or %b or %B, and %d, each once; %H %M %S %f; between them - / . , : T or a blank"
)
_PIECE = re.compile(r"%[YbBmdHMSf]|[-/., :T]")


class RegisterFormat(StrEnum):
    """The formats in which a register may come."""

    PARQUET = "parquet"
    CSV = "csv"


class Layout(Strict):
    """How one table of the register is written. What is left out is as in a register without a mapping."""

    contract: ClassVar[pa.Schema] = pa.schema([])  # the columns there are
    files: str | None = Field(default=None, description=_FILES)
    format: RegisterFormat | None = Field(default=None, description="else by the ending of the files' names")
    delimiter: Literal[",", ";", "|", "\t"] = Field(default=",", description="between the fields of a CSV")
    date_format: str = Field(default="%Y-%m-%d", description=_DATES)
    nulls: tuple[str, ...] = Field(default=(), description="texts that stand for no value, such as 00000000")
    columns: dict[str, str] = Field(default={}, description="column of the contract = its name in the files")

    @field_validator("columns")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value:
            if key not in cls.contract.names:
                raise ValueError(f"{key} is no column here: write {', '.join(cls.contract.names)}")
        return value

    @field_validator("files")
    @classmethod
    def _inside(cls, value: str | None) -> str | None:
        path = PurePosixPath(value) if value else None
        if value is not None and (path is None or path.is_absolute() or ".." in path.parts or "**" in value):
            raise ValueError("write a path inside the register's folder, such as records/*.csv")
        return value

    @field_validator("date_format")
    @classmethod
    def _unmistakable(cls, value: str) -> str:
        pieces = _PIECE.findall(value)
        of = [sum(p in names for p in pieces) for names in (["%Y"], ["%m", "%b", "%B"], ["%d"])]
        if "".join(pieces) != value or of != [1, 1, 1]:  # a year of two digits can be of two centuries
            raise ValueError("write %Y (four digits), %m or %b or %B, and %d, each once, such as %m/%d/%Y")
        return value

    @property
    def date_pattern(self) -> str:
        """A regular expression for what `date_format` reads: DuckDB also reads 65 as a year, and the word infinity."""
        # without separators both digits must be there
        compact = re.search(r"%[Ymd]%[md]", self.date_format) is not None
        pattern = "".join(_WIDTHS.get(p, f"[{p}]") for p in _PIECE.findall(self.date_format))
        return pattern.replace("{1,2}", "{2}") if compact else pattern


class Persons(Layout):
    """Where the persons are, one row each."""

    contract: ClassVar[pa.Schema] = REGISTER_PERSON


class Defaults(Strict):
    """What stands where an address has no value of its own."""

    valid_from: date | None = Field(default=None, description="such as the day of the extract; without quotes")
    state: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(default=None, description="two letters")


class Addresses(Layout):
    """Where the addresses are; the files may be those of the persons. A row without any part of an address is none."""

    contract: ClassVar[pa.Schema] = REGISTER_ADDRESS
    defaults: Defaults = Defaults()


class Mapping(Strict):
    """A whole `mapping.toml`. A table that it does not name is as in a register without a mapping."""

    persons: Persons | None = Field(default=None, description="where the persons are, one row each")
    addresses: Addresses | None = Field(default=None, description="where the addresses are; --json has all keys")


def read_mapping(folder: Path) -> Mapping:
    """The mapping of the raw register in `folder`, empty if it has none; raises BadInput with the key at fault."""
    path = folder / NAME
    if not os.path.lexists(path):
        return Mapping()
    table = forms.toml(forms.file_bytes(path, "MAPPING_UNREADABLE"), NAME, "MAPPING_UNREADABLE")
    remedy = "See sluicegate schema register_mapping for the form."
    return forms.validated(Mapping, table, NAME, "MAPPING_INVALID", remedy)
