"""OpenLineage: what a run did, and what its checkpoints found, for tools that draw where data come from."""
