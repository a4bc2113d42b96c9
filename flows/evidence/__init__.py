"""A batch's evidence: sealed under a key of its own, opened as plaintext only while it is read, shredded at the end."""
