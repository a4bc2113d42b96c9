"""Where each page is: in a site of files, or at the console. Names of batches and checkpoints are ours, and safe in a
file's name and in a URL."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol


class Links(Protocol):
    """What templates ask for. A batch that has no page has no link."""

    @property
    def queue(self) -> str: ...

    @property
    def results(self) -> str | None:
        """Great Expectations' own pages, where they are."""

    def static(self, name: str) -> str: ...

    def batch(self, batch: str) -> str | None: ...

    def checkpoint(self, batch: str, checkpoint: str) -> str | None: ...

    def rows(self, batch: str, checkpoint: str) -> str:
        """The numbers of the rows that failed, as CSV."""


@dataclass(frozen=True)
class SiteLinks:
    """From a page of files whose way up to the site's folder is `up`, "" or "../". `known`: the batches with pages."""

    known: Set[str]
    up: str = ""

    @property
    def queue(self) -> str:
        return f"{self.up}index.html"

    @property
    def results(self) -> str | None:
        return f"{self.up}gx/index.html"

    def static(self, name: str) -> str:
        return f"{self.up}{name}"

    def batch(self, batch: str) -> str | None:
        return f"{self.up}batches/{batch}.html" if batch in self.known else None

    def checkpoint(self, batch: str, checkpoint: str) -> str | None:
        return f"{self.up}batches/{batch}-{checkpoint}.html" if batch in self.known else None

    def rows(self, batch: str, checkpoint: str) -> str:
        return f"{self.up}batches/{batch}-{checkpoint}-rows.csv"


@dataclass(frozen=True)
class ServedLinks:
    """At the console, where every batch has pages."""

    queue: str = "/"
    results: str | None = None
    me: str = "/me"

    def static(self, name: str) -> str:
        return f"/static/{name}"

    def batch(self, batch: str) -> str | None:
        return f"/batches/{batch}"

    def checkpoint(self, batch: str, checkpoint: str) -> str | None:
        return f"/batches/{batch}/{checkpoint}"

    def rows(self, batch: str, checkpoint: str) -> str:
        return f"/batches/{batch}/{checkpoint}/rows.csv"
