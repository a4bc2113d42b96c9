"""The holder's keys: made once, known to the ledger by fingerprint, and never replaced silently.

With another key of the keyed hashes no earlier disclosure is recognised, and all of them would be made again; with
another signing key anybody could sign. So every run first proves that the keys here are those that the ledger knows.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from expectations.base import signatures
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput, SluicegateError, Usage
from expectations.base.hash_key import HashKey
from expectations.base.total import total
from flows.home.tree import HASH_KEY, HOLDER_AGE, HOLDER_SIGNING, Home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.ledger.homes import KnownKey
from flows.ledger.signing import fingerprint
from pipelines import sealing
from pipelines.lake import durable

NEW = ".new"  # ends the name of a key that two operators have not signed for yet
# The file in keys/ of each key; that of earlier signing keys holds public halves, one a line, the present one first.
FILES: Mapping[KeyName, str] = total(
    KeyName,
    {
        KeyName.HASH: HASH_KEY,
        KeyName.HOLDER_SIGNING: HOLDER_SIGNING,
        KeyName.EARLIER_SIGNING: f"{HOLDER_SIGNING}.pub",
        KeyName.HOLDER_AGE: HOLDER_AGE,
    },
)
OWN = (KeyName.HASH, KeyName.HOLDER_SIGNING, KeyName.HOLDER_AGE)  # each has a secret of its own
VOUCH = "After this upgrade, once: sluicegate keys sign --key KEY, then sluicegate keys record --signature FILE."
_RESTORE = "Restore it from a backup: no other key can take its place."
_RENEW = f"{_RESTORE[:-1]} but by two operators' signatures: sluicegate keys show."


@dataclass(frozen=True)
class Wrong:
    """A key that is not what the ledger knows. `code`: KEY_MISSING, KEY_OTHER, KEY_UNREADABLE or KEY_EXPOSED."""

    name: KeyName
    code: str
    what: str

    @property
    def error(self) -> Usage:
        """What stops a run, with the way to restore it."""
        remedy = "chmod 600 it." if self.code == "KEY_EXPOSED" else _RESTORE if self.name is KeyName.HASH else _RENEW
        return Usage(self.code, f"a key of the holder: {self.what}", where=f"keys/{FILES[self.name]}", remedy=remedy)


def of_file(name: KeyName, path: Path) -> str:
    """The fingerprint of the key in a file; raises SluicegateError if it is missing, exposed or unreadable."""
    if name is KeyName.HASH:
        return HashKey.at(path).fingerprint
    if not path.is_file():
        raise Usage("KEY_MISSING", "it is missing", where=path.name, remedy=_RESTORE)
    if path.stat().st_mode & 0o077:
        raise Usage("KEY_EXPOSED", "it can be read by others", where=path.name, remedy="chmod 600 it.")
    if name is KeyName.HOLDER_AGE:
        return of_bytes(sealing.load_identity(path).recipient.encode())
    return fingerprint(signatures.public_line(signatures.load(path)))


def here(home: Home, renewed: KeyName | None = None) -> tuple[tuple[KeyName, str], ...]:
    """The keys that lie in the home, by fingerprint: each secret, and the public halves that still count.

    `renewed`: of this one, the new one that waits for signatures. Raises SluicegateError if one cannot be read.
    """
    found = [(n, of_file(n, home.keys / f"{FILES[n]}{NEW if n is renewed else ''}")) for n in OWN]
    now = dict(found)[KeyName.HOLDER_SIGNING]
    found += [(KeyName.EARLIER_SIGNING, one) for one in public_halves(home) if one != now]
    return tuple(sorted(found))


def public_halves(home: Home) -> list[str]:
    """The fingerprints of the public signing keys in the home; raises BadInput if their file cannot be read."""
    lines = signatures.public_lines(home.keys / FILES[KeyName.EARLIER_SIGNING])
    return list(dict.fromkeys(fingerprint(" ".join(line.split()[:2])) for line in lines))


def wrong(home: Home, known: tuple[KnownKey, ...]) -> Iterator[Wrong]:
    """Every key here that is not what the ledger knows; nothing where it knows none."""
    said = {k.name: k.fingerprint for k in known if k.name in OWN}
    for name, fingerprint_known in said.items():
        try:
            if of_file(name, home.keys / FILES[name]) != fingerprint_known:
                yield Wrong(name, "KEY_OTHER", f"it is another key than the ledger knows (event {known[0].seq})")
        except SluicegateError as error:
            yield Wrong(name, error.code, error.message)
        except OSError as error:
            yield Wrong(name, "KEY_UNREADABLE", f"it cannot be read ({type(error).__name__})")
    counting = {k.fingerprint for k in known if k.name in (KeyName.HOLDER_SIGNING, KeyName.EARLIER_SIGNING)}
    if not known:
        return
    try:
        strangers = [one for one in public_halves(home) if one not in counting]
        if public_halves(home)[0] != said[KeyName.HOLDER_SIGNING]:
            yield Wrong(KeyName.EARLIER_SIGNING, "KEY_OTHER", "its first line is not the present signing key")
    except BadInput as error:
        yield Wrong(KeyName.EARLIER_SIGNING, "KEY_MISSING", error.message)
        return
    if strangers:
        yield Wrong(KeyName.EARLIER_SIGNING, "KEY_OTHER", "it has public keys that no operator has signed for")


def prove(home: Home, ledger: Ledger) -> None:
    """Raises Usage unless the keys here are those that the ledger knows. A ledger that knows none is told them, if
    nothing rests on keys yet; otherwise an operator vouches for them first."""
    known = ledger.known_keys()
    if not known:
        if ledger.keys_in_use():
            what = "requests are claimed with the keys of this home, and no operator has vouched for the keys"
            raise Usage("KEYS_UNVOUCHED", what, where="keys/", remedy=VOUCH)
        ledger.record_keys(here(home))
        return
    for one in wrong(home, known):
        raise one.error


def make_missing(home: Home, ledger: Ledger) -> None:
    """Makes the keys that a new home lacks, and tells the ledger. Raises Usage, and makes none, where the ledger knows
    the keys already, or claims rest on them: then a missing one must be restored."""
    missing = [name for name in OWN if not os.path.lexists(home.keys / FILES[name])]
    known = ledger.known_keys()
    if known or ledger.keys_in_use():
        for name in missing:
            raise Wrong(name, "KEY_MISSING", "it is missing, and the ledger rests on it").error
    else:
        for name in missing:
            make(name, home.keys / FILES[name])
    prove(home, ledger)


def make(name: KeyName, path: Path) -> None:
    """Writes a new key, durably (0600); the public half of a signing key beside it."""
    if name is KeyName.HASH:
        durable.write(path, secrets.token_bytes(32), mode=0o600)
    elif name is KeyName.HOLDER_AGE:
        sealing.save_identity(sealing.new_identity(), path)
    else:
        signatures.generate(path, HOLDER_SIGNING)
    durable.folder(path.parent)


def renew(home: Home, ledger: Ledger, name: KeyName) -> Path:
    """Makes the key that is to take the place of this one, once two operators have signed; gives where it lies.

    Raises Usage if this key has no successor: what batches asked for is hashed with it.
    """
    if name not in OWN or (name is KeyName.HASH and ledger.hashes_in_use()):
        what = "this key has no successor: batches were taken in with it, or its signatures only count from before"
        raise Usage("KEY_IN_USE", what, where=f"keys/{FILES[name]}", remedy=_RESTORE)
    path = home.keys / f"{FILES[name]}{NEW}"
    if not path.exists():
        make(name, path)
    return path


def renewing(home: Home) -> KeyName | None:
    """The key for which a new one waits for signatures, if there is one; raises Usage if there are two."""
    waiting = [name for name in OWN if (home.keys / f"{FILES[name]}{NEW}").exists()]
    if len(waiting) > 1:
        what = "new keys of two kinds wait for signatures"
        raise Usage("KEYS_RENEWED", what, where="keys/", remedy=f"Delete one of the files that end in {NEW}.")
    return waiting[0] if waiting else None


def proposed(home: Home) -> tuple[tuple[KeyName, str], ...]:
    """The keys that operators sign for: those here, and of one that is renewed the new one."""
    name = renewing(home)
    found = list(here(home, name))
    if name is KeyName.HOLDER_SIGNING and (old := home.keys / FILES[name]).exists():
        earlier = (KeyName.EARLIER_SIGNING, of_file(name, old))
        found += [earlier] if earlier not in found else []
    return tuple(sorted(found))


def record(home: Home, ledger: Ledger, signed: Mapping[str, str]) -> bool:
    """Tells the ledger the keys that operators signed for, and puts a new one into its place; False if the ledger knew.
    Safe to repeat: a crash in between leaves the new key beside its place."""
    told = ledger.record_keys(proposed(home), signed)
    if (name := renewing(home)) is not None:
        _put(home, name)
    prove(home, ledger)
    return told


def _put(home: Home, name: KeyName) -> None:
    path = home.keys / FILES[name]
    new = path.with_name(path.name + NEW)
    if name is KeyName.HOLDER_SIGNING:
        public = path.with_name(f"{path.name}.pub")
        fresh = signatures.public_line(signatures.load(new))
        lines = public.read_text().splitlines() if public.exists() else []
        kept = [line for line in lines if " ".join(line.split()[:2]) != fresh]
        durable.write(public, "\n".join([f"{fresh} {HOLDER_SIGNING}", *kept, ""]).encode())
        new.with_name(f"{new.name}.pub").unlink(missing_ok=True)
    new.replace(path)
    durable.fsync(path.parent)
