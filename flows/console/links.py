"""Where each page is: in a site of files, or at the console. Names of batches and checkpoints are ours, and safe in a
file's name and in a URL."""

from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar, Protocol
from urllib.parse import urlencode


def anchor(kind: str) -> str:
    """The name of the part of the first page where what waits of this kind stands."""
    return kind.replace(" ", "-")


class Links(Protocol):
    """What templates ask for. A batch that has no page has no link."""

    asks: ClassVar[bool]  # whether the first page is made anew for whoever asks for a part of it

    @property
    def queue(self) -> str: ...

    def waiting(self, kind: str) -> str:
        """What waits of this kind: a page of its own, or its part of the one page."""

    @property
    def results(self) -> str | None:
        """Great Expectations' own pages, where they are."""

    def static(self, name: str) -> str: ...

    def batch(self, batch: str) -> str | None: ...

    def checkpoint(self, batch: str, checkpoint: str) -> str | None: ...

    def page(self, batch: str, checkpoint: str, page: int) -> str | None:
        """A page of the rows that failed: at the console only."""

    def rows(self, batch: str, checkpoint: str) -> str:
        """The numbers of the rows that failed, as CSV."""

    def row(self, batch: str, number: int | None = None) -> str | None:
        """A row of a batch, or where one asks for a number: at the console only."""

    def decide(self, batch: str, what: str) -> str | None:
        """Where a decision is signed, or taken back: at the console only."""

    def halt(self, number: str = "") -> str | None:
        """Where releases are stopped, or let go on after the halt of this number: at the console only."""

    @property
    def instruments(self) -> str | None:
        """The list of instruments: at the console only, as all that follows from it."""

    def instrument(self, id: str, version: int | None = None) -> str | None: ...

    def compliance(self, order: str) -> str | None:
        """Where it is confirmed that an order is complied with."""

    @property
    def recalls(self) -> str | None:
        """All recall cases: at the console only."""

    def recall(self, case: str) -> str | None:
        """A recall case: at the console only."""

    def lookback(self, name: str) -> str | None:
        """What a lookback found: at the console only."""

    def open_recall(self, batch: str) -> str | None:
        """Where a case is opened on what a batch disclosed: at the console only."""

    def proposal(self, number: int | str) -> str | None:
        """A change that waits until two have signed it: at the console only, as the forms that propose one."""

    @property
    def operators(self) -> str | None:
        """The list of operators: at the console only."""

    def snooze(self, thing: str) -> str | None:
        """Where something that waits is set aside for a while: at the console only."""

    def call(self, thing: str) -> str | None:
        """Where others are asked to look at it: at the console only."""


@dataclass(frozen=True)
class SiteLinks:
    """From a page of files whose way up to the site's folder is `up`, "" or "../". `known`: the batches with pages."""

    asks: ClassVar[bool] = False
    known: Set[str]
    up: str = ""

    @property
    def queue(self) -> str:
        return f"{self.up}index.html"

    def waiting(self, kind: str) -> str:
        return f"#{anchor(kind)}"

    @property
    def results(self) -> str | None:
        return f"{self.up}gx/index.html"

    def static(self, name: str) -> str:
        return f"{self.up}{name}"

    def batch(self, batch: str) -> str | None:
        return f"{self.up}batches/{batch}.html" if batch in self.known else None

    def checkpoint(self, batch: str, checkpoint: str) -> str | None:
        return f"{self.up}batches/{batch}-{checkpoint}.html" if batch in self.known else None

    def page(self, batch: str, checkpoint: str, page: int) -> str | None:
        return None

    def rows(self, batch: str, checkpoint: str) -> str:
        return f"{self.up}batches/{batch}-{checkpoint}-rows.csv"

    def row(self, batch: str, number: int | None = None) -> str | None:
        return None

    def decide(self, batch: str, what: str) -> str | None:
        return None

    def halt(self, number: str = "") -> str | None:
        return None

    @property
    def instruments(self) -> str | None:
        return None

    def instrument(self, id: str, version: int | None = None) -> str | None:
        return None

    def compliance(self, order: str) -> str | None:
        return None

    @property
    def recalls(self) -> str | None:
        return None

    def recall(self, case: str) -> str | None:
        return None

    def lookback(self, name: str) -> str | None:
        return None

    def open_recall(self, batch: str) -> str | None:
        return None

    def proposal(self, number: int | str) -> str | None:
        return None

    @property
    def operators(self) -> str | None:
        return None

    def snooze(self, thing: str) -> str | None:
        return None

    def call(self, thing: str) -> str | None:
        return None


@dataclass(frozen=True)
class ServedLinks:
    """At the console, where every batch has pages."""

    asks: ClassVar[bool] = True
    queue: str = "/"
    results: str | None = None
    me: str = "/me"
    instruments: str | None = "/instruments"
    recalls: str | None = "/recalls"
    operators: str | None = "/operators"
    views: str = "/views"

    def waiting(self, kind: str) -> str:
        return f"/?{urlencode({'kind': kind})}"

    def static(self, name: str) -> str:
        return f"/static/{name}"

    def batch(self, batch: str) -> str | None:
        return f"/batches/{batch}"

    def checkpoint(self, batch: str, checkpoint: str) -> str | None:
        return f"/batches/{batch}/{checkpoint}"

    def page(self, batch: str, checkpoint: str, page: int) -> str | None:
        return f"/batches/{batch}/{checkpoint}?page={page}#rows"

    def rows(self, batch: str, checkpoint: str) -> str:
        return f"/batches/{batch}/{checkpoint}/rows.csv"

    def row(self, batch: str, number: int | None = None) -> str | None:
        return f"/batches/{batch}/rows" + ("" if number is None else f"/{number}")

    def decide(self, batch: str, what: str) -> str | None:
        return f"/batches/{batch}/decide/{what}"

    def halt(self, number: str = "") -> str | None:
        return f"/halts/{number}/resume" if number else "/halt"

    def instrument(self, id: str, version: int | None = None) -> str | None:
        return f"/instruments/{id}" + (f"?version={version}" if version else "")

    def compliance(self, order: str) -> str | None:
        return f"/instruments/{order}/compliance"

    def recall(self, case: str) -> str | None:
        return f"/recalls/{case}"

    def lookback(self, name: str) -> str | None:
        return f"/lookbacks/{name}"

    def open_recall(self, batch: str) -> str | None:
        return f"/batches/{batch}/recall"

    def proposal(self, number: int | str) -> str | None:
        return f"/proposals/{number}"

    def propose(self, change: str, name: str = "") -> str:
        """The form that proposes a change of an operator."""
        return f"/operators/propose/{change}" + (f"?{urlencode({'name': name})}" if name else "")

    def snooze(self, thing: str) -> str | None:
        return f"/snooze/{thing}"

    def call(self, thing: str) -> str | None:
        return f"/call/{thing}"
