"""Another key in the place of one of the holder's: made, signed for by two operators, told to the ledger, put there."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.errors import SluicegateError, Usage
from expectations.base.hash_key import LENGTH, PLAIN, HashKey, written
from expectations.base.keyed import Generation
from expectations.base.places import Place
from flows.home import holder, keys
from flows.home.staging import LOCK
from flows.home.tree import HOLDER_SIGNING, Home, alone
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from pipelines import sealing
from pipelines.lake import durable


def renew(home: Home, ledger: Ledger, name: KeyName, algorithm: Scheme | None = None) -> Path:
    """Makes the key that is to take the place of this one, once two operators have signed; gives where it lies: in
    `keys`, also where the present one lies elsewhere.

    The key of the keyed hashes gets one more generation, of this algorithm, or of the present one if it is left out.
    Raises Usage if this key has no successor, or no algorithm; or if batches were taken in with the key of the keyed
    hashes, and it cannot be read: without it, nothing that was hashed would be recognised.
    """
    if name not in keys.OWN:
        what = "this key has no successor: its signatures only count from before"
        raise Usage("NO_SUCH_KEY", what, where=keys.shown(home, name), remedy=f"One of: {', '.join(keys.OWN)}.")
    if algorithm and name is not KeyName.HASH:
        what = "only the key of the keyed hashes has an algorithm of its own"
        raise Usage("NO_ALGORITHM", what, where=keys.shown(home, name), remedy="Leave --algorithm out.")
    path = home.keys / f"{keys.FILES[name]}{keys.NEW}"
    if name is KeyName.HASH:
        _make_hash(home, ledger, path, algorithm)
    elif not path.exists():
        keys.make(name, path)
    return path


def _make_hash(home: Home, ledger: Ledger, path: Path, algorithm: Scheme | None) -> None:
    """Writes the key of the keyed hashes with one more generation; where nothing is hashed with it, with that alone."""
    before = home.hash_key.generations() if ledger.hashes_in_use() else ()
    scheme = algorithm or (before[-1].scheme if before else PLAIN)
    if not path.exists():
        new = Generation(scheme, secrets.token_bytes(LENGTH))
        durable.write(path, written((*before, new)), mode=0o600)
        durable.folder(path.parent)
    elif algorithm and HashKey.at(Place.file(path)).schemes[-1] is not algorithm:
        what = "a new key of another algorithm waits for signatures"
        raise Usage("KEYS_RENEWED", what, where=f"keys/{path.name}", remedy="Delete this file, and begin again.")


def algorithms_of(home: Home, name: KeyName) -> list[str]:
    """The algorithm of each generation that a key here has, the oldest first; none of a key that has one form only."""
    return [scheme.value for scheme in home.hash_key.schemes] if name is KeyName.HASH else []


def successor(home: Home) -> Generation | None:
    """The generation that a new key of the keyed hashes has more than the present one, if one waits for signatures."""
    if renewing(home) is not KeyName.HASH:
        return None
    new = HashKey.at(keys.new_place(home, KeyName.HASH)).generations()
    try:
        now = home.hash_key.generations()
    except SluicegateError:
        return None
    return new[-1] if new[:-1] == now else None


def message(home: Home, ledger: Ledger) -> bytes:
    """What operators sign to say that the home has the keys that lie in it now, or the new one in place of one."""
    new = successor(home)
    return ledger.keys_message(proposed(home), new.scheme if new else None)


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
    with alone(home, LOCK):  # else a backup might have the ledger of after and the key of before
        told = ledger.record_keys(proposed(home), signed, successor(home))
        if (name := renewing(home)) is not None:
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
