"""What `status`, `docs` and the summaries show: states, counts and codes, from ledger and stored checkpoint results."""

import json
from collections.abc import Mapping
from typing import Any

from expectations.base.duck import parquet, quote, session
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.lists import Outcome
from expectations.instruments import Agreement
from flows.batch.tries import CODES as OF_TRIES
from flows.home.tree import OUTCOMES, Home
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.lifecycles.states import STOPPED, Checkpoint, State
from flows.registry import compliance
from flows.registry.enrolled import agreement_at_receipt
from pipelines import lake
from pipelines.validate import verdicts as verdicts_of


def batch_summary(home: Home, record: BatchRecord) -> dict[str, Any]:
    """One batch: state, counts by outcome once its rows have ended, why, and what to do next."""
    path = home.verdicts / record.name / f"{OUTCOMES}.json"
    counts = json.loads(path.read_text()) if path.exists() else {}
    return {
        "batch": record.name,
        "state": record.state.value,
        "agreement": record.agreement,
        "received": record.received_at.isoformat(timespec="seconds"),
        "decided_on": record.decided_on.isoformat(),
        "rows": record.rows,
        "checkpoint": record.checkpoint.value if record.checkpoint and record.state is State.HELD else None,
        "content_digest": record.content_digest,
        "codes": list(record.codes) if record.state in STOPPED else [],
        "cites": list(record.cites),
        "outcomes": {o.value: counts[o.value] for o in Outcome if o.value in counts},
        "next": _next(home, record),
    }


def one(home: Home, batch: str) -> dict[str, Any]:
    """A batch with its checkpoints and events; raises Usage if nobody knows it."""
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        record, events, held = ledger.known_batch(batch), ledger.events(batch), tries(home, ledger, batch)
        signed_by = signatory(agreement_at_receipt(ledger, record), events[0]["facts"])
    return {
        **batch_summary(home, record),
        "signed_by": signed_by,
        "received_by": record.received_by,
        "tries": held,
        "checkpoints": [
            (v["suite"], v["status"], v["declared"], sum(r["ok"] is not True for r in v["results"]))
            for v in verdicts(home, batch)
        ],
        "events": [(e["seq"], e["at"], e["kind"]) for e in events],
    }


def signatory(under: Agreement | None, received: Mapping[str, Any]) -> str | None:
    """The person whose key signed the letter, by the agreement of then; None where it did not say whose key it was."""
    number = received.get("signatory")
    if under is None or number is None:
        return None
    person = under.signatories[number - 1]
    return f"{person.name}, {person.office}"


def tries(home: Home, ledger: Ledger, batch: str) -> dict[str, int]:
    """The rows that limits on tries held, by code: as accounted for, or as far as a batch in flight was judged."""
    accounted = ledger.accounted(batch)
    if accounted is not None:
        return {code: accounted["codes"][code] for code in OF_TRIES if code in accounted["codes"]}
    judged = lake.read_manifest(home.lake / batch / verdicts_of.STEP)
    if judged is None:
        return {}
    query = f"""
        SELECT code, count(*) FROM (SELECT unnest(codes) AS code FROM {parquet(judged.paths("verdicts"))})
        WHERE code IN ({", ".join(map(quote, OF_TRIES))}) GROUP BY code ORDER BY code"""
    with session(home.duck) as connection:
        return dict(connection.execute(query).fetchall())


def every(home: Home) -> dict[str, Any]:
    """All batches, oldest first, how many halts stand, and the orders whose compliance is to be confirmed: by the time
    of the newest event where this machine's clock is wrong, since whoever looks must see what waits."""
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        time = ledger.time_now()
        now = time.newest if time.wrong and time.newest else time.machine
        records, halts, orders = ledger.batches(), len(ledger.halts()), compliance.unconfirmed(ledger, now)
    waits = [{k: one[k] for k in ("order", "confirm_by", "late")} for one in orders]
    return {"batches": [batch_summary(home, r) for r in records], "halts": halts, "orders": waits}


def incomplete(home: Home, batch: str) -> list[tuple[str, int, int, float]]:
    """Of a batch in flight: code, data file (from 1), rows with it, share of the file's readable rows; most first."""
    found = lake.read_manifest(home.lake / batch / "ingest.rows")
    if found is None:
        return []
    rows = parquet(found.paths("rows"))
    blocking = ", ".join(quote(c) for c in BLOCKING_ADDRESS_CODES)
    query = f"""
        WITH asked AS (SELECT file, a_codes FROM {rows} WHERE origin = 'request'),
        said AS (SELECT file, unnest(a_codes) AS code FROM asked),
        files AS (SELECT file, count(*) AS total FROM asked GROUP BY file)
        SELECT code, file, count(*) AS n, count(*) / any_value(total) FROM said JOIN files USING (file)
        WHERE code IN ({blocking}) GROUP BY code, file ORDER BY n DESC, code, file"""
    with session(home.duck) as connection:
        return connection.execute(query).fetchall()


def verdicts(home: Home, batch: str | None = None) -> list[dict[str, Any]]:
    """The stored checkpoint results of one batch, or of all, in the order of the checkpoints."""
    folders = [home.verdicts / batch] if batch else sorted(p for p in home.verdicts.iterdir() if p.is_dir())
    paths = [path for folder in folders for which in Checkpoint if (path := folder / f"{which}.json").exists()]
    return [json.loads(path.read_text()) | {"batch": path.parent.name} for path in paths]


def _next(home: Home, record: BatchRecord) -> str:
    """Where to look next."""
    return {
        State.PUBLISHED: f"The package lies in {home.delivery.place(record.name)}.",
        State.HELD: f"Look at it with: sluicegate review show {record.name}",
        State.FAILED: f"A fault of the system. Fix the cause, then: sluicegate run {record.name}",
        State.REFUSED: f"Nothing can be done under this agreement. Details: sluicegate status {record.name}",
        State.SEALED: (
            "Releases are halted, or a determination under 26 USC 6103(i)(6) is due (sluicegate instruments in-force);"
            f" it goes on with: sluicegate run {record.name}"
        ),
    }.get(record.state, f"Details: sluicegate status {record.name}")
