"""The door of the console: one function for each way in."""

from expectations.base import signatures
from expectations.base.digests import canonical_json
from expectations.base.errors import BadInput
from flows.ledger import facts, passkeys
from flows.ledger.core import home_id
from flows.ledger.entrance import accounts, leaked, passwords, sessions
from flows.ledger.entrance.binding import Binding
from flows.ledger.entrance.door import Entered, From, is_active
from flows.ledger.entrance.models import NOBODY
from flows.ledger.entrance.staying import Staying
from flows.ledger.facts import Failure, Way
from flows.ledger.roles import Act
from flows.ledger.signing import signing_operator


class Entrance(Binding, Staying):
    """Who comes in. One factor alone opens nothing but the way to show a key; a passkey, which knows its user, is two
    factors in one."""

    def ready(self) -> None:
        """Makes what the first sign-in would otherwise wait for: then no name takes longer than another. Raises
        Usage if the file of leaked passwords is none."""
        passwords.fits("", None)
        if self._known:
            leaked.is_leaked("", self._known)

    def by_password(self, name: str, password: str, at: From | None = None) -> str | None:
        """The token of a new session, for a name and its password, which opens nothing until a key is shown (`prove`);
        None for any other. Raises Transient if the database is busy."""
        at = at or From()
        with self._ledger.reading() as session:
            known = facts.NAME.match(name) is not None and is_active(session, name)
            account = name if known and accounts.password(session, name) else NOBODY
        with self._ledger.beside() as session:
            trying = accounts.begin(session, account, at.source, self._now())
        good = passwords.fits(password, trying.stored)
        if not good or trying.stored is None or trying.locked:
            why, locks = Failure.LOCKED if trying.locked else Failure.WRONG, trying.last and account != NOBODY
            self.failed(name if known else None, Way.PASSWORD, why, at, locks)
            return None
        renewed = passwords.renewed(password, trying.stored)
        with self._ledger.transaction() as session:
            here = accounts.right(session, name, at.source, trying.stored, renewed)
            return self._opened(session, name, at, Way.PASSWORD) if here and is_active(session, name) else None

    def sign_in_text(self, origin: str, nonce: str = "") -> bytes:
        """What a key signs (namespace signatures.SIGN_IN) to come in at this origin, in this home. `nonce`: for an SSH
        key, whose signature names none beside the text."""
        with self._ledger.reading() as session:
            said = {"sign_in": origin, "home": home_id(session)}
            return canonical_json({**said, "nonce": nonce} if nonce else said)

    def by_passkey(self, line: str, signature: str, text: bytes, at: From | None = None) -> str | None:
        """The token of a new session, for an operator whose passkey signed `sign_in_text`; None if it does not count.
        That it was asked for only once, and a moment ago, the caller knows."""
        at = at or From()
        try:
            with self._ledger.transaction() as session:
                given = signing_operator(session, text, line, signature, signatures.SIGN_IN, Act.VIEW)
                return self._opened(session, given.signer, at, Way.PASSKEY, given.named.key)
        except BadInput:
            self.failed(None, Way.PASSKEY, Failure.WRONG, at)
            return None

    def prove(self, one: Entered, line: str, signature: str, text: bytes, at: From) -> str | None:
        """The token of a session in the place of this one, whose operator signed `sign_in_text` with an own key; None
        if that does not count. As of `by_passkey`."""
        way = Way.PASSKEY if line.startswith(f"{passkeys.KIND} ") else Way.SSH_KEY
        try:
            with self._ledger.transaction() as session:
                given = signing_operator(session, text, line, signature, signatures.SIGN_IN, Act.VIEW)
                if given.signer == one.operator and sessions.find(session, one.id):
                    return self._opened(session, one.operator, at, way, given.named.key, began=one.created_at)
        except BadInput:
            pass
        self.failed(one.operator, way, Failure.WRONG, at)
        return None

    def is_known(self, name: str, source: str) -> bool:
        """Whether somebody of this name has come in from there lately."""
        with self._ledger.reading() as session:
            return sessions.known(session, name[:64], source)
