"""`sluicegate console`: the operators' pages in a browser, and who may come in."""

from typing import Annotated

from typer import Argument, Context, Option, Typer

from expectations.base import signatures
from flows.cli.command import Key, at_home
from flows.home.tree import open_home

app = Typer(name="console", help="The operators' pages in a browser.")
Port = Annotated[int | None, Option(help="Instead of the one of console.origin.", min=1, max=65535)]


@app.callback(invoke_without_command=True)
def console(
    context: Context,
    port: Port = None,
    address: Annotated[str, Option(help="Where it listens. Beyond this machine it needs TLS.")] = "127.0.0.1",
) -> int | None:
    """Serve the operators' pages until stopped, at console.origin of sluicegate.toml.

    On this machine only, unless a certificate is configured.
    """
    if context.invoked_subcommand:
        return None
    from flows.console.web.serve import serve

    return serve(open_home(), address, port)


@app.command()
def invite(
    name: Annotated[str, Argument(help="The operator's id.")],
    key: Key,
    port: Port = None,
) -> None:
    """Print a link with which an enrolled operator sets a password, or binds an identity of the configured provider.

    It works once, within an hour; an approver makes it.

    Give it to nobody else: whoever opens it first sets the password, or binds an identity. What follows # is the code:
    where JavaScript is off, it is pasted into the page.
    """
    from flows.console.web.place import Place
    from flows.ledger.entrance import Entrance

    with at_home() as (home, ledger):
        place = Place.of(home, port)
        ledger.require_open()
        who = ledger.operator_of(signatures.public_line(signatures.load(key)))
        token = Entrance(ledger).invite(name, who)
    print(f"{place.origin}/invitation#{token}")


@app.command()
def unbind(name: Annotated[str, Argument(help="The operator's id.")], key: Key) -> None:
    """Take the identity at a provider away from an operator, who is signed out by that; an approver does it.

    An invitation binds another.
    """
    from flows.ledger.entrance import Entrance

    with at_home() as (_, ledger):
        ledger.require_open()
        Entrance(ledger).unbind(name, ledger.operator_of(signatures.public_line(signatures.load(key))))
    print(f"{name} has no identity at a provider any more.")


@app.command("end-sessions")
def end_sessions(
    key: Key,
    name: Annotated[str | None, Argument(help="The operator's id; without one everybody's sessions end.")] = None,
) -> None:
    """End all sessions of an operator in the console, or everybody's; an approver does it. They may sign in again."""
    from flows.ledger.entrance import Entrance

    with at_home() as (_, ledger):
        ledger.require_open()
        who = ledger.operator_of(signatures.public_line(signatures.load(key)))
        print(f"{Entrance(ledger).end_sessions(who, name):,} sessions ended.")
