"""One place for each rule. `rule.Rule` is the form; the modules beside it hold the rules by what they speak of."""
