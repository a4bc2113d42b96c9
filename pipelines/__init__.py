"""What happens to rows: the four stages and the register, as Beam pipelines. Imports `expectations` only."""
