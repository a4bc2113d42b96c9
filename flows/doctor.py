"""`sluicegate doctor`: what is missing on this machine and in this home, and how to fix it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from expectations.errors import BadInput, SluicegateError
from flows.home import FOLDERS, HASH_KEY, HOLDER_AGE, HOLDER_SIGNING, Home, open_home

_PACKAGES = ("apache-beam", "great-expectations", "prefect", "pyarrow", "duckdb", "sqlalchemy", "pyrage", "zipcodes")
_MEMORY_NEEDED = 2 * 1024**3
_DISK_NEEDED = 5 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing examined. `level`: ok, warn (works, but should be fixed) or fail (a run would not work)."""

    level: str
    what: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything that a run needs, in the order in which to fix it."""
    return [*_machine(), *_home()]


def _machine() -> Iterator[Finding]:
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    yield (
        Finding("ok", python)
        if sys.version_info >= (3, 11)
        else Finding("fail", python, "Install Python 3.11 or later.")
    )
    for name in _PACKAGES:
        try:
            yield Finding("ok", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("fail", f"{name} is not installed", "Run make setup.")
    for tool, why in (
        ("ssh-keygen", "signs letters and decisions outside this program"),
        ("java", "Flink's job server"),
    ):
        found = shutil.which(tool)
        yield (
            Finding("ok", tool)
            if found
            else Finding("warn", f"{tool} is not here: {why}", f"Install it to use it ({tool}).")
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    enough = memory >= _MEMORY_NEEDED
    yield Finding(
        "ok" if enough else "warn", f"{memory / 1024**3:.1f} GiB of memory", "" if enough else "2 GiB is the least."
    )


def _home() -> Iterator[Finding]:
    try:
        home = open_home()
    except SluicegateError as error:
        yield Finding("fail", error.message, error.remedy)
        return
    yield from _folders(home)
    yield _outbox(home)
    yield from _keys(home)
    yield _encryption(home.root)
    free = shutil.disk_usage(home.root).free
    yield Finding(
        "ok" if free >= _DISK_NEEDED else "warn",
        f"{free / 1024**3:.0f} GiB free",
        "" if free >= _DISK_NEEDED else "Free some.",
    )
    yield _register(home)
    yield _facilities(home)
    yield _persons(home)
    yield from _ledger(home)
    api = os.environ.get("PREFECT_API_URL")
    yield Finding(
        "ok", "Prefect server: set by PREFECT_API_URL" if api else "Prefect server: a temporary one for each run"
    )


def _folders(home: Home) -> Iterator[Finding]:
    for name in FOLDERS:
        folder = home.root / name
        if not folder.is_dir():
            yield Finding("fail", f"folder {name} is missing", "Run sluicegate init.")
        elif folder.stat().st_mode & 0o077:
            yield Finding("fail", f"folder {name} is open to others", f"chmod 700 {name}")


def _outbox(home: Home) -> Finding:
    try:
        home.delivery.digest(
            "doctor"
        )  # asks for a package of this name: the outbox was reached, if it says that there is none
        return Finding("ok", f"outbox {home.delivery.place('')}")
    except SluicegateError as error:
        return Finding("fail", f"outbox: {error.message}", error.remedy)


def _keys(home: Home) -> Iterator[Finding]:
    for name in (HASH_KEY, HOLDER_SIGNING, HOLDER_AGE):
        try:
            home.secret(name)
            yield Finding("ok", f"key {name}")
        except SluicegateError as error:
            yield Finding("fail", f"key {name}: {error.message}", error.remedy)


def _encryption(root: Path) -> Finding:
    """Working parts lie in the home tree as plaintext while a batch is in flight: its volume should be encrypted."""
    device = root.stat().st_dev
    mapper = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    if mapper.is_file() and mapper.read_text().startswith("CRYPT-"):
        return Finding("ok", "the home volume is encrypted (dm-crypt)")
    return Finding(
        "warn",
        "the home volume is not known to be encrypted",
        "Put SLUICEGATE_HOME on a dm-crypt volume, or make sure that the storage below encrypts.",
    )


def _register(home: Home) -> Finding:
    from pipelines import register

    place = home.register
    if (place / "manifest.json").is_file():
        return Finding("ok", "register: prepared")
    try:
        raw = register.files(place)
    except BadInput as error:
        return Finding("fail", f"{error.where}: {error.message}", error.remedy)
    if raw:
        return Finding("ok", "register: raw; it is prepared before its first batch")
    return Finding(
        "fail", "there is no register", "Set register_folder in sluicegate.toml, or: sluicegate simulate register."
    )


def _persons(home: Home) -> Finding:
    """The holder's lists of persons: none is needed, but one that cannot be read stops every submission."""
    from expectations import persons

    if home.persons is None:
        return Finding("ok", "no lists of persons: nobody's record is protected beyond the rules")
    with tempfile.TemporaryDirectory(prefix="sluicegate-doctor-", dir=home.lake) as folder:
        kept = Path(folder) / persons.KEPT
        try:
            entries = persons.keep(home.persons, kept, home.duck)
        except BadInput as error:
            return Finding("fail", f"{error.where}: {error.message}", error.remedy)
    return Finding("ok", f"{home.persons.name}: {entries:,} entries")


def _facilities(home: Home) -> Finding:
    """The operator's own list of facilities: none is needed, but one that cannot be read stops every submission."""
    from expectations import address

    if home.facilities is None:
        return Finding("ok", "no list of facilities of your own: the built-in list is used")
    try:
        own = address.check(home.facilities)
    except SluicegateError as error:
        return Finding("fail", f"{error.where}: {error.message}", error.remedy)
    return Finding(
        "ok", f"{home.facilities.name}: {len(own.phrases)} phrases and {len(own.addresses)} addresses of your own"
    )


def _ledger(home: Home) -> Iterator[Finding]:
    from expectations.clock import Clock
    from flows.ledger import Ledger

    try:
        with Ledger.open(home.ledger_url, Clock()) as ledger:
            instruments, operators = len(ledger.instruments()), len(ledger.operators())
    except Exception as error:  # whatever the database says may hold a password from its address
        yield Finding("fail", f"the ledger cannot be opened: {type(error).__name__}", "See ledger in sluicegate.toml.")
        return
    yield Finding(
        "ok" if instruments else "fail",
        f"{instruments} instruments enrolled",
        "" if instruments else "Enrol an agreement.",
    )
    yield Finding(
        "ok" if operators > 1 else "warn",
        f"{operators} operators enrolled",
        "" if operators > 1 else "A drop needs two.",
    )
