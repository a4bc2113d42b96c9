"""What lies in the inbox and is not done: folders with a signed letter, whose signature is put in place last."""

from pathlib import Path

from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import FINAL, State
from pipelines.ingest.submission import LETTER, MAX_LETTER, SIGNATURE


def waiting(home: Home) -> list[Path]:
    """Complete submissions whose batch has neither ended nor waits for people; oldest signature first."""
    found = [f for f in home.inbox.iterdir() if (f / SIGNATURE).is_file() and (f / LETTER).is_file()]
    found.sort(key=lambda folder: ((folder / SIGNATURE).stat().st_mtime_ns, folder.name))
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        return [folder for folder in found if not _done(ledger, folder)]


def _done(ledger: Ledger, folder: Path) -> bool:
    try:
        with (folder / LETTER).open("rb") as letter:
            digest = of_bytes(letter.read(MAX_LETTER))[:12]
    except OSError:
        return False  # a letter that cannot be read is for `receive` to refuse; it must not hide the others
    batch, unreadable = ledger.batch(f"b-{digest}"), ledger.batch(f"u-{digest}")
    if batch:
        return batch.state in FINAL or batch.state is State.HELD
    # the same letter, signed again or with its files fixed, is received again: its signature is put in place anew
    return unreadable is not None and (folder / SIGNATURE).stat().st_ctime <= unreadable.received_at.timestamp()
