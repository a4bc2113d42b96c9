"""The ledger: states, signed decisions, disclosure claims, enrolled instruments and operators, and the audit chain."""

from flows.ledger.ledger import Ledger

__all__ = ["Ledger"]
