"""Tokens: random words that a browser or a link carries, and what is kept of them."""

import hashlib
import hmac
import re
import secrets

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


def new() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(32)


def kept(token: str) -> str | None:
    """What is stored of a token: its SHA-256; None if it does not look like one."""
    return hashlib.sha256(token.encode()).hexdigest() if _FORM.fullmatch(token) else None


def for_forms(token: str) -> str:
    """What each form of a session carries, so that no other site can have written it: only whoever has the token can
    work it out, and the token cannot be worked out from it."""
    return hmac.new(token.encode(), b"sluicegate-console-form", hashlib.sha256).hexdigest()


def same(given: str, expected: str) -> bool:
    """Compared in a time that tells nothing of where they differ."""
    return hmac.compare_digest(given.encode(), expected.encode())
