"""Passwords: long ones, of any characters; of each only the argon2 hash is kept.

A check takes a tenth of a second and 64 MiB on purpose, so that guessing does too: a few run at a time.
"""

import secrets
import threading
import unicodedata
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from expectations.base.errors import BadInput, Transient

LEAST, MOST = 15, 128  # characters
_AT_ONCE, _PATIENCE = threading.BoundedSemaphore(4), 10.0  # checks; seconds that another one waits
_FORBIDDEN = "sluicegate"


def refuse_weak(password: str, operator: str) -> None:
    """Raises BadInput, without a word of it, for a password that is too short, too long or easily guessed."""
    said, least = unicodedata.normalize("NFKC", password), f"at least {LEAST} characters and at most {MOST}"
    if not LEAST <= len(said) <= MOST:
        raise BadInput("PASSWORD_LENGTH", f"a password has {least}", remedy="Several words that are not a phrase do.")
    if any(word in said.casefold() for word in (_FORBIDDEN, operator.casefold())):
        what = "a password does not contain your name or that of this program"
        raise BadInput("PASSWORD_GUESSED", what, remedy="Choose another one.")


def hashed(password: str) -> str:
    """Its argon2 hash, as it is stored."""
    with _Turn():
        return _hasher().hash(unicodedata.normalize("NFKC", password))


def fits(password: str, stored: str | None) -> bool:
    """Whether it is the password that was stored. None takes as long as any, and is no password's hash."""
    with _Turn():
        try:
            same = _hasher().verify(unicodedata.normalize("NFKC", password), stored or _nobodys())
        except UnknownHashError:
            return False
    return same and stored is not None


class _Turn:
    """One of the few checks that run at a time; raises Transient when none ends for too long."""

    def __enter__(self) -> None:
        if not _AT_ONCE.acquire(timeout=_PATIENCE):
            raise Transient("SIGN_IN_BUSY", "too many people sign in at once", remedy="Try again in a minute.")

    def __exit__(self, *_error: object) -> None:
        _AT_ONCE.release()


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has."""
    return _hasher().hash(secrets.token_urlsafe(32))
