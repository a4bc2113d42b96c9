"""One batch from receipt to release: steps, checkpoints, decisions, publication, expiry. Knows nothing of Prefect."""
