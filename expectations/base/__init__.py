"""What everything stands on: clock, digests, DuckDB sessions, errors, TOML forms, signatures, Merkle roots."""
