"""Mutants of a predicate: the same SQL with one thing wrong, as a hurried change could leave it.

A term of AND or OR dropped, AND and OR swapped, a comparison negated or its bound moved in or out, a number, a day or a
truth value shifted, one entry of a list or one alternative of a regular expression left out, and the like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise

import sqlglot
from sqlglot import exp

_COMPARISONS: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
    exp.LT: (exp.LTE, exp.GTE),
    exp.LTE: (exp.LT, exp.GT),
    exp.GT: (exp.GTE, exp.LTE),
    exp.GTE: (exp.GT, exp.LT),
}
_PREDICATES = (exp.Column, exp.Func, exp.Is, exp.In, exp.Between)
_REGEXES = (exp.RegexpFullMatch, exp.RegexpLike)
Variants = Iterator[exp.Expression]


def parsed(predicate: str) -> exp.Expression:
    """The predicate as a tree."""
    return sqlglot.parse_one(predicate, dialect="duckdb")


def mutants(predicate: str) -> list[str]:
    """SQL of every mutant, each once."""
    root = parsed(predicate)
    found: dict[str, None] = {}
    for place, node in enumerate(root.walk()):
        for variant in _variants(node):
            found[_with(root, place, variant).sql("duckdb")] = None
    found.pop(root.sql("duckdb"), None)
    return list(found)


def _with(root: exp.Expression, place: int, variant: exp.Expression) -> exp.Expression:
    if place == 0:
        return variant
    copy = root.copy()
    next(node for at, node in enumerate(copy.walk()) if at == place).replace(exp.Paren(this=variant))
    return copy


def _variants(node: exp.Expression) -> Variants:
    if isinstance(node, _PREDICATES) and _stands_alone(node):
        yield exp.Not(this=exp.Paren(this=node.copy()))
    for kind, variants in _BY_KIND.items():
        if isinstance(node, kind):
            yield from (variant.copy() for variant in variants(node))


def _stands_alone(node: exp.Expression) -> bool:
    """Whether the node is a condition of its own, not a value in one."""
    return node.parent is None or isinstance(node.parent, exp.And | exp.Or | exp.Paren)


def _connector(node: exp.Expression) -> Variants:
    other = exp.Or if isinstance(node, exp.And) else exp.And
    yield from (node.this, node.expression, other(this=node.this.copy(), expression=node.expression.copy()))


def _comparison(node: exp.Expression) -> Variants:
    for kind in _COMPARISONS[type(node)]:
        yield kind(this=node.this.copy(), expression=node.expression.copy())


def _arithmetic(node: exp.Expression) -> Variants:
    other = exp.Sub if isinstance(node, exp.Add) else exp.Add
    yield from (node.this, node.expression, other(this=node.this.copy(), expression=node.expression.copy()))


def _in(node: exp.Expression) -> Variants:
    listed = node.expressions
    for left_out in range(len(listed)):
        kept = [one.copy() for at, one in enumerate(listed) if at != left_out]
        yield exp.In(this=node.this.copy(), expressions=kept) if kept else exp.false()


def _between(node: exp.Expression) -> Variants:
    x, low, high = (node.args[name] for name in ("this", "low", "high"))
    for above, below in ((exp.GT, exp.LTE), (exp.GTE, exp.LT), (exp.GTE, None), (None, exp.LTE)):
        terms = [kind(this=x.copy(), expression=bound.copy()) for kind, bound in ((above, low), (below, high)) if kind]
        yield exp.and_(*terms)


def _coalesce(node: exp.Expression) -> Variants:
    yield from (node.this, *node.expressions)


def _cast(node: exp.Expression) -> Variants:
    if node.this.is_string and node.to.is_type("date"):
        for days in (-1, 1):
            day = date.fromisoformat(node.this.this) + timedelta(days=days)
            yield exp.cast(exp.Literal.string(day.isoformat()), "date")


def _literal(node: exp.Expression) -> Variants:
    if not node.is_string:
        for shift in (-1, 1):
            yield exp.Literal.number(int(node.this) + shift)
    elif isinstance(node.parent, _REGEXES):
        yield from (exp.Literal.string(pattern) for pattern in patterns(node.this))


_BY_KIND: dict[type[exp.Expression] | tuple[type[exp.Expression], ...], Callable[[exp.Expression], Variants]] = {
    (exp.And, exp.Or): _connector,
    exp.Not: lambda node: iter([node.this]),
    tuple(_COMPARISONS): _comparison,
    (exp.Add, exp.Sub, exp.Mul): _arithmetic,
    exp.In: _in,
    exp.Between: _between,
    exp.Coalesce: _coalesce,
    exp.Cast: _cast,
    exp.Boolean: lambda node: iter([exp.Boolean(this=not node.this)]),
    exp.Literal: _literal,
}


def patterns(pattern: str) -> Iterator[str]:
    """Mutants of a regular expression: a bound shifted, what is optional demanded, an alternative or a range's end
    moved."""
    for found in re.finditer(r"(?<=[{,])\d+(?=[,}])", pattern):
        for number in (int(found[0]) - 1, int(found[0]) + 1):
            if number >= 0:
                yield pattern[: found.start()] + str(number) + pattern[found.end() :]
    for at in _outside_classes(pattern, "?"):
        if pattern[at - 1] != "(":
            yield pattern[:at] + pattern[at + 1 :]
    for start, end, first, last in _alternatives(pattern):
        cut = (start, end + 1) if start == first else (start - 1, end)
        if (start, end) != (first, last):
            yield pattern[: cut[0]] + pattern[cut[1] :]
    for found in re.finditer(r"(?<=[\[A-Z0-9])([A-Z0-9])-([A-Z0-9])(?=[^\[]*\])|\[([A-Z0-9])-([A-Z0-9])", pattern):
        for group in (g for g in (1, 2, 3, 4) if found[g]):
            for moved in (chr(ord(found[group]) - 1), chr(ord(found[group]) + 1)):
                if moved.isalnum():
                    yield pattern[: found.start(group)] + moved + pattern[found.end(group) :]


def _outside_classes(pattern: str, wanted: str) -> list[int]:
    """Where one of these characters stands unescaped, outside a character class."""
    found, inside, at = [], False, 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
            continue
        inside = pattern[at] == "[" or (inside and pattern[at] != "]")
        if not inside and pattern[at] in wanted:
            found.append(at)
        at += 1
    return found


def _alternatives(pattern: str) -> Iterator[tuple[int, int, int, int]]:
    """(start, end) of every alternative, and (start, end) of the group that it is in."""
    groups: list[list[int]] = [[-1]]
    for at in [*_outside_classes(pattern, "(|)"), len(pattern)]:
        if at < len(pattern) and pattern[at] == "(":
            groups.append([at])
        elif at < len(pattern) and pattern[at] == "|":
            groups[-1].append(at)
        else:
            bars = [*groups.pop(), at]
            for left, right in pairwise(bars):
                yield left + 1, right, bars[0] + 1, at
