"""`sluicegate accounting`: to whom a person's record was disclosed, and the accounting of a batch as a whole. 26 USC
6103(p)(3)(A); 5 USC 552a(c)(3): made available to the person at request. The holder's age key opens the sealed
accounting for its header alone; no row of it is shown."""

from collections.abc import Mapping
from typing import Any

from expectations.base.clock import Clock, legal_date
from expectations.base.errors import Usage
from expectations.instruments import Agreement
from flows.evidence.store import accounting_path, open_accounting, plaintext_folder
from flows.home import keys
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.lifecycles.states import State
from flows.ledger.looks import Why
from flows.registry import enrolled
from flows.registry.enrolled import agreement_at_receipt
from pipelines.context import person_text
from pipelines.release.accounting import read_header


def person(home: Home, clock: Clock, record_id: str, who: str, why: Why, every: bool = False) -> list[dict[str, Any]]:
    """The disclosures of this record that the person may know of, oldest first, audited first; or `every` one.

    Disclosures under 5 USC 552a(b)(7) are not made available to the person (552a(c)(3)): neither they nor their number,
    if the agreement says so now, or said so when they were made. Raises Usage if `record_id` is no whole number.
    """
    digits = record_id.strip()
    if not (digits.isascii() and digits.removeprefix("-").isdigit()):
        raise Usage("RECORD_ID", "a record id is a whole number", remedy="Give the register's own key of the person.")
    key = home.hash_key.keyed_hash(person_text(int(digits)))
    with Ledger.open(home.ledger_url, clock) as ledger:
        keys.prove(home, ledger)  # with another key nothing would be found
        ledger.audit_person(key, who, why, home.config.views_per_hour)
        known = enrolled.newest(ledger).agreements
        found = [
            {
                "date": legal_date(d.published_at, _agreement(ledger, d.batch).zone).isoformat(),
                "batch": d.batch.name,
                "requests": d.requests,
                "recalls": d.recalls,
                **_facts(ledger, home, d.batch, known),
            }
            for d in ledger.disclosures_of(key)
        ]
    return [one for one in found if every or not one["kept_from_person"]]


def show(home: Home, clock: Clock, batch: str) -> dict[str, Any]:
    """The header of a batch's accounting, and its counts as the ledger has them; raises Usage if there is none."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        record, counts = ledger.known_batch(batch), ledger.accounted(batch)
        if counts is None:
            state = f"the batch is {record.state}, and not accounted for row by row"
            remedy = "An unreadable submission is accounted for by its events: sluicegate status."
            raise Usage("NOT_ACCOUNTED", state, where=batch, remedy=remedy)
        left = ledger.ended_at(batch) if record.state is State.PUBLISHED else None
        zone = _agreement(ledger, record).zone
        return {
            "batch": batch,
            "state": record.state.value,
            "disclosed_on": legal_date(left, zone).isoformat() if left else None,
            "disclosed": counts["outcomes"].get("released", 0) if left else 0,
            "header": open_header(home, batch),
            **counts,
        }


def open_header(home: Home, batch: str) -> dict[str, Any] | None:
    """The header of a batch's sealed accounting; None if it is gone, or older than headers are."""
    if not accounting_path(home, batch).exists():
        return None
    with plaintext_folder(home) as folder:
        open_accounting(home, batch, folder / "accounting")
        return read_header(folder / "accounting")


def _agreement(ledger: Ledger, record: BatchRecord) -> Agreement:
    """The agreement of a batch, in the version at its receipt."""
    found = agreement_at_receipt(ledger, record)
    assert found is not None, "a batch that is accounted for is recorded with its agreement"
    return found


def _facts(ledger: Ledger, home: Home, record: BatchRecord, known: Mapping[str, Agreement]) -> dict[str, Any]:
    """Nature, purpose and recipient of a disclosure. What an accounting of an older version lacks is left empty."""
    found = open_header(home, record.name) or {}
    parties, then = {"id", "name", "address"}, _agreement(ledger, record)
    recipient = found.get("recipient") or then.requester.model_dump(include=parties)
    now = known.get(record.agreement, then)
    return {
        **{key: found.get(key) for key in ("nature", "purpose", "statute")},
        "recipient": recipient["name"],
        "address": recipient["address"],
        "agreement": record.agreement,
        "kept_from_person": bool(found.get("kept_from_person") or then.kept_from_person or now.kept_from_person),
    }
