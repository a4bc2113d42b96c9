"""Word to people where no server sends it: through Apprise (e-mail, Slack, webhooks …), and a ping after each night, so
that its absence is an alarm. Ids, counts and codes only; addresses may hold secrets, and are never shown."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from expectations.base.errors import Transient, Usage
from flows.home.secret import Secret
from flows.home.tree import Home
from pipelines.release.opened import BATCH

if TYPE_CHECKING:
    from apprise import Apprise

CALLED = "an operator asks others to look"
_LOOK = "See sluicegate status."
_SECONDS = 20
_REMEDY = "See [notify] in sluicegate.toml, and infra/docs/operations.md."


def send(home: Home, title: str, lines: list[str]) -> None:
    """Tells all who are named in `[notify] urls`. Raises Usage if one of them is no address that Apprise knows,
    Transient if one did not take it."""
    if not home.config.notify.urls:
        return
    import apprise  # late: half a second, and most runs tell nobody

    client = _client(home)
    with _quiet():
        if not client.notify(title=title, body="\n".join(lines) or title, body_format=apprise.NotifyFormat.TEXT):
            raise Transient("NOT_NOTIFIED", "a notification was not taken", where="notify.urls", remedy=_REMEDY)


def lines(home: Home, of: str) -> list[str]:
    """What stands below a sentence: the name, of a batch its page in the console too, and where to look further."""
    page = home.config.console.page_of(of) if BATCH.match(of) else ""
    return [line for line in (of, page, _LOOK) if line and line != "None"]


def ping(home: Home) -> None:
    """Calls `[notify] ping`, once a night has run to its end. Raises Transient if nobody answers."""
    if home.config.notify.ping is None:
        return
    try:
        with urllib.request.urlopen(_ping_url(home.config.notify.ping), timeout=_SECONDS) as answer:
            answer.read(1)
    except (OSError, ValueError):
        raise Transient(
            "NO_PING", "the address of the ping did not answer", where="notify.ping", remedy=_REMEDY
        ) from None


def addresses(home: Home) -> int:
    """How many addresses get word; nobody is told. Raises Usage as `send` does."""
    return len(_client(home)) if home.config.notify.urls else 0


def pings(home: Home) -> bool:
    """Whether an address is called after each night; it is not called. Raises Usage if it is none."""
    return home.config.notify.ping is not None and bool(_ping_url(home.config.notify.ping))


def _client(home: Home) -> Apprise:
    from apprise import Apprise

    urls = [url for one in home.config.notify.urls for url in one.read("notify.urls").split()]
    client = Apprise()
    with _quiet():
        if not all(client.add(url) for url in urls):
            raise Usage("NOTIFY_URL", "an address is none that Apprise knows", where="notify.urls", remedy=_REMEDY)
    return client


def _ping_url(said: Secret) -> str:
    url = said.read("notify.ping")
    if not url.startswith(("http://", "https://")):
        raise Usage("PING_URL", "the address is no http or https URL", where="notify.ping", remedy=_REMEDY)
    return url


@contextmanager
def _quiet() -> Iterator[None]:
    """Apprise logs addresses, with what is secret in them."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
