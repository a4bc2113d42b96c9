"""The pages of instruments: what is enrolled and in force, what each says, what differs, what is to be confirmed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from expectations.base.errors import Usage
from expectations.instruments import CourtOrder, parse_enrolled
from expectations.instruments.parse import Kind
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.registry import VersionRecord
from flows.registry import compliance, enrolled, in_force, instruments
from flows.reports.schemas import meanings

_STANDS = {"yes": True, "no": False}
_BATCHES = 20  # the newest of those that were received under a version
ByField = Iterable[tuple[str, Any, Any]]  # a key, what stands there now, what would


def asked(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters that a link or a form names, as arguments of `listing`; raises Usage for one that there is not."""
    kind, stands, on = (query.get(name, "") for name in ("kind", "stands", "on"))
    if kind not in ("", *Kind) or stands not in ("", *_STANDS):
        raise Usage("UNKNOWN_FILTER", "there is no such filter", remedy="Choose one on the page of instruments.")
    try:
        day = datetime.strptime(on, "%Y-%m-%d").date() if on else None
    except ValueError:
        raise Usage("UNKNOWN_DAY", "this is no day", remedy="Write it as YYYY-MM-DD.") from None
    return {"kind": Kind(kind) if kind else None, "stands": _STANDS.get(stands), "on": day}


def listing(
    home: Home, ledger: Ledger, kind: Kind | None = None, stands: bool | None = None, on: date | None = None
) -> dict[str, Any]:
    """What the template `instruments.html` names. `kind`, `stands` (in force or not): only those; `on`: the day, each
    time in the zone that counts; left out, it is today there."""
    now = ledger.time_now().shown
    then = ledger.at(replace(home.clock(), fixed=now, pretended=True))
    all_of_them, known = instruments.listed(then, then.clock, on), enrolled.newest(then)
    return {
        "made": now,
        "listed": [
            one
            for one in all_of_them
            if (kind is None or one["kind"] == kind) and (stands is None or one["in force"] is stands)
        ],
        "all": len(all_of_them),
        "kinds": list(Kind),
        "kind": kind,
        "stands": stands,
        "on": on,
        "possible": _possible(known, then, on),
        "unconfirmed": compliance.unconfirmed(then, now),
    }


def _possible(known: enrolled.Enrolled, ledger: Ledger, on: date | None) -> list[dict[str, Any]]:
    """What may be released on the day, and which instruments forbid the rest."""
    if not known.agreements:
        return []
    found = in_force.on_day(known, ledger.clock, on, agreement=None, statute=None, purpose=None)
    named = ("fields_taken_by", "rows_held_in", "only_persons_on", "no_persons_on")
    return [
        {**one, "cites": sorted({*(id for ids in one["stopped_by"].values() for id in ids), *_ids(one, named)})}
        for one in found
    ]


def _ids(one: Mapping[str, Any], named: Iterable[str]) -> Iterable[str]:
    return (id for name in named for id in one[name])


def instrument(ledger: Ledger, id: str, version: str | None = None, against: str | None = None) -> dict[str, Any]:
    """What the template `instrument.html` names: a version (the newest, if left out) field by field; and what differs
    from another. Raises Usage if there is no such version."""
    shown, confirmed = instruments.shown(ledger, id, version), ledger.confirmed()
    kind = shown["fields"]["kind"]
    return {
        **shown,
        "kind": kind,
        "said": said(kind, shown["fields"]),
        "newest": shown["versions"][-1]["version"],
        "against": instruments.version(ledger, id, against).version if against else None,
        "changes": changed(kind, instruments.differences(ledger, id, against, version)) if against else [],
        "to_confirm": kind == Kind.COURT_ORDER and shown["fields"]["confirm_by"] is not None,
        "confirmed_by": confirmed.get(shown["digest"]),
        "batches": ledger.newest_batches(_BATCHES, under=shown["digest"]),
    }


def order(ledger: Ledger, id: str) -> tuple[VersionRecord, CourtOrder]:
    """A court order in its newest version; raises Usage if there is none of this id."""
    newest = instruments.version(ledger, id)
    found = parse_enrolled(newest.body, id)
    if not isinstance(found, CourtOrder):
        raise Usage("UNKNOWN_ORDER", "no court order of this id is enrolled", where=id, remedy="See all instruments.")
    return newest, found


def said(kind: str, fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each field: its key, what stands there, and what it means."""
    means = meanings(kind)
    return [(key, instruments.words(value), _meaning(means, key)) for key, value in fields.items()]


def changed(kind: str, by_field: ByField) -> list[tuple[str, str, str, str]]:
    """Each field that differs: its key, what stands there now, what would, and what it means."""
    means = meanings(kind)
    return [(key, instruments.words(a), instruments.words(b), _meaning(means, key)) for key, a, b in by_field]


def _meaning(means: Mapping[str, str], key: str) -> str:
    """Of the field, or of the table that it is a key of."""
    field = instruments.field_of(key)
    return means.get(field) or means.get(field.rpartition(".")[0], "")
