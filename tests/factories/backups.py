"""Backups for tests: a home whose sealed files are as its ledger says, though no batch ran, and its recovery key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from expectations.base import algorithms, signatures
from expectations.base.digests import canonical_json, of_bytes, of_file
from flows.evidence import keys, store
from flows.home.tree import CONFIG, OUTCOMES, Home, open_home
from flows.ledger import Ledger
from flows.ledger.events.batch import Accounted
from flows.operations import backup, opening
from flows.operations.backup import Made
from flows.sandbox.home import OPERATORS
from pipelines import sealing
from tests.factories import ledgers

SECRET = b"quxzaz of a person"


@dataclass(frozen=True)
class Recovery:
    """A recovery key, and where its private half lies."""

    path: Path
    recipient: str


def recovery(folder: Path) -> Recovery:
    made = sealing.new_identity()
    sealing.save_identity(made, folder / "recovery.key")
    return Recovery(folder / "recovery.key", made.recipient)


def configure(home: Home, *lines: str) -> Home:
    """The home with these lines more in its configuration."""
    path = home.root / CONFIG
    path.write_text("".join(f"{line}\n" for line in lines) + path.read_text())
    return open_home(home.root)


def opened(home: Home) -> Ledger:
    return Ledger.open(home.ledger_url, home.clock())


def take(home: Home, folder: Path, key: Recovery) -> Made:
    with opened(home) as ledger:
        return backup.backup(home, ledger, folder, [key.recipient])


def keep(home: Home, ledger: Ledger, batch: str, mark: str = "") -> None:
    """Seals an accounting and evidence of a batch, then accounts for it: as a run does, in that order."""
    recipient = keys.recipient(home, batch)
    plain = home.lake / f"{batch}.plain"
    plain.write_bytes(SECRET + mark.encode())
    store.seal_to_holder(home, plain, store.accounting_path(home, batch))
    file = store.evidence_file(home, batch, "parquet")
    sealing.seal_file(plain, file, [recipient])
    plain.unlink()
    key = {"recipient": recipient, algorithms.in_force().value: of_file(keys.place(home, batch))}
    listed = {"format": store.FORMAT, "batch": batch, "key": key, "files": {file.name: of_file(file)}}
    text = canonical_json(listed)
    store.evidence_list_path(home, batch).write_bytes(text)
    sealed = of_file(store.accounting_path(home, batch))
    home.store_verdict(batch, OUTCOMES, {"refused": 2})
    said = {"merkle_root": ledgers.sha(batch), "accounting": sealed, "evidence": of_bytes(text)}
    ledger.account(batch, Accounted(rows=2, outcomes={"refused": 2}, codes={}, **said))


def refused(home: Home, ledger: Ledger, batch: str) -> None:
    """A batch that was accounted for and refused."""
    ledgers.receive(ledger, batch)
    keep(home, ledger, batch)
    ledger.refuse(batch, ["COURT_ORDER"], ["mou"])


def open_again(home: Home, newest: str | None = None, heads: tuple[Path, ...] = ()) -> bool:
    """Two operators open a restored home; whether its ledger is complete."""
    with opened(home) as ledger:
        private = [signatures.load(home.keys / name) for name in OPERATORS]
        signed = [opening.sign(home, ledger, key, heads, newest)[1] for key in private]
        return opening.open_again(home, ledger, heads, newest, {one.operator: one.signature for one in signed})
