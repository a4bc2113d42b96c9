"""`sluicegate package`: what the recipient runs on its own side with what it was sent. Needs no home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from expectations import signatures
from expectations.duck import default_settings
from expectations.errors import HELD
from flows.commands.output import print_json, print_table

app = typer.Typer(help="A package or recall list that was received: verify, open, apply.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder as it was received.")]
Holder = Annotated[Path, typer.Option(metavar="KEY.pub", help="The holder's public key (or several, one a line).")]
Identity = Annotated[Path, typer.Option(metavar="AGE_KEY", help="Your own age key, which it was sealed to.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
_SHOWN = ("batch", "submission", "holder", "requester", "agreement", "statute", "purpose", "register", "received_on", "decided_on", "content_digest")  # fmt: skip


@app.command()
def verify(folder: Folder, holder: Holder, json: Json = False) -> int:
    """Check a package with the holder's public key alone: signature, files, counts. Exit code 5 says what is off, and where."""
    from pipelines import release

    _print(release.verify(folder, signatures.public_lines(holder)), json)
    return 0


@app.command("open")
def open_(
    folder: Folder,
    identity: Identity,
    holder: Holder,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the files go in clear: a new or empty folder (0700).")
    ],
    json: Json = False,
) -> int:
    """Verify a package, decrypt it, and prove that its rows are those that the manifest names, before any is in place."""
    from pipelines import sealing
    from pipelines.release.received import open_received

    manifest = open_received(
        folder, sealing.load_identity(identity), out, signatures.public_lines(holder), default_settings()
    )
    _print(manifest, json)
    if not json:
        print(f"Opened: {out}")
    return 0


@app.command()
def recall(
    folder: Folder,
    identity: Identity,
    holder: Holder,
    rows: Annotated[Path, typer.Option(metavar="FILE", help="Your table: .csv (.gz, .zst) or .parquet.")],
    out: Annotated[Path, typer.Option(metavar="FREEZE", help="Where the rows to freeze go: .csv or .parquet.")],
    key: Annotated[str, typer.Option(help="The column of FILE with the request ids.")] = "request_id",
    json: Json = False,
) -> int:
    """Apply a recall list to a table of your own: which of its rows to freeze.

    Exit codes: 0 every id on the list was found; 3 some were not: look in your other tables for them (FREEZE lists them last,
    without a row).
    """
    from pipelines import sealing
    from pipelines.recall.apply import apply_recall

    keys, own = signatures.public_lines(holder), sealing.load_identity(identity)
    done = apply_recall(folder, own, keys, rows, out, key=key, duck=default_settings())
    if json:
        print_json(vars(done))
    else:
        said = done.manifest
        print(
            f"Case {said['case']} of {said['holder']}, {said['created_at']}: freeze every row of {out}; do not use or copy it."
        )
        print_table("Recall", ["ids listed", "rows in the table", "rows to freeze", "ids in no row"],
                    [(done.listed, done.table_rows, done.frozen_rows, done.unmatched)])  # fmt: skip
    return HELD if done.unmatched else 0


def _print(manifest: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(manifest)
        return
    rows: list[tuple[str, Any]] = [(name, manifest[name]) for name in _SHOWN]
    rows += [(f"instrument {name}", digest) for name, digest in manifest["instruments"].items()]
    print_table("Signed by the holder, and whole", ["", ""], rows)
    print_table("Rows", list(manifest["counts"]), [list(manifest["counts"].values())])
    if manifest["returned_by_code"]:
        print_table("Returned, by code", ["code", "rows"], manifest["returned_by_code"].items())
    print("\n".join(manifest["legal"]))
