"""Identities at a provider: each of one operator, kept as digests. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from expectations.base.errors import Usage
from flows.ledger.database.rights import Service
from flows.ledger.entrance import Entrance
from flows.ledger.entrance.identities import issuer_digest
from flows.ledger.entrance.models import Identity
from flows.ledger.ledger import Ledger
from flows.ledger.roles import Act, NotYourRole, Role
from tests.factories.ledgers import Office

HERE, THERE = "https://id.example.org", "https://other.example.org"


@pytest.fixture(scope="module")
def service() -> Service:
    return Service.CONSOLE


@pytest.fixture
def door(ledger: Ledger, office: Office) -> Entrance:
    """Ada is `one` at HERE."""
    made = Entrance(ledger)
    assert made.bind(made.invite("ada", "ben"), HERE, "one")
    return made


def told(ledger: Ledger, *kinds: str) -> list[dict[str, object]]:
    return [{"kind": e["kind"], **e["facts"]} for e in ledger.events() if e["kind"] in kinds]


def who(door: Entrance, token: str | None) -> str | None:
    entered = door.entered(token or "")
    return entered and entered.operator


def test_whom_a_provider_names_is_the_operator_that_was_bound(door: Entrance, ledger: Ledger) -> None:
    assert who(door, door.by_identity(HERE, "one")) == "ada"
    assert [door.by_identity(*one) for one in ((HERE, "two"), (THERE, "one"), (HERE, "ada"), (HERE, "One"))] == [
        None
    ] * 4
    door.gathered.write()
    assert told(ledger, "sign_in_failed") == [{"kind": "sign_in_failed", "count": 4, "way": "provider", "why": "wrong"}]
    assert told(ledger, "signed_in")[-1] == {
        "kind": "signed_in",
        "by": "ada",
        "way": "provider",
        "issuer": issuer_digest(HERE),
        "factors": 1,
    }
    assert ledger.verify() == []


@pytest.mark.parametrize("both", [False, True])
def test_what_a_provider_has_proven_opens_all_only_if_it_was_both_factors(door: Entrance, both: bool) -> None:
    for token in (door.by_identity(HERE, "one", both=both), door.bind(door.invite("ben", "ada"), HERE, "2", both=both)):
        entered = door.entered(token or "")
        assert entered and (entered.proved_at is not None) is both and door.is_fresh(entered) is both


def test_no_more_than_digests_is_kept(door: Entrance, ledger: Ledger) -> None:
    with ledger.reading() as session:
        (row,) = session.scalars(select(Identity))
        kept = {column.name: getattr(row, column.name) for column in Identity.__table__.columns}
    assert (kept["operator"], kept["issuer"]) == ("ada", issuer_digest(HERE))
    assert "one" not in kept.values() and HERE not in kept.values() and len(kept["identity"]) == 64


def test_an_identity_is_one_operators_and_an_operator_has_one(door: Entrance, ledger: Ledger) -> None:
    ben = door.invite("ben", "ada")
    assert door.bind(ben, HERE, "one") is None  # ada's; and the invitation stays good
    assert who(door, door.bind(ben, HERE, "two")) == "ben"
    assert door.bind(ben, HERE, "three") is None  # it was used
    before = door.by_identity(HERE, "one")
    assert who(door, door.bind(door.invite("ada", "ben"), THERE, "one")) == "ada"
    assert door.by_identity(HERE, "one") is None and who(door, before) is None
    assert [one["by"] for one in told(ledger, "identity_bound")] == ["ada", "ben", "ada"]
    assert ledger.verify() == []


def test_only_who_may_change_operators_takes_one_away(door: Entrance, ledger: Ledger, office: Office) -> None:
    token = door.by_identity(HERE, "one")
    office.give("cleo", Role.OPERATOR, by=("ada", "ben"))
    with pytest.raises(NotYourRole):
        door.unbind("ada", "cleo")
    with pytest.raises(Usage, match="UNKNOWN_OPERATOR"):
        door.unbind("ada", "zoe")
    assert who(door, token) == "ada" and told(ledger, "denied")[-1]["act"] == Act.OPERATORS
    door.unbind("ada", "ben")
    assert who(door, token) is None and door.by_identity(HERE, "one") is None
    with pytest.raises(Usage, match="NOT_BOUND"):
        door.unbind("ada", "ben")
    said = {"kind": "identity_unbound", "by": "ada", "who": "ben", "issuer": issuer_digest(HERE)}
    assert told(ledger, "identity_unbound") == [said] and ledger.verify() == []
