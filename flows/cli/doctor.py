"""`sluicegate doctor`: what is missing here."""

from __future__ import annotations

from typing import Any

from expectations.base.errors import DONE, Fault
from flows.cli.command import Json, show


def doctor(json: Json = False) -> int:
    """What is missing on this machine and in this home, and how to fix it.

    Exit code 1: a run would not work.
    """
    from flows.operations.doctor import examine

    findings = [vars(finding) for finding in examine()]
    broken = any(finding["level"] == "fail" for finding in findings)
    return show(findings, json, _print, Fault.exit_code if broken else DONE)


def _print(findings: list[dict[str, Any]]) -> None:
    for f in findings:
        print(f"{f['level']:<5} {f['what']}" + (f"\n      -> {f['remedy']}" if f["remedy"] else ""))
