"""How signing in with a provider fails. Neither says more: what a provider answered may name a person, or be secret."""


class NotProven(Exception):
    """The provider did not prove who somebody is there, or not to this browser, or not now."""


class Unreachable(Exception):
    """The provider did not answer, or answered nothing that a provider answers."""
