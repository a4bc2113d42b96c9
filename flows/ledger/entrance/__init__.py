"""Who may come into the console: passwords, identities, sessions, invitations. Of no token more than its hash is kept.

These tables stand in the ledger's database and outside of what its events say: they change with every look. What
happened is told by events (`flows.ledger.events.console`); what is here only decides who is let in.
"""

from flows.ledger.entrance.door import Entered, From
from flows.ledger.entrance.entrance import Entrance
from flows.ledger.entrance.sessions import Limits

__all__ = ["Entered", "Entrance", "From", "Limits"]
