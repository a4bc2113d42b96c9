"""A batch's evidence: stored sealed under a key of its own, opened as plaintext only while it is read, shredded at the end."""
