"""`sluicegate keys`: the holder's keys, compared with what the ledger knows of them; vouched for, and renewed."""

import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import DONE, HELD, Fault, Usage
from flows.cli.command import SIGNATURE, Json, Key, at_home, group, show, signatures_in
from flows.home import keys, renewal
from flows.home.tree import Home
from flows.ledger.database.models import KeyName
from flows.operations.printing import print_table
from flows.registry import endorsements
from pipelines import sealing

app = group(name="keys", help="The holder's keys, as the ledger knows them.")
Which = Annotated[KeyName, Argument(metavar="KEY", help=f"One of: {', '.join(keys.OWN)}.")]
Algorithm = Annotated[
    Scheme | None, Option(metavar="NAME", help=f"Of the hash key's HMAC: {', '.join(Scheme)}. Left out: as it is.")
]
Given = Annotated[list[Path] | None, SIGNATURE]


@app.command("show")
def show_(json: Json = False) -> int:
    """Each key of the home: what the ledger knows of it, and whether it is the one that lies here.

    Exit code 1: one is missing, or another, or nobody has vouched for them.
    """
    with at_home() as (home, ledger):
        known, in_use = ledger.known_keys(), ledger.keys_in_use()
        wrong = {one.name: one for one in keys.wrong(home, known)}
        waiting = renewal.renewing(home)
    rows = [
        {
            "key": k.name.value,
            "fingerprint": k.fingerprint[:16],
            "event": k.seq,
            "algorithms": [] if k.name in wrong else renewal.algorithms_of(home, k.name),
            "here": _here(home, wrong, k.name),
        }
        for k in known
    ]
    found = {"keys": rows, "remedies": [one.error.remedy for one in wrong.values()], "waits_for_signatures": waiting}
    if not known and in_use:
        found["remedies"] = [keys.VOUCH]
    return show(found, json, _print, Fault.exit_code if found["remedies"] else DONE)


def _here(home: Home, wrong: dict[KeyName, keys.Wrong], name: KeyName) -> str:
    said = wrong[name].what if name in wrong else "as it must be"
    return said if keys.is_file(home, name) else f"{said} ({home.key(keys.FILES[name]).shown})"


def _print(found: dict[str, Any]) -> None:
    columns = ["key", "fingerprint", "event", "here"]
    print_table("Keys", columns, [[row[c] for c in columns] for row in found["keys"]])
    for row in (row for row in found["keys"] if row["algorithms"]):
        print(f"Generations of the key {row['key']}, the oldest first: {', '.join(row['algorithms'])}.")
    if found["waits_for_signatures"]:
        print(f"A new {found['waits_for_signatures']} waits for two signatures: sluicegate keys sign, then record.")
    for remedy in dict.fromkeys(found["remedies"]):
        print(remedy)


@app.command()
def make(which: Which) -> None:
    """Write a new key to a pipe, for a vault that is to keep it; the home keeps nothing of it. Before sluicegate init.

    For example: sluicegate keys make hash | vault kv put secret/sluicegate hash=-
    """
    if which not in keys.OWN:
        raise Usage("NO_SUCH_KEY", "this key is the public half of another", remedy=f"One of: {', '.join(keys.OWN)}.")
    if sys.stdout.isatty():
        what = "a key is not shown on a screen"
        raise Usage("KEY_ON_SCREEN", what, remedy="Give it to what keeps it: sluicegate keys make KEY | PROGRAM")
    sys.stdout.write(keys.made(which).decode())


@app.command()
def renew(which: Which, algorithm: Algorithm = None) -> None:
    """Make the key that is to take the place of this one. It counts once two operators have signed.

    Packages and heads that the signing key signed before still count. With another age key, accounting and evidence of
    before still open: the earlier one is kept, sealed to it. The hash key gets one more generation: all that is hashed
    in the ledger is carried over to it, and what was disclosed, tried or asked for before is recognised. No batch may
    be under way then.
    """
    with at_home() as (home, ledger):
        path = renewal.renew(home, ledger, which, algorithm)
    print(f"{path}\nNext, each of two operators: sluicegate keys sign --key KEY")


@app.command()
def sign(key: Key) -> None:
    """Sign that the home has the keys that lie in it now. Writes keys.OPERATOR.sig into this folder.

    Once after an upgrade, one operator; two where a key was renewed. Compare with a backup first.
    """
    with at_home() as (home, ledger):
        signed = endorsements.sign(ledger, renewal.message(home, ledger), signatures.load(key), signatures.KEYS)
    print(f"Signed by {signed.operator}: {signed.write(Path('keys'))}")


@app.command()
def record(signature: Given = None) -> None:
    """Tell the ledger the keys that operators signed for; a renewed key takes its place."""
    with at_home() as (home, ledger):
        told = renewal.record(home, ledger, signatures_in(signature or []))
    print("The ledger knows the keys." if told else "The ledger knew these keys already.")


@app.command()
def reseal(
    operator: Annotated[str, Option(metavar="NAME", help="The enrolled operator who has it done, for the audit log.")],
    all_: Annotated[bool, Option("--all", help="Every file, whatever key it needs; evidence gets fresh keys.")] = False,
    json: Json = False,
) -> int:
    """Seal anew, to the age key that the home has now, what only an earlier one opens; then destroy the earlier ones.

    No plaintext touches a disk. Packages in the outbox, and backups, stay as they are. Safe to repeat. Exit code 3:
    something was left, so that earlier keys are still needed.
    """
    from flows.audit import resealing
    from flows.operations.progress import Reporter

    with at_home() as (home, ledger), Reporter(quiet=json) as progress:
        done = resealing.reseal(home, ledger, operator, every=all_, progress=progress)
    found = {
        "sealed": done.files,
        "left": list(done.left),
        "need_earlier": [str(path.name) for path in done.needs.earlier],
        "opened_by_none": [str(path.name) for path in done.needs.nothing],
        "destroyed": done.destroyed,
    }
    return show(found, json, _print_resealed, HELD if done.left or done.needs.earlier or done.needs.nothing else DONE)


def _print_resealed(found: dict[str, Any]) -> None:
    print(f"Sealed anew: {found['sealed']:,}. Earlier keys destroyed: {found['destroyed']:,}.")
    for what, said in (
        ("left", "Left as it is"),
        ("need_earlier", "Needs an earlier key"),
        ("opened_by_none", "No key here opens it"),
    ):
        for one in found[what]:
            print(f"{said}: {one}")
    if found["left"] or found["need_earlier"]:
        print("Run it again when no batch is under way; where it stays so, see sluicegate ledger verify.")


@app.command()
def recovery(file: Annotated[Path, Argument(help="The file, on a medium that leaves this machine.")]) -> None:
    """Make a recovery key, which opens backups; its public half goes to FILE.pub and into recovery of sluicegate.toml.

    Whoever has this file and a backup has all keys of the home. Keep it where two people are needed to get it.
    """
    try:
        made = sealing.new_identity()
        sealing.save_identity(made, file)
        file.with_name(f"{file.name}.pub").write_text(f"{made.recipient}\n")
    except OSError as error:
        what = f"the key cannot be written: {type(error).__name__}"
        raise Usage("NOT_WRITTEN", what, where=file.name, remedy="Name a new file in a folder that is there.") from None
    print(f'recovery = ["{made.recipient}"]')
