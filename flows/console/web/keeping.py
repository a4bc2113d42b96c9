"""What is written beside the pages: looks, uses of sessions, sessions that are over, lines of the log. No page waits
for it."""

import logging
import threading

from expectations.base.errors import SluicegateError
from flows.console.web.watch import Watch
from flows.ledger.entrance import Entrance
from flows.operations import logs

SECONDS = 5.0


class Keeper:
    """A thread that writes every few seconds, and once more at the end."""

    def __init__(self, entrance: Entrance, watch: Watch, seconds: float = SECONDS) -> None:
        self._entrance, self._watch, self._seconds = entrance, watch, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, and writes what is left."""
        self._stop.set()
        self._thread.join()
        self.keep()

    def keep(self) -> None:
        """Writes what there is. What the ledger is too busy for is left for the next time."""
        for write in (self._entrance.gathered.write, self._entrance.store):
            try:
                write()
            except SluicegateError as error:
                text = f"console: what was seen could not be written, and waits: {error.code}"
                logs.tell("console.not_written", text, logging.ERROR, code=error.code)
        self._watch.write()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.keep()
