"""Where packages are put for their recipients: a folder, or a prefix in an object store. Both are used alike: a package
is staged first, beside the others and out of sight; then, under the ledger's lock, one act puts it into its place: a
rename, or a conditional put of its manifest. What lies there under a batch's name decides after a crash."""

from pathlib import Path
from urllib.parse import urlsplit

from expectations.base.errors import Usage
from flows.outbox.contract import STAGING, Outbox, package_digest, taken
from flows.outbox.folder import Folder

__all__ = ["STAGING", "Outbox", "outbox_at", "package_digest", "taken"]


def outbox_at(where: Outbox | Path | str) -> Outbox:
    """The outbox at a folder or URL (`s3://BUCKET/PREFIX`, `gs://…`, `az://…`, `file://…`); raises Usage for another
    URL. An object store's keys come from the environment, as its own tools read them."""
    if isinstance(where, Path):
        return Folder(where)
    if not isinstance(where, str):
        return where
    parts = urlsplit(where)
    if "@" in parts.netloc or parts.query or parts.fragment:
        remedy = "Keys and settings of an object store go into the environment."
        raise Usage("OUTBOX_URL", "the outbox's URL holds more than a place", where="outbox", remedy=remedy)
    if parts.scheme == "file" and not parts.netloc:
        return Folder(Path(parts.path))
    from flows.outbox.object_store import SCHEMES, ObjectStore

    if parts.scheme not in SCHEMES or not parts.netloc:
        remedy = f"Write a folder, or {', '.join(f'{s}://BUCKET/PREFIX' for s in SCHEMES)}."
        raise Usage("OUTBOX_URL", "the outbox's URL names no place that is supported", where="outbox", remedy=remedy)
    return ObjectStore(where)
