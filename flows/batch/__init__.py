"""One batch from receipt to release: its steps, checkpoints, decisions, publication and expiry. Knows nothing of Prefect."""
