"""Where each page is, in a site of files. Names of batches and checkpoints are ours, and safe in a file's name."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """From a page whose way up to the site's folder is `up`, "" or "../". `known`: the batches that have pages."""

    known: Set[str]
    up: str = ""

    @property
    def queue(self) -> str:
        return f"{self.up}index.html"

    @property
    def results(self) -> str:
        """Great Expectations' own pages."""
        return f"{self.up}gx/index.html"

    def static(self, name: str) -> str:
        return f"{self.up}{name}"

    def batch(self, batch: str) -> str | None:
        return f"{self.up}batches/{batch}.html" if batch in self.known else None

    def checkpoint(self, batch: str, checkpoint: str) -> str | None:
        return f"{self.up}batches/{batch}-{checkpoint}.html" if batch in self.known else None

    def rows(self, batch: str, checkpoint: str) -> str:
        """The numbers of the rows that failed, as CSV."""
        return f"{self.up}batches/{batch}-{checkpoint}-rows.csv"
