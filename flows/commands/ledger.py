"""Commands about the ledger: verify it, sign a checkpoint, export the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from expectations import signatures
from expectations.clock import Clock
from expectations.errors import Usage
from flows.commands.output import print_json
from flows.commands.signing import Key, text
from flows.home import open_home

app = typer.Typer(help="The ledger.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Export = Annotated[
    Path | None,
    typer.Option(help="An exported chain, to verify instead of a home; needs neither home nor private key."),
]
Copies = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", help="A checkpoint that was handed out, its .sig beside it; any number."),
]
Holder = Annotated[
    Path | None, typer.Option(help="The holder's public signing keys, one a line; the home's if left out.")
]


@app.command()
def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Open each sealed accounting, and count it again.")] = False,
    export: Export = None,
    checkpoint: Copies = None,
    holder: Holder = None,
    json: Json = False,
) -> int:
    """Check the chain, all that the ledger says, its checkpoints and the sealed files. Exit code 1 if anything does not fit."""
    keys = text(holder).decode("utf-8", errors="replace").splitlines() if holder else []
    if export:
        from flows.audit import export as exported

        if deep or (checkpoint and not keys):
            raise Usage("NO_HOME_THERE", "an export has no sealed files, and no keys of its own",
                        remedy="Leave --deep out; give --holder with --checkpoint.")  # fmt: skip
        problems, head, vouching = exported.verify(export, checkpoint or [], keys)
    else:
        from flows import audit
        from flows.ledger import Ledger

        home = open_home()
        with Ledger.open(home.ledger_url, Clock()) as ledger:
            found = audit.verify(home, ledger, deep=deep, copies=checkpoint or [], keys=keys)
        problems, head, vouching = list(found.problems), found.head, found.checkpoints
    if json:
        print_json({"problems": [vars(p) for p in problems], "head": vars(head), "checkpoints": vouching})
    else:
        for problem in problems:
            print(problem)
        print(
            f"{len(problems)} problems; the chain ends at event {head.seq}, hash {head.hash}; {vouching} checkpoints vouch for it"
        )
    return 1 if problems else 0


@app.command()
def checkpoint() -> int:
    """Sign what the chain is now: home/checkpoints/DAY.json. The nightly run does it too. Hand copies out."""
    from flows.audit import checkpoints
    from flows.ledger import Ledger

    home = open_home()
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        print(checkpoints.write(home, ledger))
    return 0


@app.command()
def export(out: Annotated[Path, typer.Option(help="The file: one event a line, as JSON.")]) -> int:
    """Write the chain to a file that anyone can verify: ledger verify --export FILE --checkpoint CP --holder KEY.pub."""
    from flows.audit import export as exported
    from flows.ledger import Ledger

    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        print(f"{exported.write(ledger, out):,} events in {out}")
    return 0


@app.command()
def baseline(key: Key) -> int:
    """Sign once, after an upgrade, the values that the events of older versions did not say. Verify with that version first."""
    from flows.ledger import Ledger

    private = signatures.load(key)
    with Ledger.open(open_home().ledger_url, Clock()) as ledger:
        signature = signatures.sign(ledger.baseline_message(), private, signatures.BASELINE)
        print(f"Signed: event {ledger.baseline(signatures.public_line(private), signature)}")
    return 0
