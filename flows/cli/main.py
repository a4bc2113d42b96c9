"""`sluicegate …`: the command line: which commands there are, and how each ends.

Exit codes: 0 done, 3 held, 4 refused, 5 bad input, 2 usage, 1 fault.

An unexpected exception prints its type and where it arose, never its text: libraries quote values in their messages.
"""

import atexit
import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from typer import Abort, Exit, Option, Typer
from typer._click import ClickException, Command  # typer's own copy of it; the package click is another one
from typer.main import get_command

from expectations.base.errors import Fault, SluicegateError, Usage
from flows.cli import (
    accounting,
    backup,
    batches,
    clock,
    console,
    gates,
    halts,
    instruments,
    keys,
    ledger,
    operator,
    package,
    proposals,
    recall,
    register,
    review,
    service,
    simulate,
    submission,
)
from flows.cli.certificates import certificates
from flows.cli.config import config
from flows.cli.explain import explain
from flows.cli.home import demo, doctor, init
from flows.cli.preflight import preflight
from flows.cli.replay import lookback, replay
from flows.cli.rules import rules, schema
from flows.home.observing import LogFormat
from flows.home.tree import Home, open_home
from flows.operations import logs

NAME = "sluicegate"

# Every command, under the heading that --help shows it with. A group has commands of its own.
COMMANDS: dict[str, tuple[Callable[..., int | None] | Typer, ...]] = {
    "Set up": (init, register.app, instruments.app, operator.app, keys.app, clock.app, config, doctor, demo),
    "Run batches": (batches.run, batches.nightly, batches.watch, batches.status, batches.docs),
    "Keep running": (service.up, service.down, service.deploy, service.work, service.metrics, certificates),
    "Back up": (backup.backup, backup.restore, backup.app),
    "Decide": (console.app, proposals.app, review.app, explain, halts.halt, halts.resume),
    "Accounting": (accounting.app, accounting.report, ledger.app, accounting.shred),
    "Look back and recall": (replay, lookback, recall.app),
    "For requesters and recipients": (preflight, submission.app, package.app),
    "Look inside": (rules, schema, gates.app, simulate.match, simulate.app),
}


def _version(asked: bool) -> None:
    if asked:
        print(f"{NAME} {version(NAME)}")
        raise Exit


app = Typer(name=NAME, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
Version = Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")]


@app.callback()
def _options(version: Version = False) -> None:
    """Answers bulk requests against a confidential register, and withholds what is not proven."""


for _heading, _commands in COMMANDS.items():
    for _command in _commands:
        if isinstance(_command, Typer):
            app.add_typer(_command, rich_help_panel=_heading)
        else:
            app.command(rich_help_panel=_heading)(_command)


@cache
def command() -> Command:
    """The whole of it, as its parser knows it (made of a hundred functions' signatures: 0.08 s)."""
    return get_command(app)


def main() -> None:
    """Entry point: runs a command and turns every end into an exit code."""
    ended: list[int] = []
    atexit.register(_leave, ended)  # registered first, so that it runs last
    logs.set_up(*_log())
    ended.append(run(sys.argv[1:]))
    sys.exit(ended[0])


def _log() -> tuple[LogFormat, Home | None]:
    """As the home says; text where there is none, or one that cannot be read: the command says so itself."""
    try:
        home = open_home()
        return home.config.log.format, home
    except (SluicegateError, OSError, ValueError):
        return "text", None


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
        result = command()(arguments, prog_name=NAME, standalone_mode=False)
        if result == 130:  # what typer makes of a KeyboardInterrupt
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except SystemExit as ended:  # Typer's own way out of shell completion
        return int(ended.code or 0)
    except ClickException as error:
        error.message = _without(error.message, arguments)
        error.show()
        return Usage.exit_code
    except (Abort, KeyboardInterrupt):
        print("stopped; run the same command again to go on", file=sys.stderr)
        return Fault.exit_code
    except SluicegateError as error:
        _report(f"error: {error}", error.code, error.exit_code)
        return error.exit_code
    except Exception as error:
        look = "Check free space and permissions. " if isinstance(error, OSError) else ""
        said = f"fault: {describe(error)}. {look}Nothing was released by this step; run it again."
        _report(said, type(error).__name__, Fault.exit_code)
        return Fault.exit_code


def _without(message: str, arguments: list[str]) -> str:
    """What the parser says, without what was typed: a name in the wrong place must not stand in the log of a job."""
    for part in (part for argument in arguments for part in (argument, argument.partition("=")[2])):
        message = message.replace(repr(part), "what was given")
    return message.partition(" (")[0] if message.startswith("Got unexpected extra argument") else message


def _report(said: str, code: str, exit_code: int) -> None:
    """An error on stderr: for people in words, in a log of JSON by its code, since words may name a folder."""
    if not logs.as_json():
        print(said, file=sys.stderr)
    logs.say("command.failed", logging.ERROR, code=code, exit_code=exit_code)


def describe(error: BaseException) -> str:
    """Type and place of an unexpected exception, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


if __name__ == "__main__":
    main()
