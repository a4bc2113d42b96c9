"""The holder's keys: made once, known to the ledger by fingerprint, and never replaced silently.

With another key of the keyed hashes no earlier disclosure is recognised, and all of them would be made again; with
another signing key anybody could sign. So every run first proves that the keys here are those that the ledger knows.
"""

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from expectations.base import signatures
from expectations.base.digests import name_of_bytes
from expectations.base.errors import BadInput, SluicegateError, Usage
from expectations.base.hash_key import LENGTH, HashKey
from expectations.base.places import RESTORE, Place
from expectations.base.total import total
from flows.home import holder
from flows.home.tree import HASH_KEY, HOLDER_AGE, HOLDER_SIGNING, Home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.ledger.homes import KnownKey
from flows.ledger.signing import fingerprint
from pipelines import sealing
from pipelines.lake import durable

EVIDENCE = "evidence"  # the folder in keys/ with one key for each batch
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
_RENEW = f"{RESTORE[:-1]} but by two operators' signatures: sluicegate keys show."
_VAULT = "Put it back there, or see holder in sluicegate.toml: a backup does not have it."


@dataclass(frozen=True)
class Wrong:
    """A key that is not what the ledger knows. `code`: KEY_MISSING, KEY_OTHER, KEY_UNREADABLE or KEY_EXPOSED; `place`:
    where it lies, as it may be shown."""

    name: KeyName
    code: str
    what: str
    place: str

    @property
    def error(self) -> Usage:
        """What stops a run, with the way to restore it."""
        remedy = RESTORE if self.name is KeyName.HASH else _RENEW
        if not self.place.startswith("keys/"):
            remedy = _VAULT
        elif self.code == "KEY_EXPOSED":
            remedy = "chmod 600 it."
        return Usage(self.code, f"a key of the holder: {self.what}", where=self.place, remedy=remedy)


def shown(home: Home, name: KeyName) -> str:
    """Where a key lies, as people look for it: its file in `keys`, or the place that the configuration names."""
    if is_file(home, name):
        return f"keys/{FILES[name]}"
    return f"{FILES[name]} ({home.key(FILES[name]).shown})"


def is_file(home: Home, name: KeyName) -> bool:
    """Whether it is a file of the home, which the home makes and replaces itself."""
    return name is KeyName.EARLIER_SIGNING or home.key(FILES[name]) == Place.file(home.keys / FILES[name])


def of_place(name: KeyName, place: Place) -> str:
    """The fingerprint of the key in a place; raises SluicegateError if it is missing, exposed or unreadable."""
    if name is KeyName.HASH:
        return HashKey.at(place).fingerprint
    data = place.read_key()
    if name is KeyName.HOLDER_AGE:
        return name_of_bytes(sealing.parse_identity(data, place.name).recipient.encode())
    return fingerprint(signatures.public_line(signatures.parse(data, place.name)))


def hashed_with(home: Home, ledger: Ledger, batch: str) -> HashKey:
    """The key of the keyed hashes as it was when this batch was received; raises Usage if it cannot be read, or never
    was so."""
    key, then = home.hash_key, ledger.hashed_with(batch)
    return key.known_as(then) if then else key


def here(home: Home, renewed: KeyName | None = None) -> tuple[tuple[KeyName, str], ...]:
    """The keys that lie in the home, by fingerprint: each secret, and the public halves that still count.

    `renewed`: of this one, the new one that waits for signatures. Raises SluicegateError if one cannot be read.
    """
    found = [(n, of_place(n, new_place(home, n) if n is renewed else home.key(FILES[n]))) for n in OWN]
    now = dict(found)[KeyName.HOLDER_SIGNING]
    found += [(KeyName.EARLIER_SIGNING, one) for one in public_halves(home) if one != now]
    return tuple(sorted(found))


def new_place(home: Home, name: KeyName) -> Place:
    """Where the key lies that is to take the place of this one."""
    return Place.file(home.keys / f"{FILES[name]}{NEW}")


def public_halves(home: Home) -> list[str]:
    """The fingerprints of the public signing keys in the home; raises BadInput if their file cannot be read."""
    lines = signatures.public_lines(home.keys / FILES[KeyName.EARLIER_SIGNING])
    return list(dict.fromkeys(fingerprint(" ".join(line.split()[:2])) for line in lines))


