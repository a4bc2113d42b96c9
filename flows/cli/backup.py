"""`sluicegate backup`, `restore` and `restored`: a home is backed up, made again from a backup, and opened."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.errors import DONE, HELD, Fault
from flows.cli.command import Json, Key, Signatures, at_home, file_text, group, show, signatures_in
from flows.home.tree import home_path

app = group(name="restored", help="A home that was restored: closed, until two operators open it.")
Out = Annotated[
    Path | None, Option(help="The folder that it is written into; if left out, backups.folder of sluicegate.toml.")
]
To = Annotated[
    list[str] | None, Option(help="A recovery key (age1…), or a file with some; if left out, those of sluicegate.toml.")
]
File = Annotated[Path, Argument(help="The backup.")]
Identity = Annotated[Path, Option(help="The file of the recovery key.")]
Heads = Annotated[
    list[Path] | None,
    Option("--head", metavar="DAY.json", help="A signed head that somebody was given, its .sig beside it; any number."),
]
Newest = Annotated[
    str | None,
    Option(metavar="HASH", help="Hash of the newest event there ever was, if you know it from outside of the backup."),
]


def backup(out: Out = None, to: To = None, json: Json = False) -> int:
    """Back up ledger, keys, evidence, accounting and instruments into one file, sealed to the recovery keys.

    Batches may run meanwhile. Exit code 1: the backup is made, and a file in it is not what the ledger says.
    """
    from flows.operations import backup as backups
    from flows.operations import kept

    with at_home() as (home, ledger):
        if out is None and not to:
            made = kept.take(home, ledger)
        else:
            place = kept.folder(home) if out is None else out
            made = backups.backup(home, ledger, place, [key for given in to or [] for key in _keys(given)])
    m = made.manifest
    found = {"path": made.path, "bytes": made.bytes, "files": len(m.files), "seq": m.seq, "head": m.head}
    found |= {"destroy_by": m.destroy_by, "differs": m.differs}
    return show(found, json, _print_made, Fault.exit_code if m.differs else DONE)


def _keys(given: str) -> list[str]:
    return [given] if given.startswith("age1") else file_text(Path(given)).split()


def _print_made(found: dict[str, Any]) -> None:
    print(f"{found['path']}: {found['files']:,} files, {found['bytes']:,} bytes")
    print(f"The newest event in it is {found['seq']}, hash {found['head']}")
    if found["destroy_by"]:
        print(f"Destroy it by {found['destroy_by']}: from then on it may keep evidence that is to be shredded.")
    for place in found["differs"]:
        print(f"{place}: it is not what the ledger says. Run sluicegate ledger verify.")


def restore(
    file: File,
    identity: Identity,
    head: Heads = None,
    check: Annotated[bool, Option("--check", help="Only prove that the backup opens and is whole.")] = False,
) -> int:
    """Make the home (SLUICEGATE_HOME, or ./.sluicegate) from a backup, and verify it. The home must be empty.

    It is closed until two operators open it: sluicegate restored show. Exit code 1: verification found something.
    """
    from flows.operations import restore as restoring

    if check:
        manifest = restoring.check(file, identity)
        print(f"It is whole: made {manifest.at}, {len(manifest.files):,} files, newest event {manifest.seq}")
        return DONE
    made = restoring.restore(file, identity, home_path(), head or [])
    for problem in made.problems:
        print(problem)
    print(
        f"Home: {made.home.root}\nIt is as of {made.manifest.at} (event {made.manifest.seq}); {_found(made.problems)}"
    )
    print("It is closed. Next: sluicegate restored show")
    return Fault.exit_code if made.problems else DONE


def _found(problems: tuple[Any, ...]) -> str:
    return f"{len(problems)} problems" if problems else "no problems found"


@app.command("show")
def show_(head: Heads = None, json: Json = False) -> int:
    """Each restoration, and what is known outside that contradicts the ledger.

    Exit code 3: the home is closed, and two operators must open it.
    """
    from flows.operations import opening

    with at_home() as (home, ledger):
        rows = [vars(one) for one in ledger.restorations()]
        known = opening.known(home, ledger, head or [])
    closed = any(row["opened_at"] is None for row in rows)
    found: dict[str, Any] = {"restorations": rows, "closed": closed, "lost_heads": known.heads}
    found |= {"packages": known.packages, "unread": [str(problem) for problem in known.unread]}
    return show(found, json, _print_known, HELD if closed else DONE)


def _print_known(found: dict[str, Any]) -> None:
    for row in found["restorations"]:
        how = {None: "closed", True: "opened, complete", False: "opened, incomplete"}[row["complete"]]
        print(f"Restored {row['at']:%Y-%m-%d %H:%M} UTC (event {row['seq']}): {how}")
    for name in found["lost_heads"]:
        print(f"{name}: it saw an event that this ledger has lost")
    for name in found["packages"]:
        print(f"outbox/{name}: the ledger does not know that it left")
    for problem in found["unread"]:
        print(problem)
    if not found["closed"]:
        print("The home is open.")
        return
    print("Put the outbox in its place first. Then, if a newer backup exists, restore that one instead. Otherwise:")
    print("  each of two operators:  sluicegate restored sign --key KEY [--newest HASH] [--head DAY.json]")
    print("  then:                   sluicegate restored open --signature FILE --signature FILE, with the same options")
    print("Without --newest, nothing leaves any more under the agreements that are enrolled now.")


@app.command()
def sign(key: Key, newest: Newest = None, head: Heads = None) -> None:
    """Sign what is known of the time after the backup. Writes restored.OPERATOR.sig into this folder.

    Give --newest only if you know the newest event from outside, such as from the old machine after it was stopped.
    """
    from flows.operations import opening

    with at_home() as (home, ledger):
        known, signed = opening.sign(home, ledger, signatures.load(key), head or [], newest)
    print(f"{len(known.heads)} signed heads and {len(known.packages)} packages that the ledger has lost")
    print(f"Signed by {signed.operator}: {signed.write(Path('restored'))}")


@app.command("open")
def open_(signature: Signatures, newest: Newest = None, head: Heads = None) -> None:
    """Open the home, on what two operators signed."""
    from flows.operations import opening

    with at_home() as (home, ledger):
        complete = opening.open_again(home, ledger, head or [], newest, signatures_in(signature))
    print("The home is open. The ledger is complete: everything goes on." if complete else _INCOMPLETE)


_INCOMPLETE = (
    "The home is open. The ledger may have forgotten releases: under the agreements that are enrolled now nothing "
    "leaves any more (MAY_HAVE_LEFT). Have agreements of other ids enrolled: infra/docs/backup.md."
)
