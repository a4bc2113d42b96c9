"""Writes infra/docs/rules.md from the registries and the spec: `python -m tests.spec.render`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

from expectations.contracts.request import RAW_NAMES
from expectations.facts import sql
from expectations.rules import book
from expectations.rules.address import CLEAN
from expectations.rules.statutes import STATUTES
from tests.factories import submissions
from tests.factories.paths import DOCS
from tests.spec import book as spec

PAGE = DOCS / "rules.md"
_HEAD = """# The rule book

This page is made by `python -m tests.spec.render` from the rules (`expectations/rules`) and their spec
(`tests/spec/rules`); a test fails while it is not up to date. `sluicegate rules` prints the rules alone. Each rule is a
predicate in DuckDB SQL that must be true: what cannot be evaluated does not meet it. Each has cases on either side of
its bounds; a change of any one term or bound of a predicate makes a case fail.

**Another rule** is an entry in a module of `expectations/rules`: predicate, violating row, and the words of its code
stand together. Its cases go into `tests/spec/rules`; a test that fails names what is missing. **A threshold** that it
reads is a field of `expectations/instruments/thresholds.py`, and a letter fact under that name.

**Another criminal statute** is another file in `expectations/rules/statutes`, with its citation, the columns of a
request that it needs, its elements, the lowest numbers that it allows in an agreement, and an example that meets it.
New columns go into `RAW_FIELDS` of `expectations/contracts/request.py`, its cases into `tests/spec/rules`, and a twin
into `tests/generative/statute_twins.py`. Its rules bind the rows of letters that name it.

The cases below change one thing in a base that is in good order:
"""
_BASES = {
    "request": "The request, under a letter of {day:%-d %B %Y}, received and decided on that day",
    "register": "The facts on file of a matched row",
    "batch": "The facts of a batch, its letter and its agreement",
}
_FAMILIES = {
    "identity": "Who is meant",
    "address": "Address",
    "authority": "Authority",
    "disclosure": "Against the facts on file",
}


def page() -> str:
    """The page as it should be."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for which, title in _BASES.items():
        yield f"- {title.format(day=submissions.LETTER_DATE)}: {_fields(_base(which))}."
    cases = {rule: list(own) for rule, own in groupby(sorted(spec.cases(), key=lambda c: c.rule), lambda c: c.rule)}
    entries = {entry["id"]: entry for entry in book.entries()}
    for title, rules in groupby(book.every_rule(), lambda rule: _title(rule.id, rule.scope)):
        yield f"\n## {title}"
        for rule in rules:
            yield from _rule(entries[rule.id], cases.get(rule.id, []))


def _title(rule: str, scope: str) -> str:
    family = rule.split(".")[0]
    statute = next((one.citation for one in STATUTES.values() if rule in one.rules), None)
    return (
        f"Elements of {statute}"
        if statute
        else f"{_FAMILIES[family]}, {scope}s"
        if family == "authority"
        else _FAMILIES[family]
    )


def _rule(entry: Mapping[str, str], cases: list[spec.Case]) -> Iterator[str]:
    seen = entry["fix"] if entry["shown"] == entry["code"] else f"`{entry['shown']}`. {entry['fix']}"
    says = f"`{entry['code']}` ({entry['phase']} phase; {entry['severity']}): {entry['message']}"
    yield f"\n### {entry['id']}\n"
    yield f"{says} What the requester sees: {seen} Source: {entry['source']}.\n"
    yield "| case | verdict | codes | why |\n|---|---|---|---|"
    for case in cases:
        codes = " ".join(f"`{code}`" for code in case.codes)
        verdict = "met" if case.meets else "violated"
        yield f"| {_fields(case.changes) or 'as it is'} | {verdict} | {codes} | {case.why} |"


def _base(which: str) -> dict[str, Any]:
    if which == "register":
        return spec.matched()
    facts = spec.of_batch()
    if which == "batch":
        return {name: facts[name] for rule in book.batch_rules() for name in rule.inputs}
    request = {**submissions.row(1), **CLEAN, "street": "1000 N Alder St"}
    given = {name: request[name] for name in RAW_NAMES if request.get(name)}
    return {**given, **{name: facts[name] for name in sql.request_constants()}}


def _fields(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name} = {_value(value)}`" for name, value in changes.items())


def _value(value: Any) -> str:
    text = json.dumps(value.isoformat() if isinstance(value, date) else value, ensure_ascii=False, default=str)
    shown = "".join(c if c.isprintable() and c != "\ufffd" else f"\\u{ord(c):04x}" for c in text)
    return shown.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
