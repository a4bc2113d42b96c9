"""Where packages are put for their recipients: a folder, or a prefix in an object store.

Both are used alike: a package is staged first, beside the others and out of sight; then, under the ledger's lock, one
act puts it into its place: a rename, or a conditional put of its manifest. What lies there under a batch's name decides
after a crash.
"""

from flows.outbox.at import outbox_at
from flows.outbox.contract import STAGING, Outbox, Staged, package_digest, taken

__all__ = ["STAGING", "Outbox", "Staged", "outbox_at", "package_digest", "taken"]
