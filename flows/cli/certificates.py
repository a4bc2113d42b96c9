"""`sluicegate certificates`: by which PostgreSQL and its services know each other, if no other authority gives any."""

import time
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from expectations.base.clock import Clock

_HOUR = 3600


def certificates(
    folder: Annotated[Path, Argument(help="Where they lie: a folder for each, and one for the authority.")],
    server: Annotated[str, Option(metavar="HOST", help="The host name of PostgreSQL.")],
    client: Annotated[list[str], Option(metavar="ROLE", help="A role of PostgreSQL that gets one; any number.")],
    keep: Annotated[bool, Option("--keep", help="Go on, and look each hour, until stopped.")] = False,
) -> None:
    """Make an authority of your own, a certificate for PostgreSQL and one for each role, or renew them in time.

    A role's is valid for a week, so that no copy of it serves for long; PostgreSQL's for a year.
    """
    from flows.operations import authority

    while True:
        for name in authority.renew(folder, server, client, Clock().now()):
            print(f"{name}: a new certificate", flush=True)
        if not keep:
            return
        time.sleep(_HOUR)
