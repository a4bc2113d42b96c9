"""Instruments, the law as data: agreements and court orders; and the letter that comes with a submission.

TOML files, checked by these models. Which of them are in force on a day is decided here and nowhere else. The sources of
the shipped instruments lie in `infra/instruments`; an instrument counts only once the ledger has enrolled its digest.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic.functional_validators import model_validator

from expectations import forms
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts import RELEASE
from expectations.digests import of_bytes
from expectations.errors import BadInput
from expectations.forms import Strict
from expectations.rules import statutes

Share = Annotated[float, Field(ge=0, le=1)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")]


class Party(Strict):
    id: Key
    name: str
    address: str  # for the accounting: 5 USC 552a(c) asks for the recipient's name and address
    premises: tuple[str, ...] = ()  # its own addresses, one line each: never a person's address


class Thresholds(Strict):
    """What the agreement tolerates. Shares are of all submitted rows, rejects included."""

    incomplete_share: Share
    incomplete_share_per_file: Share
    incomplete_share_30_days: Share | None = (
        None  # this batch and what passed in the 30 days before; none: incomplete_share
    )
    incomplete_share_by_code: dict[str, Share] = Field(default={})  # limits for single codes, below incomplete_share
    match_rate_floor: Share
    match_rate_ceiling: Share
    weak_tiers_ceiling: Share = Field(
        default=0.25, description="share of the matches that may be of tiers C and D; judged from 100 matches on"
    )
    letter_age_days: Annotated[int, Field(ge=0)]
    rows_per_batch: Annotated[int, Field(gt=0)]
    matters_per_officer: Annotated[int, Field(gt=0)]
    identical_reason_share: Share
    persons_per_address: Annotated[int, Field(gt=0)]
    tries_per_person: Annotated[int, Field(gt=0)]
    held_days: Annotated[int, Field(gt=0)]
    days_after_final_order: Annotated[int, Field(ge=0)] = 90

    @field_validator("incomplete_share_by_code")
    @classmethod
    def _known_codes(cls, value: dict[str, float]) -> dict[str, float]:
        if any(code not in BLOCKING_ADDRESS_CODES for code in value):
            raise ValueError(f"codes that can have a limit are {', '.join(BLOCKING_ADDRESS_CODES)}")
        return value


class Safeguards(Strict):
    """26 USC 6103(p)(4): in force unless findings are open and no corrective plan is filed."""

    open_findings: int = 0
    corrective_plan: bool = False
    reviewed_on: date

    @property
    def in_force(self) -> bool:
        return self.open_findings == 0 or self.corrective_plan


class Keys(Strict):
    """Who may sign letters (OpenSSH public keys), and to whom packages are sealed (an age recipient)."""

    signing: tuple[str, ...]
    recipient: str


class Agreement(Strict):
    kind: Literal["agreement"]
    id: Key
    title: str
    source: str
    holder: Party
    requester: Party
    valid_from: date
    valid_to: date
    received_on: date
    zone: str
    statutes: Annotated[tuple[str, ...], Field(min_length=1)]
    offices: Annotated[tuple[str, ...], Field(min_length=1)]
    purposes: Annotated[tuple[str, ...], Field(min_length=1)]
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    addresses_that_corroborate: Literal["current", "current_and_earlier"] = "current_and_earlier"
    earlier_addresses_years: Annotated[int, Field(gt=0, le=200)] = 200  # an earlier one counts if it ended within them
    may_be_left_out: tuple[Literal["state", "city"], ...] = Field(
        default=(),
        description="what an address may leave out beside its ZIP: state, city; else STATE_LEFT_OUT or NO_CITY blocks it",
    )
    thresholds: Thresholds
    safeguards: Safeguards
    keys: Keys

    @field_validator("statutes")
    @classmethod
    def _with_rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(one not in statutes.STATUTES for one in value):
            raise ValueError(f"statutes that there are rules for are {', '.join(statutes.STATUTES)}")
        return value

    @field_validator("thresholds")
    @classmethod
    def _not_below_the_statute(cls, value: Thresholds, info: ValidationInfo) -> Thresholds:
        for name, number in statutes.lowest(info.data.get("statutes", ())).items():
            if getattr(value, name) < number:
                raise ValueError(f"{name} is below the {number} that the statute asks for")
        return value

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        allowed = [n for n in RELEASE.names if n != "request_id"]
        if any(f not in allowed for f in value):
            raise ValueError(f"fields that may be released are {', '.join(allowed)}")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Agreement:
        if self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        return self

    def in_force(self, day: date) -> bool:
        """From the first day on, to the last one included."""
        return self.valid_from <= day <= self.valid_to


class OrderScope(Strict):
    """What an order stands against; an empty list means: any."""

    agreements: tuple[str, ...] = ()
    requesters: tuple[str, ...] = ()
    statutes: tuple[str, ...] = ()


class CourtOrder(Strict):
    kind: Literal["court_order"]
    id: Key
    court: str
    docket: str
    title: str
    source: str
    effective_on: date
    lifted_on: date | None = None
    effect: Literal["forbid"]
    scope: OrderScope

    def in_force(self, day: date) -> bool:
        """From its effective day on; on the day it is lifted it no longer applies."""
        return self.effective_on <= day and (self.lifted_on is None or day < self.lifted_on)

    def stands_against(self, agreement: Agreement, statute: str, day: date) -> bool:
        scope = self.scope
        return (
            self.in_force(day)
            and (not scope.agreements or agreement.id in scope.agreements)
            and (not scope.requesters or agreement.requester.id in scope.requesters)
            and (not scope.statutes or statute in scope.statutes)
        )


class Signatory(Strict):
    name: str
    office: str


class Officer(Strict):
    id: Key
    name: str


class Attestations(Strict):
    solely: bool = False  # used solely for the stated purpose: 26 USC 6103(i)(2)(A)
    no_informant_or_investigation_harmed: bool = False  # 26 USC 6103(i)(6)


class DataFile(Strict):
    """One data file of the submission. `path` is relative to the letter and must stay inside its folder."""

    path: str
    format: Literal["csv", "jsonl", "parquet"]
    compression: Literal["none", "gzip", "zstd"] = "none"
    rows: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Letter(Strict):
    """The written request of 26 USC 6103(i)(2)(B), as `letter.toml`."""

    requester: Key
    agreement: Key
    signatory: Signatory
    statute: str
    purpose: str
    date: date
    officers: tuple[Officer, ...]
    attestations: Attestations
    files: Annotated[tuple[DataFile, ...], Field(min_length=1)]


Instrument = Agreement | CourtOrder
_KINDS: dict[str, type[Agreement] | type[CourtOrder]] = {"agreement": Agreement, "court_order": CourtOrder}


def parse_instrument(data: bytes, where: str) -> Instrument:
    """An instrument from the bytes of its file; raises BadInput naming file and key, never quoting the value."""
    table = forms.toml(data, where, "INSTRUMENT_UNREADABLE")
    model = _KINDS.get(str(table.get("kind")))
    if model is None:
        raise BadInput(
            "INSTRUMENT_KIND",
            "kind is missing or unknown",
            where=where,
            remedy=f"Write kind = one of {sorted(_KINDS)}.",
        )
    return forms.validated(model, table, where, "INSTRUMENT_INVALID")


def parse_letter(data: bytes, where: str = "letter.toml") -> Letter:
    """The letter from its bytes; raises BadInput naming the key at fault, never quoting the value."""
    return forms.validated(Letter, forms.toml(data, where, "LETTER_UNREADABLE"), where, "LETTER_INVALID")


def instrument_digest(data: bytes) -> str:
    """What is enrolled: SHA-256 of the file's bytes. A changed file is a new version."""
    return of_bytes(data)
