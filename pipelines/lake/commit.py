"""A step's parts become its own: one attempt a part picked, moved in place, the manifest written last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipelines.lake import durable
from pipelines.lake.attempt import ATTEMPTS
from pipelines.lake.parts import part_file


def picked(written: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One attempt a part, by dataset and index: whatever was tried twice, every reader picks the same."""
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for part in sorted(written, key=lambda p: p["path"]):
        first.setdefault((part["dataset"], part["index"]), part)
    return [first[key] for key in sorted(first)]


def commit_manifest(
    parts: list[dict[str, Any]], folder: str, inputs: str, labels: Mapping[str, str] = MappingProxyType({})
) -> int:
    """Moves the picked parts in place and writes the manifest. Safe to repeat after a crash at any point."""
    target = Path(folder)
    for part in parts:
        place = part_file(part["dataset"], part["index"])
        final = target / place
        final.parent.mkdir(exist_ok=True, mode=0o700)
        if Path(part["path"]).exists():  # else an earlier try of this transform has moved it
            Path(part["path"]).replace(final)
        part["path"] = place
        durable.fsync(final.parent)
    ordered = sorted(parts, key=lambda p: (p["dataset"], p["index"]))
    body = {"step": target.name, "inputs": inputs, "parts": ordered, **({"labels": dict(labels)} if labels else {})}
    durable.write(target / "manifest.json", json.dumps(body, indent=1, sort_keys=True).encode())
    shutil.rmtree(target / ATTEMPTS, ignore_errors=True)
    return len(parts)
