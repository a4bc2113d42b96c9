"""`sluicegate package`: what the recipient runs on its own side with what it was sent. Needs no home."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.duck import default_settings
from expectations.base.errors import DONE, HELD
from flows.cli.command import Json, group, show
from flows.operations.printing import print_table

app = group(name="package", help="A package or recall list that was received: verify, open, apply.")
Folder = Annotated[Path, Argument(metavar="FOLDER", help="The folder as it was received.")]
Holder = Annotated[Path, Option(metavar="KEY.pub", help="The holder's public key (or several, one a line).")]
Identity = Annotated[Path, Option(metavar="AGE_KEY", help="Your own age key, which it was sealed to.")]
Plain = Annotated[Path, Option(metavar="DIR", help="Where the plaintext files go: a new or empty folder (0700).")]
_SHOWN = (
    *("batch", "submission", "holder", "requester", "agreement", "statute", "purpose"),
    *("register", "received_on", "decided_on", "content_digest"),
)


@app.command()
def verify(folder: Folder, holder: Holder, json: Json = False) -> int:
    """Check a package with the holder's public key alone: signature, files, counts.

    Exit code 5 says what is wrong, and where.
    """
    from pipelines import release

    return show(release.verify(folder, signatures.public_lines(holder)), json, _print)


@app.command("open")
def open_(folder: Folder, identity: Identity, holder: Holder, out: Plain, json: Json = False) -> int:
    """Verify a package and decrypt it.

    Before any file is in place, its rows are proven to be those that the manifest names.
    """
    from pipelines import sealing
    from pipelines.release.opened import open_received

    keys, own = signatures.public_lines(holder), sealing.load_identity(identity)
    manifest = open_received(folder, own, out, keys, default_settings())
    ended = show(manifest, json, _print)
    if not json:
        print(f"Opened: {out}")
    return ended


@app.command()
def recall(
    folder: Folder,
    identity: Identity,
    holder: Holder,
    rows: Annotated[Path, Option(metavar="FILE", help="Your table: .csv (.gz, .zst) or .parquet.")],
    out: Annotated[Path, Option(metavar="FREEZE", help="Where the rows to freeze go: .csv or .parquet.")],
    key: Annotated[str, Option(help="The column of FILE with the request ids.")] = "request_id",
    json: Json = False,
) -> int:
    """Apply a recall list to a table of your own: which of its rows to freeze.

    Exit codes: 0 every id on the list was found; 3 some were not: look in your other tables for them (FREEZE lists them
    last, without a row).
    """
    from pipelines import sealing
    from pipelines.recall.apply import apply_recall

    keys, own = signatures.public_lines(holder), sealing.load_identity(identity)
    done = apply_recall(folder, own, keys, rows, out, key=key, duck=default_settings())
    return show(vars(done), json, lambda done: _print_recall(done, out), HELD if done.unmatched else DONE)


def _print_recall(done: dict[str, Any], out: Path) -> None:
    case = done["manifest"]
    frozen = f"freeze every row of {out}; do not use or copy it."
    print(f"Case {case['case']} of {case['holder']}, {case['created_at']}: {frozen}")
    counts = [done[name] for name in ("listed", "table_rows", "frozen_rows", "unmatched")]
    print_table("Recall", ["ids listed", "rows in the table", "rows to freeze", "ids in no row"], [counts])


def _print(manifest: dict[str, Any]) -> None:
    rows: list[tuple[str, Any]] = [(name, manifest[name]) for name in _SHOWN]
    rows += [(f"instrument {name}", digest) for name, digest in manifest["instruments"].items()]
    print_table("Signed by the holder, and whole", ["", ""], rows)
    print_table("Rows", list(manifest["counts"]), [list(manifest["counts"].values())])
    if manifest["returned_by_code"]:
        print_table("Returned, by code", ["code", "rows"], manifest["returned_by_code"].items())
    print("\n".join(manifest["legal"]))
