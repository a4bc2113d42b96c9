"""The commands of `sluicegate`, those of one idea in one file. Heavy libraries are imported inside functions."""