def wrong(home: Home, known: tuple[KnownKey, ...], names: Collection[KeyName] = OWN) -> Iterator[Wrong]:
    """Every key here, of these, that is not what the ledger knows; nothing where it knows none."""
    said = {k.name: k.fingerprint for k in known if k.name in OWN}
    for name, fingerprint_known in said.items():
        if name not in names:
            continue
        place = shown(home, name)
        try:
            if of_place(name, home.key(FILES[name])) != fingerprint_known:
                what = f"it is another key than the ledger knows (event {known[0].seq})"
                yield Wrong(name, "KEY_OTHER", what, place)
        except SluicegateError as error:
            yield Wrong(name, error.code, error.message.replace("a key of the holder", "it", 1), place)
    yield from _wrong_halves(home, known, said)


def _wrong_halves(home: Home, known: tuple[KnownKey, ...], said: Mapping[KeyName, str]) -> Iterator[Wrong]:
    """What is wrong with the public halves of signing keys."""
    counting = {k.fingerprint for k in known if k.name in (KeyName.HOLDER_SIGNING, KeyName.EARLIER_SIGNING)}
    if not known:
        return
    name = KeyName.EARLIER_SIGNING
    place = shown(home, name)
    try:
        strangers = [one for one in public_halves(home) if one not in counting]
        if public_halves(home)[0] != said[KeyName.HOLDER_SIGNING]:
            yield Wrong(name, "KEY_OTHER", "its first line is not the present signing key", place)
    except BadInput as error:
        yield Wrong(name, "KEY_MISSING", error.message, place)
        return
    if strangers:
        yield Wrong(name, "KEY_OTHER", "it has public keys that no operator has signed for", place)


def prove(home: Home, ledger: Ledger, names: Collection[KeyName] = OWN) -> None:
    """Raises Usage unless the keys here are those that the ledger knows. A ledger that knows none is told them, if
    nothing rests on keys yet; otherwise an operator vouches for them first. `names`: those that are used, of which
    alone the private halves are read."""
    known = ledger.known_keys()
    if not known:
        if ledger.keys_in_use():
            what = "requests are claimed with the keys of this home, and no operator has vouched for the keys"
            raise Usage("KEYS_UNVOUCHED", what, where="keys/", remedy=VOUCH)
        ledger.record_keys(here(home))
        return
    for one in wrong(home, known, names):
        raise one.error


def make_missing(home: Home, ledger: Ledger) -> None:
    """Makes the keys that a new home lacks, and tells the ledger. Raises Usage, and makes none, where the ledger knows
    the keys already, or claims rest on them: then a missing one must be restored. A key that lies elsewhere is made
    there, by the holder."""
    missing = [name for name in OWN if is_file(home, name) and not os.path.lexists(home.keys / FILES[name])]
    known = ledger.known_keys()
    if known or ledger.keys_in_use():
        for name in missing:
            raise Wrong(name, "KEY_MISSING", "it is missing, and the ledger rests on it", shown(home, name)).error
    else:
        for name in missing:
            make(name, home.keys / FILES[name])
        _publish_first(home)
    (home.keys / EVIDENCE).mkdir(mode=0o700, exist_ok=True)
    prove(home, ledger)


def _publish_first(home: Home) -> None:
    """Writes the public half of a signing key that lies elsewhere, for those who verify."""
    public = home.keys / FILES[KeyName.EARLIER_SIGNING]
    if not public.exists():
        line = signatures.public_line(holder.signing_key(home))
        durable.write(public, f"{line} {HOLDER_SIGNING}\n".encode())


def made(name: KeyName) -> bytes:
    """A new key as a vault keeps it: text, the key of the hashes as hexadecimal digits. Nothing is written."""
    if name is KeyName.HASH:
        return secrets.token_hex(LENGTH).encode()
    return sealing.written(sealing.new_identity()) if name is KeyName.HOLDER_AGE else signatures.generated()


def make(name: KeyName, path: Path) -> None:
    """Writes a new key, durably (0600); the public half of a signing key beside it."""
    if name is KeyName.HASH:
        durable.write(path, secrets.token_bytes(LENGTH), mode=0o600)
    elif name is KeyName.HOLDER_AGE:
        sealing.save_identity(sealing.new_identity(), path)
    else:
        signatures.generate(path, HOLDER_SIGNING)
    durable.folder(path.parent)


def overwrite(path: Path) -> None:
    """Destroys a file that holds a secret: its bytes first, as far as the storage below allows it, then its name."""
    with path.open("r+b") as stream:
        stream.write(secrets.token_bytes(path.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
