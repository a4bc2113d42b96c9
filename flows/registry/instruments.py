"""Instruments as people look at them: which are enrolled, what each says, what a new version would change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from expectations.base.clock import Clock
from expectations.base.errors import Usage
from expectations.base.forms import Problem
from expectations.instruments import (
    Agreement,
    Determination,
    Instrument,
    instrument_digest,
    instrument_problems,
    parse_enrolled,
    parse_instrument,
)
from expectations.instruments.orders import CourtOrder
from expectations.instruments.standing import ended, superseded
from flows.ledger import Ledger
from flows.ledger.registry import VersionRecord

COURTS = "America/New_York"  # an order names days, not a zone; where none is given, today is the day in Washington


def listed(ledger: Ledger, clock: Clock, on: date | None = None) -> list[dict[str, Any]]:
    """Each instrument in one line: id, kind, number of the version, in force on that day (today), first, last day."""
    known = {name: parse_enrolled(body, name) for name, _, body in ledger.instruments()}
    rows = []
    for name, one in known.items():
        newest = ledger.versions(name)[-1]
        day = on or clock.today(one.zone if isinstance(one, Agreement) else COURTS)
        first, last = days(one)
        rows.append(
            {
                "id": name,
                "kind": one.kind,
                "version": newest.version,
                "in force": in_force(one, known.values(), day),
                "from": first,
                "to": last,
                "digest": newest.digest,
                "title": one.title,
            }
        )
    return rows


def in_force(one: Instrument, known: Any, day: date) -> bool:
    """Within its days, and not ended by another of `known`."""
    if isinstance(one, Agreement):
        return one.in_force(day) and not superseded(one, (i for i in known if isinstance(i, Agreement)), day)
    if isinstance(one, Determination):
        return one.determined_on <= day and one.stands(day)
    return one.in_force(day) and one.id not in ended([i for i in known if isinstance(i, CourtOrder)], day)


def days(one: Instrument) -> tuple[date, date | None]:
    """Its first and last day, both included; None: no end date. On the day an order is lifted it no longer applies."""
    if isinstance(one, Agreement):
        return one.valid_from, one.valid_to
    first, end = (
        (one.determined_on, one.withdrawn_on) if isinstance(one, Determination) else (one.effective_on, one.lifted_on)
    )
    return first, end - timedelta(days=1) if end else None


def version(ledger: Ledger, name: str, which: str | None = None) -> VersionRecord:
    """A version of an instrument: by number, by the start of its digest, or the newest; raises Usage if none is."""
    found = ledger.versions(name)
    if which is not None:
        found = [v for v in found if which == str(v.version) or (len(which) >= 8 and v.digest.startswith(which))]
    if not found:
        unknown = "no such instrument, or no such version of it, is enrolled"
        raise Usage("UNKNOWN_INSTRUMENT", unknown, where=name, remedy="See sluicegate instruments list, and show.")
    return found[-1]


def shown(ledger: Ledger, name: str, which: str | None = None) -> dict[str, Any]:
    """A version of an instrument, field by field, and who enrolled which versions; raises Usage if there is none."""
    chosen = version(ledger, name, which)
    return {
        "id": name,
        "version": chosen.version,
        "digest": chosen.digest,
        "fields": flat(parse_enrolled(chosen.body, name).model_dump()),
        "versions": [
            {
                **{key: getattr(v, key) for key in ("version", "digest", "enrolled_at")},
                "by": [operator for operator, _, _ in v.signed],
                "keys": [key for _, key, _ in v.signed],
            }
            for v in ledger.versions(name)
        ],
    }


def differences(ledger: Ledger, name: str, old: str, new: str | None = None) -> list[tuple[str, Any, Any]]:
    """What `changes` gives for two enrolled versions, each as `version` finds it; raises Usage if one is none."""
    before, after = (parse_enrolled(version(ledger, name, which).body, name) for which in (old, new))
    return changes(before, after)


def words(value: Any) -> str:
    """The value of a field for people."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "not given", True: "yes", False: "no"}[value]
    return str(value)


def field_of(key: str) -> str:
    """The field that a full key names, whichever element of a list it is in: meanings are by field."""
    return ".".join(part for part in key.split(".") if not part.isdigit())


