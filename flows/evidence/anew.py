"""The key of a batch's evidence, sealed anew to the holder's present age key; or all of the evidence, under a fresh key
of the batch. The files wait (`flows.home.staging`) until the ledger knows the digest of the new list of them."""

import json
from pathlib import Path

from expectations.base import algorithms
from expectations.base.digests import canonical_json, file_matches, of_bytes, of_file
from expectations.base.errors import Fault
from flows.evidence import keys, notes
from flows.evidence.store import StoredEvidence, evidence_folder, evidence_list_path
from flows.home import staging
from flows.home.tree import Home
from pipelines import sealing
from pipelines.lake import durable


def stage_key(home: Home, batch: str, own: sealing.Identity, key: sealing.Identity | None = None) -> sealing.Identity:
    """Has the private half of the batch's key wait, sealed to the present key of `own`; gives it. `key`: another."""
    place = keys.place(home, batch)
    half = key or sealing.open_secret(place, own)
    new = staging.made(home, place)
    durable.write(new, sealing.seal_secret(half, own.recipient), mode=0o600)
    if sealing.open_secret(new, own.alone).secret != half.secret:
        raise Fault("SEALING_FAILED", "a key that was sealed anew is another one", where=place.name)
    return half


def stage(home: Home, batch: str, stored: StoredEvidence, own: sealing.Identity, *, fresh: bool) -> str:
    """Has the private half of the batch's key wait, and the list of its evidence that has its new digest; with `fresh`
    all of the evidence as well, and the notes on the batch, under a new key. Gives the digest of the list."""
    files, key = dict(stored.files), stage_key(home, batch, own, sealing.new_identity() if fresh else None)
    if fresh:
        before = sealing.open_secret(keys.place(home, batch), own)
        for path in (*(evidence_folder(home) / name for name in files), *notes.of_batch(home, batch)):
            new = staging.made(home, path)
            sealing.seal_anew(path, new, before, key)
            files |= {path.name: of_file(new)} if path.name in files else {}
    listed = evidence_list_path(home, batch)
    said, place = json.loads(listed.read_bytes()), staging.waiting(home, keys.place(home, batch))
    scheme = algorithms.in_force() if fresh else algorithms.named(said["key"])[0]  # one for all that the list has
    half = {"recipient": key.recipient, scheme.value: of_file(place, scheme)}
    text = canonical_json(said | {"key": half, "files": files})
    durable.write(staging.made(home, listed), text)
    return of_bytes(text)


def unchanged(home: Home, batch: str, stored: StoredEvidence, *, files: bool) -> bool:
    """Whether the key, and with `files` the evidence, are those of the list: nothing else is sealed anew."""
    listed: dict[Path, str] = {keys.place(home, batch): stored.key}
    listed |= {evidence_folder(home) / name: digest for name, digest in stored.files.items()} if files else {}
    return all(path.exists() and file_matches(path, digest) for path, digest in listed.items())
