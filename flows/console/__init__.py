"""Pages for operators: what waits, each batch, and what each checkpoint found. Ids, counts, shares and codes only."""
