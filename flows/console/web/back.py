"""Pages of ours that one may be brought back to after signing in: no other site, whatever a link says."""

import re

_PATH = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){1,5}")
_DOOR = ("/sign-", "/invitation", "/static")


def back_to(said: str) -> str:
    """This path, if it is one of a page behind the door; else that of the first page."""
    return said if _PATH.fullmatch(said) and not said.startswith(_DOOR) else "/"
