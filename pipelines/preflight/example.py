"""The example of a submission that is installed with the package: invented, signed with a key that nobody has any more.

`example/` holds what a requester begins with (a table, and the facts of a letter) and what becomes of it (letter and
signature), with the public key that proves the signature. It is to be read: its letter is too old to be sent.
"""

import os
from importlib.resources import files
from pathlib import Path

from expectations.base.errors import Usage
from pipelines.ingest.submission import LETTER, SIGNATURE
from pipelines.lake import durable
from pipelines.lake.workplace import locked_folder

TABLE, FACTS, SIGNATORY, SAMPLE = "requests.csv", "facts.toml", "signatory.pub", "sample"


def write(out: Path) -> None:
    """Writes `requests.csv` and `facts.toml`, which `pack` takes, and the finished `sample/` with `signatory.pub`, into
    the new folder `out`, whole or not at all. Raises Usage if something stands there."""
    if os.path.lexists(out):
        raise Usage("FOLDER_EXISTS", "something stands where the example goes", remedy="Name a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked_folder(out.parent, ".example-") as work:
        folder = work / "example"
        (folder / SAMPLE).mkdir(parents=True, mode=0o700)
        for name in (TABLE, FACTS, SIGNATORY):
            durable.write(folder / name, body(name))
        for name in (TABLE, LETTER, SIGNATURE):
            durable.write(folder / SAMPLE / name, body(name))
        folder.rename(out)


def body(name: str) -> bytes:
    """A file of the example as it is installed."""
    return files("pipelines.preflight").joinpath("example", name).read_bytes()
