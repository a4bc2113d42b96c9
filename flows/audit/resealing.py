"""`sluicegate keys reseal`: what is sealed to the holder is sealed anew to the age key that the holder has now, so that
no earlier one is needed, and those are destroyed.

Of files whose digest the ledger knows, in this order, each step durable before the next: the new file waits beside the
old one (`flows.home.staging`); an event says which digest it has from then on; it takes the place of the old one. After
a crash `settling` goes on. All others are replaced at once: the ledger knows what they hold, or nothing of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from expectations.base.digests import file_matches, name_of_bytes, of_file
from expectations.base.errors import BadInput
from flows.audit import settling
from flows.audit.needed import Needs, needs, sealed_to_holder
from flows.audit.settling import Seals
from flows.cases import corrections, documents, lookbacks, places
from flows.evidence import anew, keys, notes
from flows.evidence.store import accounting_path, evidence_folder, evidence_list_path, stored_evidence
from flows.home import keys as home_keys
from flows.home import staging
from flows.home.tree import Home, alone, busy, if_free
from flows.ledger import Ledger
from flows.ledger.batches import BatchRecord
from flows.ledger.database.models import KeyName, SealKind
from flows.ledger.lifecycles.states import FINAL, State
from flows.ledger.seals import Change
from pipelines import sealing
from pipelines.lake import Progress, durable, workplace

_SETTLED = FINAL | {State.PREPARED}  # the files of other batches are sealed again when they go on
_CASES = "recall cases and notices of corrections"


@dataclass(frozen=True)
class Done:
    """What sealing anew came to. `files`: how many; `left`: batches, or places, that were left as they are: somebody
    was at work on them, or they are not what the ledger knows; `destroyed`: how many earlier keys."""

    files: int
    left: tuple[str, ...]
    needs: Needs
    destroyed: int


def reseal(
    home: Home, ledger: Ledger, operator: str, *, every: bool = False, progress: Progress = lambda *_: None
) -> Done:
    """Seals anew to the holder's present age key what that key alone does not open, or `every` file, evidence included,
    whose batches get fresh keys. Then destroys the earlier keys, if nothing needs them. Safe to repeat, and for several
    at once. Raises Usage if no role of `operator` allows it, or if the keys are not those that the ledger knows."""
    ledger.require_open()
    ledger.may_reseal(operator)
    work, records = _Work(home, ledger, operator, every), ledger.batches()
    with alone(home, staging.LOCK):
        keys.end_destroying(home)
        settling.everything(home, ledger)
    for number, record in enumerate(records):
        progress("reseal", number, len(records))
        work.batch(record)
    progress("reseal", len(records), len(records))
    work.cases()
    work.others()
    return work.end()


class _Work:
    """One such run."""

    def __init__(self, home: Home, ledger: Ledger, operator: str, every: bool) -> None:
        self.home, self.ledger, self.operator, self.every = home, ledger, operator, every
        self.own = keys.holder(home)
        self.files, self.left = 0, list[str]()

    def batch(self, record: BatchRecord) -> None:
        """What there is of a batch, in one event."""
        name = record.name
        with alone(self.home, staging.LOCK), if_free(self.home, name) as free:
            if not free:
                self.left.append(f"batch {name}")
                return
            self._begin()
            settling.batch(self.home, self.ledger, name)
            seals, settled = self.ledger.seals(name), record.state in _SETTLED
            changes = self._known(SealKind.ACCOUNTING, name, accounting_path(self.home, name), seals, settled)
            changes += self._evidence(name, seals)
            self._tell(changes, name)
            settling.batch(self.home, self.ledger, name)

    def cases(self) -> None:
        """What there is of recall cases and notices of corrections: an event for each."""
        with alone(self.home, staging.LOCK), if_free(self.home, places.LOCK) as free:
            if not free:
                self.left.append(_CASES)
                return
            self._begin()
            seals = self.ledger.seals()
            for path in sorted(self.home.root.glob("recalls/[!.]*/[!.]*.age")):
                self._case(SealKind.RECALL, path, documents.AFFECTED, seals)
            for path in sorted(self.home.root.glob("corrections/[!.]*/[!.]*.age")):
                self._case(SealKind.CORRECTION, path, corrections.LIST, seals)

    def others(self) -> None:
        """Notes that are on no batch, and the lists of lookbacks."""
        for path in sorted(self.home.root.glob("notes/[!.]*.age")):
            with alone(self.home, staging.LOCK):
                self._begin()
                self._replace(path)
        for path in lookbacks.lists(self.home):
            with alone(self.home, staging.LOCK):
                self._begin()
                settling.lookback(self.home, path)
                self._lookback(path)

    def end(self) -> Done:
        """Destroys the earlier keys, if nothing needs them; gives what came of all."""
        with alone(self.home, staging.LOCK):
            self._begin()
            found, destroyed = needs(self.home), 0
            if not (found.earlier or self.left or settling.everything(self.home, self.ledger) or self._at_work()):
                destroyed = keys.destroy_earlier(self.home)
        return Done(self.files, tuple(self.left), found, destroyed)

    def _begin(self) -> None:
        """Reads the holder's key: another may have taken its place since, and it must be the one the ledger knows."""
        home_keys.prove(self.home, self.ledger, (KeyName.HOLDER_AGE,))
        self.own = keys.holder(self.home)

    def _wanted(self, path: Path) -> bool:
        there = path.exists() and (self.every or not sealing.opens(path, self.own.alone))
        return there and sealing.opens(path, self.own)

    def _known(self, kind: SealKind, owner: str, path: Path, seals: Seals, settled: bool = True) -> list[Change]:
        """A file whose digest the ledger knows: it waits, sealed anew."""
        if not self._wanted(path):
            return []
        known = seals.get((kind, owner))
        if known is None or not file_matches(path, known):
            if known is None or not settled:  # it is recorded when its batch, or its case, goes on
                self._replace(path)
            else:
                self.left.append(f"{kind} of {owner}")
            return []
        new = staging.made(self.home, path)
        sealing.seal_anew(path, new, self.own, self.own)
        self.files += 1
        return [Change(kind, owner, known, of_file(new))]

    def _evidence(self, name: str, seals: Seals) -> list[Change]:
        home, key, listed = self.home, keys.place(self.home, name), evidence_list_path(self.home, name)
        if not key.exists():
            for path in evidence_folder(home).glob(f"{name}.*.age") if not listed.exists() else ():
                self._replace(path)
            return []
        if not self._wanted(key):
            return []
        if not listed.exists() and not self.ledger.shredding(name):  # a note was written on a batch under way
            half = anew.stage_key(home, name, self.own)
            keys.put(home, name)
            self.files += 1
            for path in notes.of_batch(home, name) if self.every else ():
                self._replace(path, half)
            return []
        stored, before = stored_evidence(home, name), seals.get((SealKind.EVIDENCE, name))
        whole = stored and file_matches(listed, before) and anew.unchanged(home, name, stored, files=self.every)
        if stored is None or before is None or not whole or self.ledger.shredding(name):
            self.left.append(f"{SealKind.EVIDENCE} of {name}")
            return []
        now = anew.stage(home, name, stored, self.own, fresh=self.every)
        self.files += 1 + self.every * len(stored.files)
        return [Change(SealKind.EVIDENCE, name, before, now)]

    def _case(self, kind: SealKind, path: Path, name: str, seals: Seals) -> None:
        if path.name != name:
            self._replace(path)
            return
        self._tell(self._known(kind, path.parent.name, path, seals))
        settling.cases(self.home, self.ledger.seals())

    def _lookback(self, path: Path) -> None:
        if not self._wanted(path):
            return
        if not file_matches(path, lookbacks.digest(path)):
            self._replace(path)
            return
        new = staging.made(self.home, path)
        sealing.seal_anew(path, new, self.own, self.own)
        staging.sync(self.home)
        lookbacks.now_digest(path, of_file(new))
        staging.put(self.home, path)
        self.files += 1

    def _replace(self, path: Path, key: sealing.Identity | None = None) -> None:
        """A file of which no digest is known: replaced whole, or not at all. `key`: of its batch, if not
        the holder's."""
        if key or self._wanted(path):
            try:
                with durable.whole(path) as new:
                    sealing.seal_anew(path, new, key or self.own, key or self.own)
                self.files += 1
            except BadInput:
                if path.exists():  # a note that nobody signed is deleted after a day
                    raise

    def _tell(self, changes: Sequence[Change], batch: str | None = None) -> None:
        if changes:
            staging.sync(self.home)
            self.ledger.reseal(self.operator, name_of_bytes(self.own.recipient.encode()), changes, batch)

    def _at_work(self) -> bool:
        """Whether somebody may be sealing something to an earlier key at this moment."""
        locked = [*(record.name for record in self.ledger.batches()), places.LOCK]
        folders: Collection[Path] = {path.parent for path in sealed_to_holder(self.home)}
        return any(busy(self.home, name) for name in locked) or any(workplace.occupied(folder) for folder in folders)
