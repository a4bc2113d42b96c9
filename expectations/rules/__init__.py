"""One place for each rule. `Rule` is the form; the modules beside it hold the rules, grouped by what they speak of."""

from expectations.rules.rule import Disposition, Phase, Rule, Scope, registry

__all__ = ["Disposition", "Phase", "Rule", "Scope", "registry"]
