"""The ledger's migrations, run by `Ledger.open`."""
