"""Golden batches: what the command line does with made-up submissions, recorded by one version and compared with
another's.

`python -m tests.bench.golden make KIT` makes a sandbox home and signed submissions, once. `python -m tests.bench.golden
record KIT FILE [--program PATH]` runs them in a copy of that home, with this checkout's command or another's, and
writes what came out: states, codes, exit codes, outcomes, checkpoints' results, content digests, a recall, replays.
`python -m tests.bench.golden compare BEFORE AFTER` prints what differs, and ends with 1 if anything does.

A refactoring must leave all of it equal. Both records are made on one day: rows are dated by the day of the letter.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROFILES, SEEDS = ("clean", "incident", "hostile"), (11, 12, 13)
OTHERS = {
    "held": ["--rows", "3000", "--seed", "21", "--profile", "clean", "--incomplete-share", "0.22"],
    "refused": ["--rows", "2000", "--seed", "22", "--profile", "incident", "--agreement", "irs-ice-2025"],
}
_MOMENTS = {"at", "sealed", "list", "list_digest", "made_at", "enrolled_at"}  # differ from run to run
_PACKAGE = ("content_digest", "counts", "returned_by_code", "submission", "statute", "purpose", "register")
_SUMMARY = ("batch", "state", "codes", "cites", "outcomes", "rows")


class Kit:
    """A folder with a raw register, submissions, and a home that has everything enrolled and nothing received."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.program, self.home = folder, program, folder / "home"

    def call(self, *arguments: str | Path) -> tuple[int, str]:
        env = {**os.environ, "SLUICEGATE_HOME": str(self.home)}
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, env=env, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def json(self, *arguments: str | Path) -> tuple[int, Any]:
        code, text = self.call(*arguments, "--json")
        return code, json.loads(text) if text.strip() else None


def make(kit: Kit) -> None:
    kit.folder.mkdir(parents=True)
    raw = kit.folder / "raw"
    kit.call("init", "--sandbox", "--register", raw)
    kit.call("simulate", "register", "--rows", "100000", "--out", raw, "--seed", "5")
    kit.call("register", "build")
    asked = {f"{p}-{s}": ["--rows", "4000", "--seed", str(s), "--profile", p] for p in PROFILES for s in SEEDS}
    for name, options in {**asked, **OTHERS}.items():
        code, _ = kit.call("simulate", "batch", "--register", raw, "--out", kit.folder / name, *options)
        assert code == 0, name
    shutil.copytree(kit.folder / "held", kit.folder / "unreadable")
    letter = kit.folder / "unreadable/submission/letter.toml"
    letter.write_bytes(letter.read_bytes()[:200])
    kit.home.rename(kit.folder / "home.new")


def record(kit: Kit) -> dict[str, Any]:
    shutil.rmtree(kit.home, ignore_errors=True)
    shutil.copytree(kit.folder / "home.new", kit.home)
    names = [*(f"{p}-{s}" for p in PROFILES for s in SEEDS), *OTHERS, "unreadable"]
    found = {name: _run(kit, kit.folder / name / "submission") for name in names}
    held, refused = found["held"]["batch"], found["refused"]["batch"]
    for operator in ("operator-1", "operator-2"):
        kit.call("review", "decide", held, "drop", "--key", kit.home / "keys" / operator)
    found["dropped"] = _run(kit, held)
    published = next(one["batch"] for one in found.values() if one["state"] == "published")
    return found | dict(_looked_at_again(kit, published, refused))


def _run(kit: Kit, what: Path | str) -> dict[str, Any]:
    code, summary = kit.json("run", what)
    summary = summary or {}
    name = str(summary.get("batch"))
    manifest = kit.home / "outbox" / name / "manifest.json"
    package = json.loads(manifest.read_text()) if manifest.exists() else {}
    return {
        "exit": code,
        **{key: summary.get(key) for key in _SUMMARY},
        "checkpoints": dict(_checkpoints(kit.home / "verdicts" / name)),
        "package": {key: package.get(key) for key in _PACKAGE},
    }


def _checkpoints(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        kept = json.loads(path.read_text())
        if "results" in kept:
            results = [[r[key] for key in ("check", "ok", "rows", "failed", "code")] for r in kept["results"]]
            yield path.stem, {"status": kept["status"], "results": results}


def _looked_at_again(kit: Kit, published: str, refused: str) -> Iterator[tuple[str, Any]]:
    for name, arguments in {
        "replay": ["replay", published],
        "replay later": ["replay", published, "--as-of", "2027-08-01"],
        "replay refused": ["replay", refused],
        "lookback": ["lookback"],
    }.items():
        yield name, _plain(kit.json(*arguments))
    said = ("--batch", published, "--all", "--reason", "system_fault", "--operator", "operator-1")
    code, opened = kit.json("recall", "open", *said)
    yield "recall", [code, [{key: one[key] for key in ("state", "rows", "agreement")} for one in opened]]
    code, documents = kit.json("recall", "documents", opened[0]["case"])
    yield "recall documents", [code, [[d["name"], d["state"], d["lies there"]] for d in documents]]
    code, verified = kit.json("ledger", "verify", "--deep")
    yield "verify", [code, verified["problems"]]
    code, shown = kit.call("gates", "selftest")
    yield "selftest", [code, len(shown.splitlines())]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key not in _MOMENTS}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def differences(before: Any, after: Any, place: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{place}/{key}")
    elif before != after:
        yield f"{place}: {json.dumps(before)[:200]} -> {json.dumps(after)[:200]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.golden")
    parser.add_argument("what", choices=("make", "record", "compare"))
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path, nargs="?")
    parser.add_argument("--program", default=str(Path(sys.executable).with_name("sluicegate")))
    given = parser.parse_args()
    if given.what == "compare":
        found = list(differences(*(json.loads(path.read_text()) for path in (given.first, given.second))))
        print("\n".join(found) or "equal")
        return 1 if found else 0
    kit = Kit(given.first.resolve(), given.program)
    if given.what == "make":
        make(kit)
    else:
        given.second.write_text(json.dumps(record(kit), indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
