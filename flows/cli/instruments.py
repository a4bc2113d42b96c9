"""`sluicegate instruments`: look at them, check a file, sign and enrol it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import DONE, BadInput, Usage
from flows.cli.command import Json, Key, Signatures, at_home, day_option, file_bytes, group, show, signatures_in
from flows.home.tree import open_home
from flows.ledger import Ledger
from flows.registry import endorsements, enrolled, instruments
from flows.registry import in_force as possible
from flows.reports.schemas import meanings

app = group(name="instruments", help="Agreements, court orders, and the holder's determinations.")
File = Annotated[Path, Argument(help="The instrument, as TOML.")]
Files = Annotated[list[Path], Argument(help="Instruments, as TOML.")]
Against = Annotated[
    bool, Option("--against", help="Show field by field what would change against the enrolled version.")
]
Id = Annotated[str, Argument(help="The instrument's id, as list shows it.")]
Version = Annotated[str | None, Option(help="Number, or the first 8 digits of the digest or more.")]
Shown = Annotated[bool, Option("--print", help="Print the signature, write no file.")]
Filed = Annotated[Path, Option("--file", help="The confirmation as it was filed, in any format.")]
Day = Annotated[date | None, day_option("--on", "The day, in the agreement's zone; if left out, today.")]


@app.command("list")
def list_(on: Day = None, json: Json = False) -> int:
    """The enrolled instruments, and whether each is in force."""
    with at_home() as (_, ledger):
        return show(instruments.listed(ledger, ledger.clock, on), json, _print_list)


def _print_list(rows: list[dict[str, Any]]) -> None:
    for r in rows:
        stands = "in force" if r["in force"] else "not in force"
        until = f"to {r['to']}" if r["to"] else "no end date"
        print(f"{r['id']}: {r['kind']}, version {r['version']}, {stands}, from {r['from']}, {until}")
        print(f"    {r['title']}; digest {r['digest'][:12]}")


@app.command("show")
def show_(id: Id, version: Version = None, json: Json = False) -> int:
    """Every field of an instrument in words, and its versions: who enrolled which, and when."""
    with at_home() as (_, ledger):
        return show(instruments.shown(ledger, id, version), json, _print_one)


def _print_one(one: dict[str, Any]) -> None:
    said = meanings(one["fields"]["kind"])
    print(f"{one['id']}, version {one['version']}, digest {one['digest']}")
    for key, value in one["fields"].items():
        print(f"{key}: {instruments.words(value)}\n    {said.get(instruments.field_of(key), '')}")
    for v in one["versions"]:
        by = ", ".join(v["by"]) or "nobody: it was enrolled before signatures were asked for"
        print(f"version {v['version']}: enrolled {v['enrolled_at']:%Y-%m-%d %H:%M} UTC, signed by {by}")
        print(f"    digest {v['digest']}")


@app.command()
def check(files: Files, against: Against = False) -> int:
    """What is wrong with an instrument before it is enrolled: file, key, and what to write.

    Exit code 5: something is. Warnings name what the form allows and is probably not meant; they need a home, and do
    not change the exit code.
    """
    known, clock = _enrolled()
    good = [_check(file, known, clock, against) for file in files]
    return DONE if all(good) else BadInput.exit_code


def _enrolled() -> tuple[dict[str, bytes], Clock]:
    try:
        home = open_home()
    except Usage:
        print("There is no home here: only the form is checked.")
        return {}, Clock()
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        return {name: body for name, _, body in ledger.instruments()}, Clock(ledger.clock.now())


def _check(file: Path, known: Mapping[str, bytes], clock: Clock, against: bool) -> bool:
    try:
        checked = instruments.checked(file_bytes(file), file.name, known, clock)
    except BadInput as error:
        print(f"{file}: {error}")
        return False
    for problem in checked.problems:
        print(f"{file}: {problem.key}: {problem.what}. {problem.write}".rstrip())
    if checked.found is None:
        return False
    print(f"{file}: {checked.found.kind} {checked.found.id} is well formed")
    for doubt in checked.doubts:
        print(f"{file}: warning: {doubt}")
    changes = checked.changes if against else []
    if changes is None:
        print(f"no version of {checked.found.id} is enrolled: all of it would be new")
    for key, now, then in changes or ():
        print(f"{checked.found.id}: {key}: now {instruments.words(now)}, then {instruments.words(then)}")
    return True


@app.command("in-force")
def in_force(
    on: Day = None,
    agreement: Annotated[str | None, Option(help="This agreement only.")] = None,
    statute: Annotated[str | None, Option(help="This statute only.")] = None,
    purpose: Annotated[str | None, Option(help="This purpose only.")] = None,
    json: Json = False,
) -> int:
    """What may be released under each agreement on a day, and which orders forbid the rest."""
    with at_home() as (_, ledger):
        known = enrolled.newest(ledger)
        rows = possible.on_day(known, ledger.clock, on, agreement=agreement, statute=statute, purpose=purpose)
    return show(rows, json, _print_possible)


def _print_possible(rows: list[dict[str, Any]]) -> None:
    for r in rows:
        print(f"{r['agreement']} on {r['day']}, {r['statute']}, {r['purpose']}")
        print(f"    fields that may be released: {', '.join(r['may_leave']) or 'none'}")
        for why in r["why"]:
            print(f"    {why}")


@app.command()
def message(file: File) -> None:
    """Print what two operators sign to enrol FILE.

    ssh-keygen signs it too: ssh-keygen -Y sign -n sluicegate-instrument.
    """
    with at_home() as (_, ledger):
        print(ledger.instrument_message(file_bytes(file), file.name).decode(), end="")


@app.command()
def sign(file: File, key: Key, shown: Shown = False) -> None:
    """Sign FILE as the next version of its instrument. Writes FILE.OPERATOR.sig beside it."""
    with at_home() as (_, ledger):
        message = ledger.instrument_message(file_bytes(file), file.name)
        signed = endorsements.sign(ledger, message, signatures.load(key), signatures.INSTRUMENT)
    if shown:
        print(signed.signature, end="")
    else:
        print(f"Signed by {signed.operator}: {signed.write(file)}")


@app.command()
def enrol(file: File, signature: Signatures) -> None:
    """Enrol an instrument, or a new version of one, by two operators' signatures.

    It is in force from then on, within its own days.
    """
    with at_home() as (_, ledger):
        digest = ledger.enrol_instrument(file_bytes(file), signatures_in(signature), file.name)
    print(f"Enrolled, digest {digest}")


@app.command()
def confirm(id: Id, file: Filed, key: Key) -> None:
    """Sign that the holder has confirmed its compliance with an order. FILE is kept as its digest only.

    The nightly run and status then no longer name its deadline. A new version of the order is confirmed anew.
    """
    with at_home() as (_, ledger):
        proof = ledger.proof_of(id, file_bytes(file))
        private = signatures.load(key)
        signature = signatures.sign(ledger.compliance_message(id, proof), private, signatures.COMPLIANCE)
        event = ledger.confirm_compliance(id, proof, signatures.public_line(private), signature)
    print(f"Confirmed: {id}, event {event}")
