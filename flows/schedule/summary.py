"""What a night leaves for people: a summary as JSON in the home tree, and the same as Markdown for Prefect, with the
trend of the nights before. Ids, counts and codes only; names that others chose are in the JSON, for this machine."""

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from expectations.base.errors import DONE, HELD, Fault
from flows.home.tree import Home
from flows.ledger.lifecycles.states import State
from flows.schedule.things import Kind
from pipelines.lake import durable

PASSED, FAILED = "passed", "FAILED: nothing was run"
COLUMNS = ["what", "id", "for", "until", "codes", "why", "what to do"]
TREND = ["night", "released", "held", "refused", "other", "waits", "end"]
NIGHTS = 30  # of which the trend is shown
FOLDER = "nightly"
_BEGUN = ".begun"  # in the folder, while a night is under way
_LATE = timedelta(hours=36)  # after the night before; a night is due each day


def exit_code(summary: dict[str, Any]) -> int:
    """0 if nothing waits for anybody; 1 if a gate, a part of the night or the system failed; 3 if something waits."""
    states = {state for _, _, state, _ in summary["batches"]}
    kinds = {one["kind"] for one in summary["waiting"]}
    failed = {Kind.UNKNOWN, Kind.FAILED, Kind.NOT_READ} & kinds or State.FAILED in states or summary.get("faults")
    if summary["selftest"] != PASSED or failed:
        return Fault.exit_code
    return HELD if kinds else DONE


def headline(summary: dict[str, Any]) -> str:
    """One sentence: how many of what wait, and what failed."""
    if summary["selftest"] != PASSED:
        return "a gate let its known-bad batch pass: nothing was run"
    waits = Counter(one["kind"] for one in summary["waiting"])
    nights = [f"the night of {_minute(at)} broke off" for at in [summary.get("broke_off")] if at]
    nights += [f"no night had ended since {_minute(at)}" for at in [summary.get("none_since")] if at]
    late = sum(one["late"] for one in summary["waiting"])
    said = [f"{n} {kind}" for kind, n in waits.items()]
    said += [f"{late} past a deadline"] if late else []
    said += [f"{again} failed, and started again"] if (again := len(started_again(summary))) else []
    said += [f"{part} failed ({code})" for part, code in summary.get("faults", {}).items()]
    return "; ".join([*(said or ["nothing waits"]), *nights])


def started_again(summary: dict[str, Any]) -> list[str]:
    """The batches that failed in this night, and wait no longer: what failed may pass, so that they run again. A
    submission that had no batch yet is called that: somebody else chose its folder's name."""
    waits = {name for one in summary["waiting"] for name in (one["id"], one.get("folder"))}
    failed = [(batch, folder) for folder, batch, state, _ in summary["batches"] if state == State.FAILED]
    return [batch or "a submission" for batch, folder in failed if (batch or folder) not in waits]


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def begin(home: Home, at: datetime) -> dict[str, Any]:
    """What a night that begins says of those before it: the last one left no summary, or none ended for too long."""
    folder, before = home.root / FOLDER, newest(home)
    folder.mkdir(exist_ok=True, mode=0o700)
    begun, said = folder / _BEGUN, at.isoformat(timespec="seconds")
    nights = {"broke_off": begun.read_text() if begun.exists() else None, "none_since": None}
    if before and at - datetime.fromisoformat(before["at"]) > _LATE:
        nights["none_since"] = before["at"]
    durable.write(begun, said.encode())
    return {"at": said, **nights}


def store(home: Home, summary: dict[str, Any]) -> None:
    """Into the home tree, under the time at which the night began: it has ended."""
    folder = home.root / FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    name = summary["at"].replace(":", "").replace("+0000", "Z")
    durable.write(folder / f"{name}.json", json.dumps(summary, indent=1).encode())
    (folder / _BEGUN).unlink(missing_ok=True)


def newest(home: Home) -> dict[str, Any] | None:
    """The summary of the last night; None if there was none."""
    paths = _nights(home)
    return json.loads(paths[-1].read_text()) if paths else None


def _nights(home: Home) -> list[Path]:
    folder = home.root / FOLDER
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith(".")) if folder.is_dir() else []


def markdown(home: Home, summary: dict[str, Any]) -> str:
    """What waits first, then what this night did, then the nights before: no name that somebody else chose."""
    waits = [shown(one) for one in summary["waiting"]]
    did = [[batch or "-", state, " ".join(codes)] for _, batch, state, codes in summary["batches"]]
    nights = trend(home)
    return "\n\n".join(
        [
            f"# {headline(summary).capitalize()}",
            f"Gate self-test: {summary['selftest']}. Signed head of the audit log:"
            f" {summary.get('signed_head') or 'none'}.",
            "## What waits",
            _table(COLUMNS, waits),
            "## What this night did",
            _table(["batch", "state", "codes"], did),
            f"## The last {len(nights)} nights",
            _table(TREND, nights),
        ]
    )


def trend(home: Home) -> list[list[str]]:
    """The last nights, the oldest first: a line of TREND each."""
    return [_night(json.loads(path.read_text())) for path in _nights(home)[-NIGHTS:]]


def _night(summary: dict[str, Any]) -> list[str]:
    states = Counter(state for _, _, state, _ in summary["batches"])
    known = [states[s] for s in (State.PUBLISHED, State.HELD, State.REFUSED)]
    other = states.total() - sum(known)
    end = {DONE: "completed", HELD: "held", Fault.exit_code: "failed"}[exit_code({"waiting": [], **summary})]
    return [summary["at"][:16], *map(str, (*known, other, len(summary.get("waiting", ())))), end]


def shown(one: dict[str, Any]) -> list[str]:
    """What waits, as a line of COLUMNS."""
    called = [f"{call['by']} asks others to look: {call['why']}" for call in one.get("called", ())]
    why = "; ".join(filter(None, [*called, one["why"]]))
    return [one["kind"], one["id"], _age(one), _until(one), " ".join(one["codes"]), why, one["to_do"]]


def _age(one: dict[str, Any]) -> str:
    hours = one["hours"]
    return "" if hours is None else f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _until(one: dict[str, Any]) -> str:
    return f"{one['until']}{' (passed)' if one['late'] else ''}" if one["until"] else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else "Nothing."
