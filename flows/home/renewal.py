"""Another key in the place of one of the holder's: made, signed for by two operators, told to the ledger, put there."""

from collections.abc import Mapping
from pathlib import Path

from expectations.base import signatures
from expectations.base.errors import Usage
from expectations.base.places import RESTORE
from flows.home import holder, keys
from flows.home.staging import LOCK
from flows.home.tree import HOLDER_SIGNING, Home, alone
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from pipelines import sealing
from pipelines.lake import durable


def renew(home: Home, ledger: Ledger, name: KeyName) -> Path:
    """Makes the key that is to take the place of this one, once two operators have signed; gives where it lies: in
    `keys`, also where the present one lies elsewhere.

    Raises Usage if this key has no successor: what batches asked for is hashed with it.
    """
    if name not in keys.OWN or (name is KeyName.HASH and ledger.hashes_in_use()):
        what = "this key has no successor: batches were taken in with it, or its signatures only count from before"
        raise Usage("KEY_IN_USE", what, where=keys.shown(home, name), remedy=RESTORE)
    path = home.keys / f"{keys.FILES[name]}{keys.NEW}"
    if not path.exists():
        keys.make(name, path)
    return path


def renewing(home: Home) -> KeyName | None:
    """The key for which a new one waits for signatures, if there is one; raises Usage if there are two."""
    waiting = [name for name in keys.OWN if (home.keys / f"{keys.FILES[name]}{keys.NEW}").exists()]
    if len(waiting) > 1:
        what = "new keys of two kinds wait for signatures"
        raise Usage("KEYS_RENEWED", what, where="keys/", remedy=f"Delete one of the files that end in {keys.NEW}.")
    return waiting[0] if waiting else None


def proposed(home: Home) -> tuple[tuple[KeyName, str], ...]:
    """The keys that operators sign for: those here, and of one that is renewed the new one."""
    name = renewing(home)
    found = list(keys.here(home, name))
    if name is KeyName.HOLDER_SIGNING and not (
        keys.is_file(home, name) and not (home.keys / keys.FILES[name]).exists()
    ):
        earlier = (KeyName.EARLIER_SIGNING, keys.of_place(name, home.key(keys.FILES[name])))
        found += [earlier] if earlier not in found and earlier[1] != dict(found)[name] else []
    return tuple(sorted(found))


def record(home: Home, ledger: Ledger, signed: Mapping[str, str]) -> bool:
    """Tells the ledger the keys that operators signed for, and puts a new one into its place; False if the ledger knew.
    Safe to repeat: a crash in between leaves the new key beside its place. Raises Usage (KEY_TO_STORE) where the key
    lies elsewhere, and whoever keeps that has not put the new one there."""
    told = ledger.record_keys(proposed(home), signed)
    if (name := renewing(home)) is not None:
        with alone(home, LOCK):  # else earlier keys might be destroyed between the two steps of putting another there
            _put(home, name)
    keys.prove(home, ledger)
    return told


def _put(home: Home, name: KeyName) -> None:
    path = home.keys / keys.FILES[name]
    new = path.with_name(path.name + keys.NEW)
    if name is KeyName.HOLDER_SIGNING:
        public = path.with_name(f"{path.name}.pub")
        fresh = signatures.public_line(signatures.load(new))
        lines = public.read_text().splitlines() if public.exists() else []
        kept = [line for line in lines if " ".join(line.split()[:2]) != fresh]
        durable.write(public, "\n".join([f"{fresh} {HOLDER_SIGNING}", *kept, ""]).encode())
        new.with_name(f"{new.name}.pub").unlink(missing_ok=True)
    if name is KeyName.HOLDER_AGE:
        holder.keep_earlier(home, sealing.load_identity(new))
    if keys.is_file(home, name):
        new.replace(path)
    else:
        _require_stored(home, name)
        keys.overwrite(new)
    durable.fsync(path.parent)


def _require_stored(home: Home, name: KeyName) -> None:
    if keys.of_place(name, home.key(keys.FILES[name])) != keys.of_place(name, keys.new_place(home, name)):
        what = f"the ledger knows the new key, and its place has the old one: {keys.shown(home, name)}"
        remedy = (
            f"Put {keys.FILES[name]}{keys.NEW} there, then run sluicegate keys record again, which deletes the file."
        )
        raise Usage("KEY_TO_STORE", what, where=f"keys/{keys.FILES[name]}{keys.NEW}", remedy=remedy)
