"""The ledger's tables, and the SQLite or PostgreSQL database that holds them."""
