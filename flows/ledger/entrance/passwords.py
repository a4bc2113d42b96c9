"""Passwords: long ones, of any characters; of each only the argon2 hash is kept.

A check takes a tenth of a second and 64 MiB on purpose, so that guessing does too: a few run at a time.
"""

import secrets
import threading
from functools import cache
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from expectations.base.errors import BadInput, Transient
from flows.ledger.entrance.leaked import is_common, is_leaked

LEAST, MOST = 15, 128  # characters
_AT_ONCE, _PATIENCE = threading.BoundedSemaphore(4), 10.0  # checks; seconds that another one waits
_FORBIDDEN = "sluicegate"


def refuse_weak(password: str, operator: str, known: Path | None = None) -> None:
    """Raises BadInput, without a word of it, for a password that is too short, too long or easily guessed. `known`:
    a file of leaked passwords (`leaked.is_leaked`); raises Usage if it is none."""
    if not LEAST <= len(password) <= MOST:
        what = f"a password has at least {LEAST} characters and at most {MOST}"
        raise BadInput("PASSWORD_LENGTH", what, remedy="Several words that are not a phrase do.")
    if any(word in password.casefold() for word in (_FORBIDDEN, operator.casefold())):
        what = "a password does not contain your name or that of this program"
        raise BadInput("PASSWORD_GUESSED", what, remedy="Choose another one.")
    if is_common(password) or (known and is_leaked(password, known)):
        what = "this password is known to those who guess: it stands in a list of leaked ones"
        raise BadInput("PASSWORD_LEAKED", what, remedy="Choose another one, and change it wherever else you use it.")


def hashed(password: str) -> str:
    """Its argon2 hash, as it is stored: of exactly what was sent."""
    with _Turn():
        return _hasher().hash(password)


def fits(password: str, stored: str | None) -> bool:
    """Whether it is the password that was stored. None takes as long as any, and is no password's hash."""
    with _Turn():
        try:
            same = _hasher().verify(password, stored or _nobodys())
        except UnknownHashError:
            return False
    return same and stored is not None


def renewed(password: str, stored: str) -> str | None:
    """The hash anew, of a password that fits one that was made with other parameters than today's; else None."""
    return hashed(password) if _hasher().current_hasher.check_needs_rehash(stored) else None


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
