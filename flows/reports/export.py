"""The accounting of a batch as a table: `sluicegate accounting export`.

The fields are those that 26 USC 6103(p)(3)(A) and 5 USC 552a(c)(1) ask for, and the codes that Form 5466-B (Multiple
Records of Disclosure) is known to have by IRM 11.3.37: agency, purpose, source. The form itself was not read: its
layout and its codes are whoever files it to supply.
"""

from dataclasses import dataclass
from pathlib import Path

from expectations.base.clock import Clock, legal_date
from expectations.base.duck import parquet, quote
from expectations.base.errors import Usage
from expectations.contracts.lists import Outcome
from expectations.contracts.stages import ACCOUNTED
from flows.evidence.store import open_accounting, plaintext_folder
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.facts import View
from flows.ledger.lifecycles.states import State
from flows.ledger.looks import Why
from flows.registry.enrolled import agreement_at_receipt
from pipelines.lake import durable
from pipelines.lake.sql import Connection, quiet
from pipelines.release import forms
from pipelines.release.accounting import read_header

AUTHORITY = "26 USC 6103(i)(2)"
COLUMNS = (
    *("batch", "agency", "agency_address", "agency_code", "authority", "purpose", "purpose_code", "source_code"),
    *("statute", "nature", "date_of_request", "date_of_disclosure", "taxable_period", "reason", "officer"),
    *("request_id", "person_key", "outcome", "kept_from_person"),
)


@dataclass(frozen=True)
class Codes:
    """What the holder's own form calls the agency, the purpose and the system of records; empty: left to be filled."""

    agency: str = ""
    purpose: str = ""
    source: str = ""


def export(
    home: Home, clock: Clock, batch: str, out: Path, who: str, why: Why, codes: Codes, every: bool = False
) -> int:
    """Writes the disclosures of a batch, or `every` request of it, as CSV to `out` (0600); gives how many.

    The look is recorded before anything is opened. Raises Usage if the batch is not accounted for row by row, or the
    file cannot be written.
    """
    with Ledger.open(home.ledger_url, clock) as ledger:
        record = ledger.known_batch(batch)
        if ledger.accounted(batch) is None:
            raise Usage("NOT_ACCOUNTED", f"the batch is {record.state}, and not accounted for row by row", where=batch)
        agreement = agreement_at_receipt(ledger, record)
        assert agreement is not None, "a batch that is accounted for is recorded with its agreement"
        left = ledger.ended_at(batch) if record.state is State.PUBLISHED else None
        ledger.audit(batch, None, View.ACCOUNTING, who, why)
    with plaintext_folder(home) as folder, quiet("accounting.export", home.duck) as connection:
        plain, made = folder / "accounting.parquet", folder / "export.csv"
        open_accounting(home, batch, plain)
        header = read_header(plain) or {}
        recipient = header.get("recipient") or agreement.requester.model_dump(include={"name", "address"})
        same = {
            "batch": batch,
            "agency": recipient["name"],
            "agency_address": recipient["address"],
            "agency_code": codes.agency,
            "authority": AUTHORITY,
            "purpose": header.get("purpose", ""),
            "purpose_code": codes.purpose,
            "source_code": codes.source,
            "statute": header.get("statute", ""),
            "nature": " ".join(header.get("nature", [])),
            "date_of_request": header.get("requested_on", ""),
            "date_of_disclosure": legal_date(left, agreement.zone).isoformat() if left else "",
            "kept_from_person": "yes" if header.get("kept_from_person") else "no",
        }
        count = _write(connection, plain, made, same, every, disclosed=left is not None)
        _put(made, out)
    return count


def _write(
    connection: Connection, plain: Path, target: Path, same: dict[str, str], every: bool, *, disclosed: bool
) -> int:
    there = {name for name, *_ in connection.execute(f"DESCRIBE FROM {parquet([plain])}").fetchall()}
    missing = "".join(f", NULL::VARCHAR AS {name}" for name in ACCOUNTED.names if name not in there)
    released = f"outcome = '{Outcome.RELEASED}'" + ("" if disclosed else " AND false")
    fixed = {**same, "date_of_disclosure": f"CASE WHEN {released} THEN {quote(same['date_of_disclosure'])} END"}
    columns = ", ".join(
        (fixed[c] if c == "date_of_disclosure" else quote(fixed[c])) + f" AS {c}" if c in fixed else c for c in COLUMNS
    )
    where = "true" if every else released
    rows = f"(SELECT *{missing} FROM {parquet([plain])} WHERE {where} ORDER BY ordinal)"
    forms.write_csv(connection, f"SELECT {columns} FROM {rows}", COLUMNS, target)
    return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])


def _put(made: Path, out: Path) -> None:
    try:
        durable.write(out, made.read_bytes(), mode=0o600)
    except OSError:
        raise Usage("OUT_UNWRITABLE", "the table cannot be written there", where="--out") from None
