"""What the routes of one console share."""

from dataclasses import dataclass, field
from datetime import timedelta

from expectations.base.clock import Clock
from flows.console.oidc import Begins, Provider
from flows.console.web.downloads import Downloads
from flows.console.web.fresh import Fresh
from flows.console.web.once import Once
from flows.console.web.place import Place
from flows.console.web.rate import Rate
from flows.console.web.watch import Watch
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.entrance import Entrance, Limits
from flows.ledger.roles import Role

COME_BACK = "/sign-in/oidc/back"  # where a provider sends browsers: registered there, letter by letter
WAITS = 60  # seconds that a form waits for the ledger
_LOOK = 1800.0  # seconds in which a form that asks for values may be read and sent


@dataclass(frozen=True)
class Console:
    """A home, its open ledger, and its door. `addresses`, `accounts`: how often one may try to come in; `readers`: how
    often an operator may ask for a page; `downloads`: files that are sent now; `fresh`: what was made a moment ago;
    `asked`: what keys were asked for to come in; `looks`: forms that ask for values; `provider`: with which one may
    sign in, and `begun`: who is there; `watch`: what the log counts."""

    home: Home
    ledger: Ledger
    place: Place
    entrance: Entrance
    readers: Rate
    addresses: Rate = field(default_factory=lambda: Rate(20, 3))
    accounts: Rate = field(default_factory=lambda: Rate(10, 30))
    fresh: Fresh = field(default_factory=Fresh)
    asked: Once = field(default_factory=Once)
    provider: Provider | None = None
    begun: Begins = field(default_factory=Begins)
    downloads: Downloads = field(default_factory=Downloads)
    watch: Watch = field(default_factory=Watch)
    looks: Once = field(default_factory=lambda: Once(seconds=_LOOK))

    @classmethod
    def of(cls, home: Home, place: Place, clock: Clock | None = None) -> "Console":
        """Opens the ledger. Raises Usage where the home was restored and nobody has opened it: what is seen here is
        written to the chain, over whose newest event its operators sign."""
        said, ledger = home.config.console, Ledger.open(home.ledger_url, clock or home.clock(), WAITS)
        ledger.require_open()
        skew, idle, whole = ledger.clock.skew, timedelta(minutes=said.idle_minutes), timedelta(hours=said.hours)
        known = home.root / said.leaked_passwords if said.leaked_passwords else None
        entrance = Entrance(ledger, Limits(idle, whole, skew, said.sessions), known=known)
        entrance.ready()
        provider, often = Provider.of(said.oidc, f"{place.origin}{COME_BACK}"), said.pages_a_minute
        return cls(home, ledger, place, entrance, Rate(often, 60 / often), provider=provider)

    def roles(self, operator: str) -> tuple[Role, ...]:
        """The roles that an operator has now; none of one who was revoked."""
        known = {one.name: one.roles for one in self.ledger.operators() if one.revoked_at is None}
        return known.get(operator, ())
