"""What is configured, and where each value comes from; of secrets only whether they are set, and where they lie."""

import os
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

from flows.home.config import CONFIG, HOME, KEYS, read
from flows.home.secret import Secret

_SHOWN = "sqlite:///"  # an address that holds no secret


@dataclass(frozen=True)
class Setting:
    """One key in force. `source`: a line of the file, a variable, or the default; of a secret also where it lies."""

    key: str
    value: Any
    source: str
    secret: bool = False


def in_force(root: Path) -> list[Setting]:
    """Every setting of the home at `root`; raises Usage if its configuration is wrong."""
    config, said = read(root / CONFIG)
    found = [Setting("home", str(root), HOME if HOME in os.environ else "default")]
    for key, field in KEYS.items():
        value, source = attrgetter(key)(config), said.source(key)
        kept = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
        if secrets := [one for one in kept if isinstance(one, Secret)]:
            places = dict.fromkeys(one.place for one in secrets if one.place)
            found.append(Setting(key, _set(secrets), "; ".join([source, *places]), True))
        else:
            found.append(Setting(key, _plain(value), source, Secret in get_args(field.annotation)))
    return found


def _set(secrets: list[Secret]) -> str:
    as_it_stands = [one.value.get_secret_value() for one in secrets if one.value]
    if as_it_stands and as_it_stands[0].startswith(_SHOWN):
        return as_it_stands[0]
    return "set" if len(secrets) == 1 else f"{len(secrets)} set"


def _plain(value: Any) -> Any:
    """A value as it is; an address that holds more than a place may hold a secret, though none is wanted there."""
    if isinstance(value, str) and "://" in value and ("@" in value or "?" in value):
        return "set, and not shown: it holds more than a place"
    return value
