"""A small vault, for tests: a store that a client program reads for whoever has its token, and that notes each read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.home import keys
from flows.ledger.database.models import KeyName

TOKEN = "t0ken-of-the-vault"
SETTINGS = {KeyName.HASH: "hash", KeyName.HOLDER_SIGNING: "signing", KeyName.HOLDER_AGE: "age"}
_CLIENT = """\
import os, pathlib, sys
here = pathlib.Path(__file__).parent
if os.environ.get("VAULT_TOKEN") != (here / "token").read_text() or not (here / "store" / sys.argv[1]).exists():
    sys.exit("permission denied: " + os.environ.get("VAULT_TOKEN", ""))
with (here / "reads").open("a") as reads:
    reads.write(sys.argv[1] + "\\n")
sys.stdout.write((here / "store" / sys.argv[1]).read_text())
"""


@dataclass(frozen=True)
class Vault:
    """`folder` has the client, the store and the list of reads."""

    folder: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """What a process needs to read the keys here: the client's token, and where each key lies."""
        found = {"VAULT_TOKEN": TOKEN}
        for name, setting in SETTINGS.items():
            words = f'["{sys.executable}", "{self.folder / "client.py"}", "{name}"]'
            found[f"SLUICEGATE_HOLDER__{setting.upper()}"] = f"{{ command = {words} }}"
        return found

    def key(self, name: KeyName) -> bytes:
        """What it keeps."""
        return (self.folder / "store" / name).read_bytes()

    def put(self, name: KeyName, key: bytes) -> None:
        (self.folder / "store" / name).write_bytes(key)

    @property
    def reads(self) -> list[str]:
        """The keys that were read, one after the other."""
        path = self.folder / "reads"
        return path.read_text().split() if path.exists() else []


def make(folder: Path) -> Vault:
    """A vault that has a new key for each of the holder's."""
    (folder / "store").mkdir(parents=True)
    (folder / "client.py").write_text(_CLIENT)
    (folder / "token").write_text(TOKEN)
    vault = Vault(folder)
    for name in SETTINGS:
        vault.put(name, keys.made(name))
    return vault
