"""The commands of `sluicegate`, a file for each or for each group. Heavy libraries are imported inside functions."""
