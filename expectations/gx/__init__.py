"""Great Expectations, kept in one place and imported late: `gx.checkpoint` runs a suite of `gx.checks`, and gives a `gx.verdict`."""
