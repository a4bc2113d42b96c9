"""Recall: getting disclosed rows back. Which rows, the list that tells their recipient, and the recipient's use of it."""
