"""`sluicegate ledger`: verify it, sign its head, export the chain."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import DONE, Fault, Usage
from flows.cli.command import Json, Key, Signatures, at_home, file_text, group, show, signatures_in

app = group(name="ledger", help="The ledger and its audit log.")
Deep = Annotated[bool, Option("--deep", help="Open each sealed accounting, and count it again.")]
Export = Annotated[
    Path | None, Option(help="An exported chain, to verify instead of a home; needs neither home nor private key.")
]
Copies = Annotated[
    list[Path] | None,
    Option("--head", metavar="DAY.json", help="A signed head that somebody was given, its .sig beside it; any number."),
]
Roles = Annotated[list[str] | None, Option(metavar="ROLE", help="A role that runs batches, nights and commands.")]
Consoles = Annotated[list[str] | None, Option(metavar="ROLE", help="A role of the console.")]
Algorithm = Annotated[Scheme, Argument(help="The algorithm.")]
Holder = Annotated[Path | None, Option(help="The holder's public signing keys, one a line; if left out, the home's.")]


@app.command()
def verify(
    deep: Deep = False, export: Export = None, head: Copies = None, holder: Holder = None, json: Json = False
) -> int:
    """Check the chain, all that the ledger says, its signed heads and the sealed files.

    Exit code 1: something does not fit; each place is named.
    """
    keys = file_text(holder).splitlines() if holder else []
    if export:
        from flows.audit import export as exported

        if deep or (head and not keys):
            lacks = "an export has no sealed files, and no keys of its own"
            raise Usage("NO_HOME_THERE", lacks, remedy="Leave --deep out; give --holder with --head.")
        problems, last, signed = exported.verify(export, head or [], keys)
    else:
        from flows import audit

        with at_home() as (home, ledger):
            found = audit.verify(home, ledger, deep=deep, copies=head or [], keys=keys)
        problems, last, signed = list(found.problems), found.head, found.signed_heads
    result = {"problems": [vars(p) for p in problems], "head": vars(last), "signed_heads": signed}
    return show(result, json, lambda _: _print(problems, result), Fault.exit_code if problems else DONE)


def _print(problems: list[Any], result: dict[str, Any]) -> None:
    for problem in problems:
        print(problem)
    head = result["head"]
    chain = f"the chain ends at event {head['seq']}, hash {head['hash']}"
    print(f"{len(problems)} problems; {chain}; {result['signed_heads']} signed heads confirm it")


@app.command("sign-head")
def sign_head() -> None:
    """Sign what the chain is now: home/checkpoints/DAY.json.

    The nightly run does it too. Give copies to others, who can prove later that nothing before it was changed.
    """
    from flows.audit import signed_heads

    with at_home() as (home, ledger):
        print(signed_heads.write(home, ledger))


@app.command()
def export(out: Annotated[Path, Option(help="The file: one event a line, as JSON.")]) -> None:
    """Write the chain to a file that anyone can verify.

    How: sluicegate ledger verify --export FILE --head DAY.json --holder KEY.pub.
    """
    from flows.audit import export as exported

    with at_home() as (_, ledger):
        print(f"{exported.write(ledger, out):,} events in {out}")


@app.command("sign-scheme")
def sign_scheme(scheme: Algorithm, key: Key) -> None:
    """Sign that events and digests are made by another algorithm from now on. Writes scheme.OPERATOR.sig here."""
    from flows.registry import endorsements

    with at_home() as (_, ledger):
        message = ledger.scheme_message(scheme)
        signed = endorsements.sign(ledger, message, signatures.load(key), signatures.SCHEME)
    print(f"Signed by {signed.operator}: {signed.write(Path('scheme'))}")


@app.command("set-scheme")
def set_scheme(scheme: Algorithm, signature: Signatures) -> None:
    """Hash events, and all digests that prove something, by another algorithm from here on, as two operators signed.

    The events of before are hashed once more; files, rows and texts keep their digests, and are proven by them. Sealed
    batches that have not left are sealed again; what one of two has signed of an instrument or a recall is signed anew
    by both. Names stay what they are. Sign a head afterwards (sluicegate ledger sign-head), and give copies to others.
    """
    with at_home() as (_, ledger):
        print(f"Events and digests are made by {scheme}: event {ledger.rehash(scheme, signatures_in(signature))}")


@app.command()
def baseline(key: Key) -> None:
    """Sign once, after an upgrade, the values that the events of older versions did not hold.

    Verify the ledger with that older version first.
    """
    from flows.batch.decisions import sign_baseline

    with at_home() as (_, ledger):
        print(f"Signed: event {sign_baseline(ledger, signatures.load(key))}")


@app.command()
def grant(batches: Roles = None, console: Consoles = None) -> None:
    """Bring the ledger on PostgreSQL to the newest form, and give roles what they need there, and no more.

    Run it as the owner of the ledger, by the URL in SLUICEGATE_LEDGER, and again after each upgrade. It needs no home.
    """
    from flows.home.config import ledger_of_environment
    from flows.ledger import Ledger
    from flows.ledger.database import granting
    from flows.ledger.database.rights import Service

    named = {Service.BATCHES: batches or [], Service.CONSOLE: console or []}
    roles = [(role, service) for service, some in named.items() for role in some]
    if not roles or len(roles) != len(dict(roles)):
        raise Usage("WHICH_ROLES", "each role is named once", remedy="Give --batches ROLE and --console ROLE.")
    with Ledger.open(ledger_of_environment()) as ledger, ledger.transaction() as session:
        granting.grant(session, dict(roles))
    for role, service in roles:
        print(f"{role}: the rights of {service}")
