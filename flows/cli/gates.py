"""`sluicegate gates`: the suites of the checkpoints: proven to be able to fail, and exported to be run elsewhere."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from expectations.base.errors import DONE, Fault
from flows.cli.command import Json, group, show
from flows.operations.printing import print_table

app = group(name="gates", help="The suites of the checkpoints.")


@app.command()
def selftest(json: Json = False) -> int:
    """Run every suite on its known-bad batch, where each of its rules must fail.

    Prints a line for each rule: `suite rule ok`, or `suite rule NOT CAUGHT`. Exit code 1: a rule let its bad row pass.
    """
    from expectations.suites.selftest import selftest as run_selftest

    proofs = run_selftest()
    passed = bool(proofs) and all(proof.can_fail for proof in proofs)
    return show([vars(proof) for proof in proofs], json, _print_proofs, DONE if passed else Fault.exit_code)


def _print_proofs(proofs: list[dict[str, Any]]) -> None:
    for proof in proofs:
        print(f"{proof['suite']} {proof['rule']} {'ok' if proof['can_fail'] else 'NOT CAUGHT'}")


@app.command()
def export(
    folder: Annotated[Path, Argument(metavar="DIR", help="A new or empty folder, or one that was exported before.")],
    json: Json = False,
) -> int:
    """Write the checkpoints as a Great Expectations project with made-up data, which runs without Sluicegate.

    Its README says how. Prints the verdicts on its good and its bad batch, which the project must give as well.
    """
    from expectations.suites.exported import export as write

    return show(write(folder), json, _print_verdicts)


def _print_verdicts(verdicts: dict[str, dict[str, str]]) -> None:
    rows = [(checkpoint, status, verdicts["bad"][checkpoint]) for checkpoint, status in verdicts["good"].items()]
    print_table("Exported", ["checkpoint", "good batch", "bad batch"], rows)
