"""Alembic's entry: runs on the connection, and in the transaction, that flows.ledger.database.engine hands over."""

from alembic import context

from flows.ledger.database.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
