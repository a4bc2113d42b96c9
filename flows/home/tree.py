"""The home tree: where one installation keeps its register, instruments, keys, inbox, outbox, lake and ledger.
`SLUICEGATE_HOME`, or `./.sluicegate`. Every folder is 0700: working parts of a batch in flight lie here as plaintext,
so the volume must be encrypted (`sluicegate doctor` checks it)."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from expectations.base.duck import DuckSettings, default_settings
from expectations.base.errors import Usage
from expectations.base.forms import to_toml
from expectations.base.hash_key import HashKey
from expectations.base.places import Place
from flows.home.config import CONFIG, HOME, Config, read
from flows.outbox import Outbox, outbox_at
from pipelines.lake import durable

FOLDERS = (
    *("inbox", "outbox", "lake", "register", "instruments", "keys"),
    *("evidence", "accounting", "verdicts", "prefect"),
)
HOLDER_SIGNING, HOLDER_AGE, HASH_KEY = "holder-signing", "holder-age", "hash"
# Among the verdicts of a batch: its rows by outcome, once they have ended; and what failed.
OUTCOMES, FAULT = "outcomes", "fault"


@dataclass(frozen=True)
class Home:
    """An opened home tree."""

    root: Path
    config: Config

    def _path(self, value: str) -> Path:
        return (self.root / value).resolve()

    @property
    def inbox(self) -> Path:
        return self._path(self.config.inbox)

    @property
    def outbox(self) -> Path:
        """The outbox's folder; raises Usage if it is no folder of this machine: see `delivery`."""
        if "://" in self.config.outbox:
            raise Usage("OUTBOX_REMOTE", "the outbox is no folder of this machine", where="outbox")
        return self._path(self.config.outbox)

    @property
    def delivery(self) -> Outbox:
        """The outbox, wherever it is."""
        return outbox_at(self.config.outbox if "://" in self.config.outbox else self.outbox)

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def keys(self) -> Path:
        return self._path(self.config.keys)

    @property
    def holders(self) -> tuple[str, ...]:
        """Public keys that may sign a package: the present one, and earlier ones that still count."""
        return tuple(signatures.public_lines(self.keys / f"{HOLDER_SIGNING}.pub"))

    @property
    def instruments(self) -> Path:
        return self._path(self.config.instruments)

    @property
    def register(self) -> Path:
        return self._path(self.config.register_folder)

    @property
    def persons(self) -> Path | None:
        """The holder's lists of persons; None if there are none."""
        from expectations.facts.persons import NAME

        return self._own_file(NAME)

    @property
    def facilities(self) -> Path | None:
        """The operator's own list of facilities; None if there is none."""
        from expectations.address.facilities import NAME  # late: most commands need nothing of it

        return self._own_file(NAME)

    def _own_file(self, name: str) -> Path | None:
        path = self.root / name
        return path if path.exists() or path.is_symlink() else None  # a link to nothing is a file that cannot be read

    @property
    def prepared(self) -> Path:
        """Where prepared register versions lie."""
        return self.root / "register"

    def clock(self, as_of: date | None = None) -> Clock:
        """The clock, or in a sandbox one that pretends that it is noon (UTC) of a day; raises Usage elsewhere."""
        own = Clock(skew=timedelta(seconds=self.config.clock_skew), leap=timedelta(days=self.config.clock_leap))
        if as_of is None:
            return own
        if not self.config.sandbox:
            raise Usage("NO_SANDBOX", "--as-of works in a sandbox only", remedy="sluicegate init --sandbox elsewhere.")
        return replace(own, fixed=datetime.combine(as_of, time(12), UTC), pretended=True)

    @property
    def verdicts(self) -> Path:
        """Checkpoint results by batch: counts, rule ids and codes only."""
        return self.root / "verdicts"

    def store_verdict(self, batch: str, name: str, result: Mapping[str, Any]) -> str:
        """Stores a result of a batch among its verdicts, as NAME.json; gives its digest, for an event."""
        folder, text = self.verdicts / batch, json.dumps(result, indent=1, default=str).encode()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.write(folder / f"{name}.json", text)
        return of_bytes(text)

    def fault(self, batch: str) -> dict[str, Any]:
        """The newest fault of a batch, as `BatchSteps.store_fault` stored it; empty where nothing can be read."""
        try:
            stored = json.loads((self.verdicts / batch / f"{FAULT}.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return stored if isinstance(stored, dict) else {}

    def passing_fault(self, batch: str) -> bool:
        """Whether the newest fault of a batch may have passed by itself; False where nothing of it is stored."""
        return self.fault(batch).get("passing") is True

    @cached_property
    def ledger_url(self) -> str:
        """Read once: a command that gives it may take a while. Raises Usage if it cannot be read."""
        prefix, url = "sqlite:///", self.config.ledger.read("ledger")
        return f"{prefix}{self._path(url.removeprefix(prefix))}" if url.startswith(prefix) else url

    @property
    def duck(self) -> DuckSettings:
        """How much DuckDB may use; it spills inside the home tree."""
        base, own = default_settings(str(self.root / "lake" / ".spill")), self.config
        return replace(base, threads=own.threads or base.threads, memory=own.memory or base.memory)

    def key(self, name: str) -> Place:
        """Where a key of the holder lies: where the configuration says, or else as its file in `keys`."""
        own = self.config.holder
        said = {HASH_KEY: own.hash, HOLDER_SIGNING: own.signing, HOLDER_AGE: own.age}[name]
        place = said.lies if said else Place.file(self.keys / name)
        assert place is not None, "a key never stands in the configuration itself"
        return Place.file(self.root / place.words[0]) if place.path else place

    @property
    def hash_key(self) -> HashKey:
        """Where the key of the keyed hashes lies; raises Usage if it is missing or can be read by others."""
        return HashKey.at(self.key(HASH_KEY))


@contextmanager
def alone(home: Home, name: str) -> Iterator[None]:
    """Locks this batch or register on this machine: a second run of it waits here, and then finds it done. A killed run
    releases the lock. Across machines the ledger's own transactions decide."""
    with _lock(home, name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def if_free(home: Home, name: str) -> Iterator[bool]:
    """The same, but nobody waits: whether it is locked now, or somebody else has it."""
    with _lock(home, name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def busy(home: Home, name: str) -> bool:
    """Whether a run on this machine has locked this batch now."""
    with if_free(home, name) as free:
        return not free


def _lock(home: Home, name: str) -> Path:
    return home.lake / f".{name}.lock"


def home_path() -> Path:
    """SLUICEGATE_HOME, or ./.sluicegate."""
    return Path(os.environ.get(HOME, ".sluicegate")).resolve()


def open_home(root: Path | None = None) -> Home:
    """The home tree at `root` (default `home_path()`); raises Usage if there is none or its configuration is wrong."""
    folder = root or home_path()
    path = folder / CONFIG
    if not path.is_file():
        raise Usage("NO_HOME", "there is no home tree here", remedy="Run: sluicegate init (or set SLUICEGATE_HOME).")
    return Home(folder, read(path)[0])


def make_tree(root: Path, settings: dict[str, Any]) -> Home:
    """Makes the folders and `sluicegate.toml`; leaves alone what is there already."""
    for folder in (root, *(root / f for f in FOLDERS)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    config = root / CONFIG
    if not config.exists():
        lines = [f"{key} = {to_toml(value)}\n" for key, value in settings.items()]
        config.write_text("# Sluicegate's home; every key is described in infra/docs/home.md\n" + "".join(lines))
    return open_home(root)
