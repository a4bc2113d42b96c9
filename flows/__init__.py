"""When it happens and who decides: Prefect flows, the ledger, the command line. Imports the other two."""