@dataclass(frozen=True)
class Checked:
    """What is wrong with a file, and if nothing is: the instrument, what is doubtful, and what it would change.
    `changes`: (key, now, then) against the enrolled version; None if none is enrolled."""

    problems: list[Problem]
    found: Instrument | None = None
    doubts: list[str] = field(default_factory=list)
    changes: list[tuple[str, Any, Any]] | None = None


def checked(body: bytes, where: str, known: Mapping[str, bytes], clock: Clock) -> Checked:
    """Judges an instrument before it is enrolled. Raises BadInput if it is no TOML, or of no known kind."""
    if problems := instrument_problems(body, where):
        return Checked(problems)
    one = parse_instrument(body, where)
    today = clock.today(one.zone if isinstance(one, Agreement) else COURTS)
    before = parse_enrolled(known[one.id], one.id) if one.id in known else None
    return Checked([], one, list(doubts(one, body, known, today)), changes(before, one) if before else None)


def flat(value: Any, key: str = "") -> dict[str, Any]:
    """The fields of a form, each by its full key (`thresholds.rows_per_batch`, `safeguards.findings.0.opened_on`)."""
    if isinstance(value, Mapping):
        inner = [(f"{key}.{k}" if key else str(k), v) for k, v in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
        inner = [(f"{key}.{n}", v) for n, v in enumerate(value)]
    else:
        return {key: list(value) if isinstance(value, tuple) else value}
    return {k: v for name, one in inner for k, v in flat(one, name).items()}


def changes(before: Instrument, after: Instrument) -> list[tuple[str, Any, Any]]:
    """(key, what stands there now, what would) for each field that differs."""
    old, new = (flat(i.model_dump()) for i in (before, after))
    return [(k, old.get(k), new.get(k)) for k in dict.fromkeys([*old, *new]) if old.get(k) != new.get(k)]


def doubts(one: Instrument, body: bytes, known: Mapping[str, bytes], today: date) -> Iterator[str]:
    """What the form allows and is probably not meant. `known`: bodies of the enrolled versions, by id."""
    if one.id in known and instrument_digest(known[one.id]) == instrument_digest(body):
        yield "this version is enrolled already"
    parsed = {name: parse_enrolled(b, name) for name, b in known.items()}
    kinds = {name: i.kind for name, i in parsed.items()}
    if one.id in kinds and kinds[one.id] != one.kind:
        yield f"id: {one.id} is enrolled as another kind ({kinds[one.id]})"
    others = {name: i for name, i in parsed.items() if name != one.id and isinstance(i, Agreement)}
    if isinstance(one, Agreement):
        yield from _renewals(one, others)
        named = {"supersedes": one.supersedes}
    elif isinstance(one, Determination):
        named = {"agreements": one.agreements}
    else:
        named = {"supersedes": one.supersedes, "lifts": one.lifts, "scope.agreements": one.scope.agreements}
        for key, said, there in (
            ("scope.statutes", one.scope.statutes, {s for a in others.values() for s in a.statutes}),
            ("scope.requesters", one.scope.requesters, {a.requester.id for a in others.values()}),
        ):
            yield from (f"{key}: no enrolled agreement has {name}" for name in said if name not in there)
    for key, ids in named.items():
        kind = "agreement" if key in ("agreements", "scope.agreements") else one.kind
        yield from (f"{key}: no {kind} {other} is enrolled" for other in ids if kinds.get(other) != kind)
    last = days(one)[1]
    if last is not None and last < today:
        yield f"its last day, {last}, has passed"


def _renewals(one: Agreement, others: Mapping[str, Agreement]) -> Iterator[str]:
    """Orders that name an agreement stand against what supersedes it; against nothing else that takes its place."""
    for name, other in others.items():
        if other.requester.id == one.requester.id and name not in one.supersedes and one.id not in other.supersedes:
            yield f"supersedes: {name} has the same requester; orders against it do not stand against this agreement"
    for name in one.supersedes:
        missing = sorted(set(others[name].supersedes) - {*one.supersedes, one.id}) if name in others else []
        for old in missing:
            yield f"supersedes: {name} superseded {old}; name it as well, or orders against it end here"
