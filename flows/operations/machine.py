"""What a run needs of this machine, for `sluicegate doctor`: Python, packages, tools, memory, an encrypted volume, a
Prefect server that answers."""

import json
import os
import re
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flows.operations.findings import Finding, need

_PACKAGES = ("apache-beam", "great-expectations", "prefect", "pyarrow", "duckdb", "sqlalchemy", "pyrage", "zipcodes")
_MEMORY_NEEDED = 2 * 1024**3
_SECONDS = 5  # for a server to answer


def machine() -> Iterator[Finding]:
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    yield need(sys.version_info >= (3, 11), python, "Install Python 3.11 or later.")
    for name in _PACKAGES:
        try:
            yield Finding("ok", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("fail", f"{name} is not installed", "Run make setup.")
    tools = {"ssh-keygen": "signs letters and decisions outside this program", "java": "Flink's job server"}
    for tool, why in tools.items():
        found = shutil.which(tool) is not None
        yield need(found, tool if found else f"{tool} is not installed: {why}", f"Install {tool} to use it.", "warn")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield need(memory >= _MEMORY_NEEDED, f"{memory / 1024**3:.1f} GiB of memory", "2 GiB is the least.", "warn")


def encryption(root: Path) -> Finding:
    """Working parts lie in the home tree as plaintext while a batch is in flight: its volume should be encrypted."""
    device = root.stat().st_dev
    mapper = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    if mapper.is_file() and mapper.read_text().startswith("CRYPT-"):
        return Finding("ok", "the home volume is encrypted (dm-crypt)")
    remedy = "Put SLUICEGATE_HOME on a dm-crypt volume, or make sure that the storage below encrypts."
    return Finding("warn", "the home volume is not known to be encrypted", remedy)


def prefect(url: str | None) -> Finding:
    """Whether the server answers, and is of our version. Its address may hold a password, and is not shown."""
    if url is None:
        return Finding("ok", "Prefect server: a temporary one for each run")
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=_SECONDS) as answer:
            answer.read(1)
    except (OSError, ValueError):
        remedy = "Start it, or set PREFECT_API_URL to one that runs."
        return Finding("fail", "Prefect server: it does not answer", remedy)
    theirs, ours = _version(url), version("prefect")
    if theirs not in (None, ours):
        return Finding("warn", f"Prefect server: {theirs}, and here is {ours}", "Run the same version on both.")
    return Finding("ok", "Prefect server: it answers")


def _version(url: str) -> str | None:
    """What the server says that it is; None if it does not say so to everybody."""
    try:
        with urllib.request.urlopen(f"{url}/admin/version", timeout=_SECONDS) as answer:
            said = json.load(answer)
    except (OSError, ValueError):
        return None
    return said if isinstance(said, str) and re.fullmatch(r"[0-9a-z.+]{1,40}", said) else None
