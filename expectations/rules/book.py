"""The rule book: every rule, by scope and phase. Read when called: nothing is fixed at import."""

from expectations import codes
from expectations.rules import address, authority, disclosure, elements, identity, limits, statutes
from expectations.rules.rule import Rule


def request_rules(citation: str | None = None) -> tuple[Rule, ...]:
    """Every row rule of the request phase, in the order of the rule book.

    Of all statutes, each for its own letters; or, for those who show a row's rules, of the statute `citation` only.
    """
    books = (identity.RULES, address.RULES, elements.RULES)
    return (*(rule for book in books for rule in book.values()), *statutes.row_rules(citation))


def register_rules() -> tuple[Rule, ...]:
    """Every row rule of the register phase."""
    return tuple(disclosure.RULES.values())


def batch_rules() -> tuple[Rule, ...]:
    """Every rule on the batch as a whole."""
    return (*authority.RULES.values(), *limits.RULES.values())


def every_rule() -> tuple[Rule, ...]:
    """The whole book."""
    return (*request_rules(), *register_rules(), *batch_rules())


def entries() -> list[dict[str, str]]:
    """The whole book as flat texts: id, scope, phase, severity (what a violation does), code, message, shown, fix,
    source.

    `shown` is the code that the requester reads: its own mistakes by name, whatever the register shows as
    NOT_CONFIRMED.
    """
    return [_entry(rule) for rule in every_rule()]


def _entry(rule: Rule) -> dict[str, str]:
    shown = codes.shown([rule.code])
    _, fix = codes.in_words(shown)
    return {
        "id": rule.id,
        "scope": str(rule.scope),
        "phase": str(rule.phase),
        "severity": str(rule.disposition),
        "code": rule.code,
        "message": rule.says.message,
        "shown": shown[0],
        "fix": fix,
        "source": rule.source,
    }
