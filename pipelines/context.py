"""What a stage knows of its batch: fixed when the submission is taken in, the same on every re-run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from expectations.address import facilities
from expectations.base.digests import name_of_file
from expectations.base.duck import DuckSettings, quote
from expectations.base.hash_key import HashKey
from expectations.facts import persons
from expectations.instruments import Agreement, CourtOrder, Determination, Letter, Standing, standing
from pipelines import lake
from pipelines.lake.runner import EMBEDDED

# Beside a batch's rows (paths in its folder): what its decision is explained and replayed from, and stays for that.
KEPT = ("submission/letter.toml", "submission/letter.toml.sig", "earlier.json")

_PERSON = "person|"
# What of a row a try consists of: all that tells two places apart, the birth date and the TIN.
TRIED_VALUES = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_zip", "s_birth", "s_tin")


def person_text(record_id: int) -> str:
    """What the keyed hash of a record id is taken over: `BatchContext.sql_person_key`, of one id."""
    return f"{_PERSON}{record_id}"


def _quiet(_step: str, _done: int, _total: int) -> None:
    return None


@dataclass(frozen=True)
class BatchContext:
    """One batch as its stages see it.

    batch        public name of the batch, made from the letter's digest; safe to log
    root         its folder in the lake (0700)
    submission   digest of the submission (letter and signature; the letter holds the digests of the files)
    orders       the enrolled court orders, in force or not; successors: agreements that supersede this one, likewise
    determinations   the holder's, under 26 USC 6103(i)(6)
    decided_on   legal date of the decision, in the agreement's zone
    received_on  legal date of the receipt, in the agreement's zone
    register     folder of the prepared register version that this batch runs against
    hash_key     where the key of the keyed hashes lies: workers read it there, and hand it to no one
    instruments  digest by id of the enrolled versions that the decision rests on
    progress     called with (step, done, total) as a step goes on
    """

    batch: str
    root: Path
    submission: str
    letter: Letter
    agreement: Agreement
    orders: tuple[CourtOrder, ...]
    decided_on: date
    received_on: date
    register: Path
    hash_key: HashKey
    runner: str = EMBEDDED
    part_rows: int = 250_000
    successors: tuple[Agreement, ...] = ()
    determinations: tuple[Determination, ...] = ()
    instruments: Mapping[str, str] = field(default_factory=dict)
    duck: DuckSettings = field(default_factory=DuckSettings)
    progress: Callable[[str, int, int], None] = _quiet

    @property
    def planned(self) -> DuckSettings:
        """`duck` for as many rows as were read from the submission or refused; as it is, before they were. Not for what
        scans the register."""
        decoded = self.step("ingest.decode")
        if not lake.is_committed(decoded):
            return self.duck
        said = lake.stated(decoded)
        return self.duck.for_rows(said.rows("raw") + said.rows("rejects"))

    @property
    def standing(self) -> Standing:
        """What the orders leave possible on the day of the decision; its `fields` may leave, no others."""
        return standing(self.agreement, self.orders, self.letter.statute, self.letter.purpose, self.decided_on)

    @property
    def files(self) -> Path:
        """The submission's own copy: letter.toml, letter.toml.sig and the data files. The inbox is never read again."""
        return self.root / "submission"

    @property
    def disclosed(self) -> Path:
        """Parquet with one column, request_key: what was disclosed to this requester before, as the ledger knew it."""
        return self.root / "disclosed.parquet"

    @property
    def tries(self) -> Path:
        """Parquet (batch, person_key, values_key): what this requester's batches tried on persons within the period, as
        the ledger knew it at receipt; values_key is null where a batch disclosed the person's record."""
        return self.root / "tries.parquet"

    @property
    def earlier(self) -> Path:
        """JSON of `facts.Earlier`: this requester's batches before, as the ledger knew them at receipt."""
        return self.root / "earlier.json"

    @property
    def facilities(self) -> Path | None:
        """The operator's own list of facilities as it was when the submission was received; None: there was none."""
        return self._beside(facilities.NAME)

    @property
    def persons(self) -> Path | None:
        """Parquet (record_id, list) of the holder's lists of persons at receipt; None: there was none."""
        return self._beside(persons.KEPT)

    @property
    def lists(self) -> tuple[str, ...]:
        """The holder's lists of persons that somebody was on at receipt."""
        return tuple(json.loads(self.earlier.read_text()).get("lists", ())) if self.earlier.exists() else ()

    def _beside(self, name: str) -> Path | None:
        path = self.root / name
        return path if path.exists() else None

    @property
    def facilities_digest(self) -> str | None:
        """Names the list: part of the inputs of every step that reads it."""
        return name_of_file(self.facilities) if self.facilities else None

    def step(self, name: str) -> Path:
        """Folder of a step, for example `ingest.rows`."""
        return self.root / name

    def run_step(
        self, name: str, inputs: Any, items: list[Any], worker: lake.Worker, then: lake.Worker | None = None
    ) -> lake.Manifest:
        """Runs the step `name` of this batch, or gives what it committed before; see `lake.run_step`."""
        place = self.step(name)
        return lake.run_step(place, inputs, items, worker, then=then, runner=self.runner, progress=self.progress)

    def sql_person_key(self, record_id: str) -> str:
        """SQL for the keyed hash of a record id."""
        return sql_person_key(self.hash_key, record_id)

    def sql_values_key(self) -> str:
        """SQL for the keyed hash of the values that a row tries, each in its place, given or not."""
        text = " || '|' || ".join(f"coalesce(CAST({c} AS VARCHAR), '')" for c in TRIED_VALUES)
        return self.hash_key.sql(f"('values|' || {text})")

    def sql_together_key(self) -> str:
        """SQL for the keyed hash that stands for a try of several rows of this batch together."""
        return self.hash_key.sql(quote(f"together|{self.batch}"))


def sql_person_key(key: HashKey, record_id: str) -> str:
    """SQL for the keyed hash of a record id (where `HashKey.install` was asked)."""
    return key.sql(f"({quote(_PERSON)} || CAST({record_id} AS VARCHAR))")


def sql_request_text(agreement: Agreement, request_id: str) -> str:
    """SQL for what the keyed hash of a request id is taken over: one a requester, agreement and id."""
    return f"({quote(f'request|{agreement.requester.id}|{agreement.id}|')} || {request_id})"


def sql_request_key(key: HashKey, agreement: Agreement, request_id: str) -> str:
    """SQL for the keyed hash of a request id (where `HashKey.install` was asked)."""
    return key.sql(sql_request_text(agreement, request_id))
