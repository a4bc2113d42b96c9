"""Great Expectations, kept in one place and imported late: `expectations.checkpoint` is what others call."""
