"""The parts of a prepared register, proven by digest: every byte is read once in each run, by several threads.

Size and time of a file say nothing of what somebody wrote into it: both can be set back. Within one process a part is
not read again while its file looks the same in every way, the time of its last change included, which no program sets.
"""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from expectations.base import digests
from pipelines.lake.parts import Manifest, Part

_PROVEN: set[str] = set()  # what parts looked like when they were found right, in this process


def damaged(manifest: Manifest, proven: set[str] | None = None) -> list[str]:
    """Every part that is missing or is not the one that the manifest names, in words.

    `proven`: what was found right before, by its look; this process's own if left out.
    """
    known = _PROVEN if proven is None else proven
    seen = [(part, _look(part)) for part in manifest.parts]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:  # hashing leaves the interpreter free
        right = list(pool.map(lambda one: one[1] in known or _is_right(*one), seen))
    known.update(look for (_, look), good in zip(seen, right, strict=True) if good and look is not None)
    return [
        f"part {part.index} of {part.dataset} {'is missing' if look is None else 'was changed'}"
        for (part, look), good in zip(seen, right, strict=True)
        if not good
    ]


def _is_right(part: Part, look: str | None) -> bool:
    """Whether the file has the part's digest, and nobody changed it while it was read."""
    try:
        return look is not None and digests.file_matches(Path(part.path), part.digest) and _look(part) == look
    except OSError:
        return False


def _look(part: Part) -> str | None:
    """The digest that a part must have, and all that can be seen of its file unread; None: it is no file."""
    try:
        found = Path(part.path).lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    seen = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return f"{part.digest} {' '.join(map(str, seen))}"
