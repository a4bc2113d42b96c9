"""The configuration: each key from `sluicegate.toml`, from the environment, or by default. Unknown keys and variables
are errors that name them. How a variable is called: SLUICEGATE_ and the key in capitals, with two underscores for a
dot; what stands in it is written as in the file, a text with or without quotes."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from expectations.base.errors import Usage
from flows.home.observing import Lineage, Log, Telemetry
from flows.home.secret import KeyPlace, Secret
from flows.home.serving import Console
from pipelines.lake.runner import Runner

CONFIG, PREFIX = "sluicegate.toml", "SLUICEGATE_"
HOME = f"{PREFIX}HOME"
_NO_KEYS = (HOME, f"{PREFIX}FLINK_JOB_ENDPOINT")  # variables that are no key of the file
_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Notify(BaseModel):
    """Whom a night tells."""

    model_config = _STRICT

    urls: list[Secret] = []  # Apprise addresses; a place may hold several
    ping: Secret | None = None  # called after each night that ran to its end


class Backups(BaseModel):
    """The backups that are made on a schedule."""

    model_config = _STRICT

    folder: str | None = None  # where they are written; best on another machine
    hours: int = Field(default=36, ge=1, le=8784)  # after so many without one, each night says so
    keep: int = Field(default=30, ge=1, le=3660)  # so many are kept there; older ones are deleted


class Holder(BaseModel):
    """The holder's keys that are no files in `keys`: where each lies instead."""

    model_config = _STRICT

    hash: KeyPlace | None = None
    signing: KeyPlace | None = None
    age: KeyPlace | None = None


class Config(BaseModel):
    """`sluicegate.toml`. Paths are relative to the home folder unless absolute."""

    model_config = _STRICT

    register_folder: str = "register/raw"  # raw or prepared; a raw one is prepared before its first batch
    inbox: str = "inbox"
    outbox: str = "outbox"  # or the URL of a prefix in an object store
    instruments: str = "instruments"
    keys: str = "keys"
    holder: Holder = Holder()
    ledger: Secret = Secret.model_validate("sqlite:///ledger.db")  # or postgresql+psycopg://…
    runner: Runner = Runner.EMBEDDED
    part_rows: int = Field(default=250_000, ge=1)
    threads: int | None = Field(default=None, ge=1)
    memory: str | None = None
    contact: str = ""  # of the holder, for incident reports: name, office, telephone
    alert_hours: int = 12  # how long before a deadline of a recall the nightly run warns
    # hours without a change, after which a submission that has no signature is one that somebody broke off
    upload_hours: int = Field(default=24, ge=1, le=720)
    clock_skew: int = Field(default=5, ge=0, le=60)  # seconds by which the clocks of several machines may differ
    clock_leap: int = Field(default=30, ge=1, le=366)  # days without an event; then two operators sign which day it is
    # so often in an hour an operator may look at the values of a row, or at a person's disclosures
    views_per_hour: int = Field(default=30, ge=1, le=1000)
    signed_heads: list[str] = []  # folders, elsewhere, where each signed head is put as well
    recovery: list[str] = []  # age public keys that backups are sealed to; their private halves lie elsewhere
    backups: Backups = Backups()
    notify: Notify = Notify()
    telemetry: Telemetry = Telemetry()
    lineage: Lineage = Lineage()
    log: Log = Log()
    console: Console = Console()
    sandbox: bool = False  # a sandbox holds made-up data and its requester's keys; --as-of works there only


