"""Commands for instruments: look at them, check a file, sign and enrol it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from expectations import signatures
from expectations.clock import Clock
from expectations.errors import BadInput, Usage
from expectations.instruments import Agreement, instrument_problems, parse_instrument
from flows import in_force as standing_now
from flows import instruments
from flows.commands.output import print_json
from flows.commands.signing import Key, Signatures, read, text, write
from flows.home import open_home
from flows.ledger import Ledger
from flows.schemas import meanings

app = typer.Typer(help="Agreements and court orders.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
File = Annotated[Path, typer.Argument(help="The instrument, as TOML.")]
Day = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day, in the agreement's zone; today.")
]


def _ledger() -> Ledger:
    return Ledger.open(open_home().ledger_url, Clock())


@app.command("list")
def list_(on: Day = None, json: Json = False) -> int:
    """The enrolled instruments, and whether each is in force."""
    with _ledger() as ledger:
        rows = instruments.listed(ledger, Clock(), on.date() if on else None)
    if json:
        print_json(rows)
        return 0
    for r in rows:
        stands = "in force" if r["in force"] else "not in force"
        until = f"to {r['to']}" if r["to"] else "without end"
        print(
            f"{r['id']}: {r['kind']}, version {r['version']}, {stands}, from {r['from']} {until}, digest {r['digest'][:12]}"
        )
        print(f"    {r['title']}")
    return 0


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="As list shows it.")],
    version: Annotated[str | None, typer.Option(help="Number, or the first 8 digits of the digest or more.")] = None,
    json: Json = False,
) -> int:
    """Every field of an instrument in words, and its versions: who enrolled which, and when."""
    with _ledger() as ledger:
        chosen, known = instruments.version(ledger, id, version), ledger.versions(id)
    fields = instruments.flat(parse_instrument(chosen.body, id).model_dump())
    history: list[dict[str, Any]] = [
        {"version": v.version, "digest": v.digest, "enrolled_at": v.enrolled_at, "by": [name for name, _, _ in v.signed],
         "keys": [key for _, key, _ in v.signed]}
        for v in known
    ]  # fmt: skip
    if json:
        print_json(
            {"id": id, "version": chosen.version, "digest": chosen.digest, "fields": fields, "versions": history}
        )
        return 0
    said = meanings(chosen.kind)
    print(f"{id}, version {chosen.version}, digest {chosen.digest}")
    for key, value in fields.items():
        print(f"{key}: {_words(value)}\n    {_meaning(said, key)}")
    for h in history:
        by = ", ".join(h["by"]) or "nobody: it was enrolled before signatures were asked for"
        print(
            f"version {h['version']}: enrolled {h['enrolled_at']:%Y-%m-%d %H:%M} UTC, signed by {by}, digest {h['digest']}"
        )
    return 0


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "not said", True: "yes", False: "no"}[value]
    return str(value)


def _meaning(said: Mapping[str, str], key: str) -> str:
    return said.get(".".join(part for part in key.split(".") if not part.isdigit()), "")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Instruments, as TOML.")],
    against: Annotated[
        bool, typer.Option("--against", help="Show field by field what would change against the enrolled version.")
    ] = False,
) -> int:
    """Say what is wrong with an instrument before it is enrolled: file, key, and what to write. Exit code 5 if anything is.

    Warnings say what the form allows and is probably not meant; they need a home, and change no exit code.
    """
    enrolled = _enrolled()
    good = [_check(file, enrolled, against) for file in files]
    return 0 if all(good) else BadInput.exit_code


def _enrolled() -> dict[str, bytes]:
    try:
        home = open_home()
    except Usage:
        print("There is no home here: only the form is checked.")
        return {}
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        return {name: body for name, _, body in ledger.instruments()}


def _check(file: Path, enrolled: Mapping[str, bytes], against: bool) -> bool:
    try:
        body = text(file)
        problems = instrument_problems(body, file.name)
    except BadInput as error:
        print(f"{file}: {error}")
        return False
    for p in problems:
        print(f"{file}: {p.key}: {p.what}. {p.write}".rstrip())
    if problems:
        return False
    found = parse_instrument(body, file.name)
    print(f"{file}: {found.kind} {found.id} is well formed")
    zone = found.zone if isinstance(found, Agreement) else instruments.COURTS
    for doubt in instruments.doubts(found, body, enrolled, Clock().today(zone)):
        print(f"{file}: warning: {doubt}")
    if against:
        _print_changes(found, enrolled)
    return True


def _print_changes(found: Agreement | Any, enrolled: Mapping[str, bytes]) -> None:
    if found.id not in enrolled:
        print(f"no version of {found.id} is enrolled: all of it would be new")
        return
    rows = instruments.changes(parse_instrument(enrolled[found.id], found.id), found)
    for key, now, then in rows:
        print(f"{found.id}: {key}: now {_words(now)}, then {_words(then)}")


@app.command("in-force")
def in_force(
    on: Day = None,
    agreement: Annotated[str | None, typer.Option(help="This agreement only.")] = None,
    statute: Annotated[str | None, typer.Option(help="This statute only.")] = None,
    purpose: Annotated[str | None, typer.Option(help="This purpose only.")] = None,
    json: Json = False,
) -> int:
    """What each agreement leaves possible on a day, and which orders take what away."""
    day: date | None = on.date() if on else None
    with _ledger() as ledger:
        known = instruments.enrolled(ledger).values()
    rows = standing_now.on_day(list(known), Clock(), day, agreement=agreement, statute=statute, purpose=purpose)
    if json:
        print_json(rows)
        return 0
    for r in rows:
        print(f"{r['agreement']} on {r['day']}, {r['statute']}, {r['purpose']}")
        print(f"    may leave: {', '.join(r['may_leave']) or 'nothing'}")
        for why in r["why"]:
            print(f"    {why}")
    return 0


@app.command()
def message(file: File) -> int:
    """Print what two operators sign to enrol FILE. ssh-keygen signs it too: ssh-keygen -Y sign -n sluicegate-instrument."""
    print(_message(file).decode(), end="")
    return 0


@app.command()
def sign(
    file: File,
    key: Key,
    shown: Annotated[bool, typer.Option("--print", help="Print the signature, write no file.")] = False,
) -> int:
    """Sign FILE as the next version of its instrument. Writes FILE.OPERATOR.sig beside it."""
    write(_message(file), key, signatures.INSTRUMENT, file, shown)
    return 0


def _message(file: Path) -> bytes:
    with _ledger() as ledger:
        return ledger.instrument_message(text(file), file.name)


@app.command()
def enrol(file: File, signature: Signatures) -> int:
    """Enrol an instrument, or a new version of one, by two operators' signatures. It counts from now on."""
    with _ledger() as ledger:
        digest = ledger.enrol_instrument(text(file), read(signature), file.name)
    print(f"Enrolled, digest {digest}")
    return 0
