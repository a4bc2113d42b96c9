"""Recall: getting disclosed rows back. Which rows, the list that their recipient gets, and what it does with it."""
