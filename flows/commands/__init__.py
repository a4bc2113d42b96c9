"""The subcommands of `sluicegate`, grouped by what they are about. Heavy libraries are imported inside the functions."""
