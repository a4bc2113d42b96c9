"""The home tree of one installation: configuration and keys, locks, prepared registers."""
