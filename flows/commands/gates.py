"""Commands about the gates themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.output import print_json

app = typer.Typer(help="The checkpoints' suites.", no_args_is_help=True)


@app.command()
def selftest(json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> int:
    """Run every suite on its poison: each rule must fail there. Prints `suite rule failed_as_expected`."""
    from expectations.suites.selftest import selftest as run_selftest

    results = run_selftest()
    if json:
        print_json([vars(proof) for proof in results])
    else:
        for proof in results:
            print(f"{proof.suite} {proof.rule} {'failed_as_expected' if proof.failed_as_expected else 'DID_NOT_FAIL'}")
    passed = bool(results) and all(proof.failed_as_expected for proof in results)
    return 0 if passed else 1
