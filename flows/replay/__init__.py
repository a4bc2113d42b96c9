"""Past batches decided again: one row explained, one batch replayed, all of them looked back on."""
