"""`sluicegate init`, `doctor` and `demo`: a home is made, examined, and tried on made-up data."""

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from expectations.base.clock import Clock
from expectations.base.errors import DONE, Fault
from flows.cli.command import Json, show
from flows.home.tree import home_path
from flows.sandbox.demo import demo as play_demo
from flows.sandbox.home import init as make_home
from flows.schedule import running, server

Invented = Annotated[bool, Option("--sandbox", help="With invented keys, operators, requester and agreement.")]
Register = Annotated[Path | None, Option(help="The register, raw or prepared.")]


def init(sandbox: Invented = False, register: Register = None) -> None:
    """Make the home tree (SLUICEGATE_HOME, or ./.sluicegate) and the holder's keys.

    It may be run again: what is there already stays as it is.
    """
    settings = {"register_folder": str(register.resolve())} if register else {}
    home = make_home(home_path(), sandbox=sandbox, settings=settings)
    server.make_database(home)
    print(f"Home: {home.root}\nCheck it with: sluicegate doctor")


def doctor(json: Json = False) -> int:
    """What is missing on this machine and in this home, and how to fix it.

    Exit code 1: a run would not work.
    """
    from flows.operations.doctor import examine

    findings = [vars(finding) for finding in examine(running.address)]
    broken = any(finding["level"] == "fail" for finding in findings)
    return show(findings, json, _print_findings, Fault.exit_code if broken else DONE)


def _print_findings(findings: list[dict[str, Any]]) -> None:
    for f in findings:
        print(f"{f['level']:<5} {f['what']}" + (f"\n      -> {f['remedy']}" if f["remedy"] else ""))


def demo(
    home: Annotated[Path, Option(help="Where the demo's home goes; made anew.")] = Path(".demo"),
    rows: Annotated[int, Option(help="Rows of the made-up register.", min=1000)] = 100_000,
) -> int:
    """The incident, and what Sluicegate does about it, on made-up data."""
    return play_demo(home.resolve(), rows, Clock())