def _keys(model: type[BaseModel], within: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        table = field.annotation
        if isinstance(table, type) and issubclass(table, BaseModel) and table is not Secret:
            yield from _keys(table, f"{within}{name}.")
        else:
            yield f"{within}{name}", field


KEYS: Mapping[str, FieldInfo] = dict(_keys(Config))
VARIABLES: Mapping[str, str] = {f"{PREFIX}{key.upper().replace('.', '__')}": key for key in KEYS}


@dataclass(frozen=True)
class Said:
    """What the file and the environment say, before anybody has judged it."""

    text: str  # of sluicegate.toml
    file: Mapping[str, Any]
    environment: Mapping[str, Any]  # by key

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """The line of each key of the file. A file parses up to each end of a statement: the next begins there."""
        found: dict[str, int] = {}
        begin, lines = 1, self.text.split("\n")
        for end in range(1, len(lines) + 1):
            try:
                known = _flat(tomllib.loads("\n".join(lines[:end])))
            except tomllib.TOMLDecodeError:  # in the middle of a list over several lines
                continue
            found |= {key: begin for key in known if key not in found}
            begin = end + 1
        return found

    def source(self, key: str) -> str:
        """Where the value of a key comes from: a variable, a line of the file, or nowhere."""
        if key in self.environment:
            return next(variable for variable, known in VARIABLES.items() if known == key)
        above = [key.rsplit(".", n)[0] for n in range(key.count(".") + 1)]
        line = next((self.lines[one] for one in above if one in self.lines), None)
        return f"{CONFIG}, line {line}" if line else "default"


def read(path: Path) -> tuple[Config, Said]:
    """The configuration in force; raises Usage, naming every key and variable at fault, and no value."""
    said = _said(path)
    unknown = [
        _unknown(key, list(KEYS), f"{CONFIG}, line {said.lines[key]}") for key in _flat(said.file) if key not in KEYS
    ]
    names = [name for name in os.environ if name.startswith(PREFIX) and name not in {*VARIABLES, *_NO_KEYS}]
    unknown += [_unknown(name, [*VARIABLES, *_NO_KEYS], "the environment") for name in sorted(names)]
    if unknown:
        raise _invalid(unknown)
    try:
        return Config.model_validate(_merged(said)), said
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise _invalid([_wrong(one["loc"], one["msg"], said) for one in found]) from None


def ledger_of_environment() -> str:
    """The ledger's URL as SLUICEGATE_LEDGER says it, for whoever comes as another role than the home's own, and needs
    no home; raises Usage if nothing is said there, or it cannot be read."""
    said = os.environ.get(variable := f"{PREFIX}LEDGER")
    try:
        secret = Secret.model_validate(_value(said)) if said else None
    except ValidationError:
        secret = None
    if secret is None:
        remedy = f"Set {variable} to the URL with which its owner comes in."
        raise Usage("NO_LEDGER", "nothing says whose ledger it is", where=variable, remedy=remedy)
    return secret.read(variable)


def _said(path: Path) -> Said:
    try:
        text = path.read_text(encoding="utf-8")
        file = tomllib.loads(text)
    except OSError:
        raise Usage("CONFIG_UNREADABLE", "the configuration cannot be read", where=CONFIG) from None
    except UnicodeDecodeError:
        raise Usage("CONFIG_UNREADABLE", "the configuration is not UTF-8", where=CONFIG) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))  # nothing else of its text: it quotes the file
        place = f"{CONFIG}, line {line[1]}" if line else CONFIG
        raise Usage("CONFIG_UNREADABLE", "the configuration is not TOML", where=place) from None
    return Said(text, file, {key: _value(os.environ[name]) for name, key in VARIABLES.items() if name in os.environ})


def _value(text: str) -> Any:
    """What stands in a variable: a list, a table or a quoted text of TOML, or else the text itself."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, list | dict | str) else text


def _flat(table: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Each key with what stands there; tables of ours are taken apart, secrets are not."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        inner = isinstance(value, dict) and any(key.startswith(f"{within}{name}.") for key in KEYS)
        found |= _flat(value, f"{within}{name}.") if inner else {f"{within}{name}": value}
    return found


def _merged(said: Said) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key, value in {**_flat(said.file), **said.environment}.items():
        *tables, name = key.split(".")
        place = merged
        for table in tables:
            place = place.setdefault(table, {})
        place[name] = value
    return merged


def _unknown(name: str, known: list[str], where: str) -> str:
    """A key or variable of no meaning. What it is called may be anything, and is shown only where it is plain."""
    shown = name if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", name) else "that key"
    near = get_close_matches(name, known, 1)
    return f"there is no {shown} ({where}{f'; did you mean {near[0]}?' if near else ''})"


def _wrong(place: tuple[int | str, ...], what: str, said: Said) -> str:
    key = ".".join(str(part) for part in place)
    ours = next((known for known in KEYS if key == known or key.startswith(f"{known}.")), key)
    return f"{ours}: {what.removeprefix('Value error, ')} ({said.source(ours)})"


def _invalid(problems: list[str]) -> Usage:
    return Usage("CONFIG_INVALID", "; ".join(problems), remedy="Every key is described in infra/docs/home.md.")
