"""Word that somebody asks others to look, where no Prefect server sends it: `watch` does, to whom `[notify]` names."""

import sys

from expectations.base.errors import Usage
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.events import Kind
from flows.operations import notify


class Word:
    """Sends it once for each time, from the newest event on that was there at the first look; before that, the nights
    do."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.after: int | None = None

    def step(self) -> None:
        """Sends what is new. Raises Transient if it was not taken, or the ledger is out of reach: then the next step
        does it. An address that is none is said, and stops nothing else."""
        if not self.home.config.notify.urls:
            return
        with Ledger.open(self.home.ledger_url, self.home.clock()) as ledger:
            if self.after is None:
                self.after = ledger.newest_event()
            events = ledger.tail(self.after, [Kind.CALLED])
        for event in events:
            try:
                notify.send(self.home, f"Sluicegate: {notify.CALLED}", notify.lines(self.home, event["batch"] or ""))
            except Usage as error:
                print(error, file=sys.stderr, flush=True)
            self.after = event["seq"]
