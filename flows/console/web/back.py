"""Pages of ours that one may be brought back to after signing in: no other site, whatever a link says."""

import re

_PAGES = re.compile(
    r"/(me|batches/[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[a-z]{1,16}(/rows\.csv|/[0-9]{1,15})?)?|views"
    r"|recalls(/c-[0-9a-f]{16}(/[a-z]{1,16}(/[0-9a-f]{64})?)?)?)?"
)


def ours(said: str) -> str:
    """The page that was asked for, or the first one."""
    return said if _PAGES.fullmatch(said) else "/"
