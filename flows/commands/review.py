"""Commands of the operators: what waits for people, and their signed decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import signatures
from expectations.clock import Clock
from expectations.errors import Usage
from flows.commands.output import print_json, print_table
from flows.home import Home, open_home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, Decision, Reason
from flows.ledger.states import State

app = typer.Typer(help="Held batches, and signed decisions on them.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
_DEFAULT_REASON = {
    Decision.REJECT: Reason.REQUESTER_MENDS,
    Decision.RETRY: Reason.CAUSE_MENDED,
    Decision.DROP: Reason.INCOMPLETE_ROWS,
    Decision.CONFIRM: Reason.RATE_EXPLAINED,
}


@app.command("list")
def list_(json: Json = False) -> int:
    """Batches that wait for people."""
    home = open_home()
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        held = [
            {
                "batch": r.name,
                "checkpoint": str(r.checkpoint),
                "codes": list(r.codes),
                "open": sorted(ledger.allowed_decisions(r.name)),
            }
            for r in ledger.batches(State.HELD)
        ]
    if json:
        print_json(held)
    else:
        print_table("Held", ["batch", "checkpoint", "codes", "open decisions"],
                    [[h["batch"], h["checkpoint"], ", ".join(h["codes"]), ", ".join(h["open"])] for h in held])  # fmt: skip
    return 0


@app.command()
def show(batch: str, json: Json = False) -> int:
    """Why a batch is held: each failed check with counts, rule id and source of law; what may be decided, and by whom."""
    from flows import status

    home = open_home()
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        record = ledger.batch(batch)
        if record is None:
            raise Usage("UNKNOWN_BATCH", "the ledger knows no batch of this name", remedy="See sluicegate review list.")
        decisions = [
            (d.at.isoformat(timespec="seconds"), d.decision.value, d.reason.value, d.operator, d.granted)
            for d in ledger.decisions(batch)
        ]
        allowed = sorted(ledger.allowed_decisions(batch))
        matches = _matches(home, ledger, record)
    failed = [
        {
            "checkpoint": v["suite"],
            **{k: r[k] for k in ("check", "rows", "failed", "code", "source", "disposition", "error")},
        }
        for v in status.verdicts(home, batch)
        for r in v["results"]
        if r["ok"] is not True
    ]
    summary = {
        **status.batch_summary(home, record),
        "failed": failed,
        "incomplete": status.incomplete(home, batch),
        "matches": matches,
        "allowed": allowed,
        "decisions": decisions,
    }
    print_json(summary) if json else _print(summary)
    return 0


def _matches(home: Home, ledger: Ledger, record: BatchRecord) -> dict[str, Any]:
    """Of a batch that is held for its matches: their counts, and the bounds that were applied; else nothing."""
    if record.state is not State.HELD or Decision.CONFIRM not in ledger.allowed_decisions(record.name):
        return {}
    from flows import checkpoints
    from flows.work import BatchSteps

    work = BatchSteps(home, ledger, record.name)
    return checkpoints.match_counts(work.context(work.folder, home.register))


def _print(summary: dict[str, object]) -> None:
    from flows.commands.operate import _print_end

    _print_end(summary)
    failed = summary["failed"]
    assert isinstance(failed, list)
    print_table("Failed checks", ["checkpoint", "check", "failed", "of", "code", "source"],
                [[f["checkpoint"], f["check"], f["failed"], f["rows"], f["code"], f["source"]] for f in failed])  # fmt: skip
    incomplete = summary["incomplete"]
    assert isinstance(incomplete, list)
    if incomplete:
        print_table("Incomplete addresses by code and file", ["code", "file", "rows", "share of the file"],
                    [[code, file, rows, f"{share:.1%}"] for code, file, rows, share in incomplete])  # fmt: skip
    matches = summary["matches"]
    assert isinstance(matches, dict)
    if matches:
        _print_matches(matches)
    decisions, allowed = summary["decisions"], summary["allowed"]
    assert isinstance(decisions, list) and isinstance(allowed, list)
    if decisions:
        print_table("Decisions", ["at", "decision", "reason", "operator", "granted"], decisions)
    for name in allowed:
        keys = KEYS_NEEDED[Decision(name)]
        signs = "one operator signs" if keys == 1 else f"{keys} operators sign"
        print(f"  {name}: {signs}: sluicegate review decide {summary['batch']} {name} --key KEY")


def _print_matches(m: dict[str, Any]) -> None:
    rate, weak = m["matched"] / max(m["looked_up"], 1), (m["tier_c"] + m["tier_d"]) / max(m["matched"], 1)
    print_table("Matches", ["", "rows", "share", "at least", "at most"], [
        ["looked up", m["looked_up"], "", "", ""],
        ["matched", m["matched"], f"{rate:.1%}", f"{m['min_match_rate']:.1%}", f"{m['max_match_rate']:.1%}"],
        *([f"tier {t}", m[f"tier_{t.lower()}"], "", "", ""] for t in "ABCD"),
        ["tiers C and D", m["tier_c"] + m["tier_d"], f"{weak:.1%}", "", f"{m['max_weak_tiers']:.1%}"],
    ])  # fmt: skip


@app.command()
def decide(
    batch: str,
    decision: Decision,
    key: Annotated[Path, typer.Option(help="The operator's private key (Ed25519, OpenSSH form).")],
    reason: Annotated[Reason | None, typer.Option(help="Why, from the closed list.")] = None,
    content: Annotated[
        str | None, typer.Option(help="Content digest that you looked at; the batch's present one if left out.")
    ] = None,
) -> int:
    """Sign a decision on a held batch. What needs two keys waits for the second; then run the batch again."""
    state = sign(open_home(), batch, decision, signatures.load(key), reason, content)
    if state is State.HELD:
        print(f"Signed. {batch} waits for a second, different operator.")
    else:
        print(f"Signed. {batch} is {state}. Go on with: sluicegate run {batch}")
    return 0


def sign(
    home: Home,
    batch: str,
    decision: Decision,
    key: Ed25519PrivateKey,
    reason: Reason | None = None,
    content: str | None = None,
) -> State:
    """Signs and hands in a decision on a held batch; returns its state after that: held while a second key is needed."""
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        record = ledger.batch(batch)
        if record is None or record.checkpoint is None or record.state is not State.HELD:
            raise Usage("NOT_HELD", "no batch of this name is held", remedy="See sluicegate review list.")
        return ledger.decide(
            batch, record.checkpoint, content or record.content_digest or "", decision,
            reason or _DEFAULT_REASON.get(decision, Reason.CAUSE_MENDED),
            signatures.public_line(key),
            signatures.sign(ledger.decision_message(batch, decision), key, signatures.DECISION),
        )  # fmt: skip
