"""`sluicegate …`: the command line. Parses, calls, prints; exit codes: 0 done, 3 held, 4 refused, 5 bad input, 2 usage, 1 fault.

An unexpected exception prints its type and where it arose, never its text: libraries quote values in their messages.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import traceback
from pathlib import Path

import typer
from typer._click import ClickException  # typer's own copy, which its parser raises; the package click is another one

from expectations.errors import Fault, SluicegateError, Usage
from flows.commands import (
    accounting,
    gates,
    halting,
    inspect,
    instruments,
    ledger,
    match,
    operate,
    operators,
    package,
    preflight,
    prepare,
    recall,
    replay,
    report,
    review,
    shred,
    simulate,
)

_INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt

app = typer.Typer(
    name="sluicegate",
    help="Answers bulk requests against a confidential register, and withholds what is not proven.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
prepare.register(app)
match.register(app)
operate.register(app)
inspect.register(app)
replay.register(app)
preflight.register(app)
halting.register(app)
report.register(app)
shred.register(app)
app.add_typer(review.app, name="review")
app.add_typer(gates.app, name="gates")
app.add_typer(simulate.app, name="simulate")
app.add_typer(prepare.register_app, name="register")
app.add_typer(instruments.app, name="instruments")
app.add_typer(operators.app, name="operator")
app.add_typer(accounting.app, name="accounting")
app.add_typer(package.app, name="package")
app.add_typer(recall.app, name="recall")
app.add_typer(ledger.app, name="ledger")


def main() -> None:
    """Entry point: runs a command and turns every end into an exit code."""
    ended: list[int] = []
    atexit.register(_leave, ended)  # registered first, so that it runs last
    logging.basicConfig(level=logging.ERROR)  # libraries talk of themselves; we print our own progress
    logging.getLogger("apache_beam").setLevel(
        logging.CRITICAL
    )  # it prints a trace of each error that we report ourselves
    logging.getLogger().handlers[0].setLevel(logging.ERROR)  # GX sets its own logger to INFO
    ended.append(run(sys.argv[1:]))
    sys.exit(ended[0])


def _leave(ended: list[int]) -> None:
    """Ends the process without taking thousands of imported modules apart, which takes more than a second."""
    if ended:
        with contextlib.suppress(OSError, ValueError):  # whoever read our output may have gone
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(ended[0])


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code; prints errors for people to stderr."""
    try:
        result = app(arguments, standalone_mode=False)
        if result == _INTERRUPTED:
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except ClickException as error:
        error.show()
        return Usage.exit_code
    except (typer.Abort, KeyboardInterrupt):
        print("stopped; run the same command again to go on", file=sys.stderr)
        return Fault.exit_code
    except SluicegateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        look = "Check free space and permissions. " if isinstance(error, OSError) else ""
        print(f"fault: {describe(error)}. {look}Nothing was released by this step; run it again.", file=sys.stderr)
        return Fault.exit_code


def describe(error: BaseException) -> str:
    """Type and place of an unexpected exception, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


if __name__ == "__main__":
    main()
