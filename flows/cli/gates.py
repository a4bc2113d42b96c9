"""`sluicegate gates`: the suites of the checkpoints themselves."""

from __future__ import annotations

from typing import Any

import typer

from expectations.base.errors import DONE, Fault
from flows.cli.command import Json, show

app = typer.Typer(name="gates", help="The suites of the checkpoints.", no_args_is_help=True)


@app.command()
def selftest(json: Json = False) -> int:
    """Run every suite on its known-bad batch, where each of its rules must fail.

    Prints a line for each rule: `suite rule ok`, or `suite rule NOT CAUGHT`. Exit code 1: a rule let its bad row pass.
    """
    from expectations.suites.selftest import selftest as run_selftest

    proofs = run_selftest()
    passed = bool(proofs) and all(proof.can_fail for proof in proofs)
    return show([vars(proof) for proof in proofs], json, _print, DONE if passed else Fault.exit_code)


def _print(proofs: list[dict[str, Any]]) -> None:
    for proof in proofs:
        print(f"{proof['suite']} {proof['rule']} {'ok' if proof['can_fail'] else 'NOT CAUGHT'}")
