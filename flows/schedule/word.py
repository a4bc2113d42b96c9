"""Word that somebody asks others to look, where no Prefect server sends it: `watch` does, to whom `[notify]` names."""

from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.events import Kind
from flows.operations import notify


class Word:
    """Sends it once for each time, from the newest event on that was there at the start; before that, the nights do."""

    def __init__(self, home: Home) -> None:
        self.home, self.after = home, 0
        if home.config.notify.urls:
            with Ledger.open(home.ledger_url, home.clock()) as ledger:
                self.after = ledger.newest_event()

    def step(self) -> None:
        """Sends what is new. Raises Transient if it was not taken: then it is sent with the next step."""
        if not self.home.config.notify.urls:
            return
        with Ledger.open(self.home.ledger_url, self.home.clock()) as ledger:
            events = ledger.tail(self.after, [Kind.CALLED])
        for event in events:
            notify.send(self.home, f"Sluicegate: {notify.CALLED}", notify.lines(self.home, event["batch"] or ""))
            self.after = event["seq"]
