"""The door of the console: who comes in, how often one may be wrong, and when a session ends. On both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Fault, SluicegateError, Transient, Usage
from flows.ledger.database.rights import Service
from flows.ledger.entrance import Entrance, From, accounts, passwords, seen, tokens
from flows.ledger.entrance.models import Account, Invitation, Private, Wrong
from flows.ledger.entrance.models import Session as Stored
from flows.ledger.events.console import Pages, SignInFailed
from flows.ledger.events.operators import Denied
from flows.ledger.facts import Page
from flows.ledger.ledger import Ledger
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.roles import Act
from tests.factories import consoles
from tests.factories.consoles import PASSWORD
from tests.factories.ledgers import Office

Later = Callable[..., None]


@pytest.fixture(scope="module")
def service() -> Service:
    return Service.CONSOLE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    consoles.quick(monkeypatch)


@pytest.fixture
def door(ledger: Ledger, office: Office, later: Later) -> Entrance:
    """Ada and ben can sign in, cleo was never invited."""
    made = Entrance(ledger)
    made.ready()
    for name in ("ada", "ben"):
        made.set_password(made.invite(name, "ben"), PASSWORD)
    return made


@pytest.fixture
def later(ledger: Ledger) -> Later:
    """Sets the ledger's clock so much further on."""
    begin = ledger.clock.now() + timedelta(seconds=10)
    ledger.clock = Clock(begin)

    def go(**by: float) -> None:
        ledger.clock = Clock(ledger.clock.machine() + timedelta(**by))

    return go


def told(ledger: Ledger, *kinds: str) -> list[dict[str, object]]:
    """What the chain says of these kinds."""
    return [{"kind": e["kind"], **e["facts"]} for e in ledger.events() if e["kind"] in kinds]


def signed_in(door: Entrance, name: str = "ada", before: str = "") -> str:
    token = door.by_password(name, PASSWORD, From(before))
    assert token is not None
    return token


def test_who_was_invited_sets_a_password_and_signs_in(door: Entrance, ledger: Ledger) -> None:
    token = signed_in(door)
    entered = door.entered(token)
    assert entered and entered.operator == "ada"
    assert told(ledger, "invited")[0] == {"kind": "invited", "by": "ada", "who": "ben"}
    assert told(ledger, "password_set", "signed_in")[-1] == {
        "kind": "signed_in",
        "by": "ada",
        "way": "password",
    }
    assert ledger.verify() == []


def test_of_tokens_and_passwords_nothing_is_kept_but_hashes(door: Entrance, ledger: Ledger) -> None:
    token, invitation = signed_in(door), door.invite("cleo", "ben")
    with ledger.reading() as session:
        rows = [
            str(getattr(row, column.key))
            for model in (Account, Invitation, Stored, Wrong)
            for row in session.scalars(select(model))
            for column in model.__table__.columns
        ]
    text = " ".join([*rows, json.dumps(ledger.events())])
    assert token not in text and invitation not in text and PASSWORD not in text
    assert tokens.kept(token) in rows and any(row.startswith("$argon2id$") for row in rows)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("a" * 14, "PASSWORD_LENGTH"),
        ("a" * 129, "PASSWORD_LENGTH"),
        ("long enough and ADA in it", "PASSWORD_GUESSED"),
        ("the SluiceGate of today", "PASSWORD_GUESSED"),
        ("passwordPassword", "PASSWORD_LEAKED"),
        ("qwertyuiopasdfghjklzxcvbnm", "PASSWORD_LEAKED"),
    ],
)
def test_a_weak_password_is_refused_and_the_invitation_still_counts(door: Entrance, password: str, code: str) -> None:
    token = door.invite("ada", "ben")
    with pytest.raises(BadInput, match=code) as refused:
        door.set_password(token, password)
    assert password not in str(refused.value)
    assert door.set_password(token, "x y" * 5) == "ada"


def test_an_invitation_counts_once_for_an_hour_and_the_newest_alone(
    door: Entrance, ledger: Ledger, later: Later
) -> None:
    first, second = door.invite("cleo", "ben"), door.invite("cleo", "ben")
    assert (door.invited(first), door.invited(second)) == (None, "cleo")
    door.set_password(second, PASSWORD)
    third = door.invite("cleo", "ben")
    later(minutes=60)
    for token in (first, second, third, tokens.new(), "", "x" * 5000):
        assert door.invited(token) is None
        with pytest.raises(BadInput, match="INVITATION_OVER"):
            door.set_password(token, PASSWORD)
    with pytest.raises(Usage, match="UNKNOWN_OPERATOR"):
        door.invite("nobody", "ben")
    assert len(told(ledger, "password_set")) == 3


def test_of_two_who_have_the_same_link_one_sets_the_password(door: Entrance) -> None:
    token = door.invite("cleo", "ben")

    def sets(password: str) -> bool:
        try:
            return door.set_password(token, password) == "cleo"
        except BadInput:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(sets, (PASSWORD, PASSWORD + "!"))) == [False, True]


def test_a_new_password_ends_what_was_open(door: Entrance, ledger: Ledger) -> None:
    tokens_before = [signed_in(door), signed_in(door)]
    door.set_password(door.invite("ada", "ben"), "another long password")
    assert [door.entered(one) for one in tokens_before] == [None, None]
    assert told(ledger, "session_ended") == [{"kind": "session_ended", "by": "ada", "count": 2}]
    assert door.by_password("ada", PASSWORD) is None and door.by_password("ada", "another long password")


def test_each_sign_in_has_a_token_of_its_own_and_ends_the_one_before(door: Entrance) -> None:
    first = signed_in(door)
    second = signed_in(door, before=first)
    assert first != second and door.entered(first) is None and door.entered(second)
    third = signed_in(door)  # in another browser
    assert door.entered(second) and door.entered(third) and len(door.of("ada")) == 2


def test_a_token_that_nobody_gave_is_none(door: Entrance) -> None:
    token = signed_in(door)
    stored = tokens.kept(token)
    assert stored and all(door.entered(one) is None for one in (tokens.new(), stored, token[:-1], "", "ada"))


@pytest.mark.parametrize(("step", "steps"), [(29, 30), (31, 1)], ids=["ten hours at most", "half an hour unused"])
def test_a_session_ends_by_itself(door: Entrance, ledger: Ledger, later: Later, step: int, steps: int) -> None:
    token, lasted = signed_in(door), 0
    for _ in range(steps):
        later(minutes=step)
        door.store()  # what was seen is kept, whoever looks then
        if door.entered(token) is None:
            break
        lasted += step
    assert lasted == (580 if steps > 1 else 0)
    assert told(ledger, "session_ended") == [{"kind": "session_ended", "by": "ada", "count": 1}]
    assert door.of("ada") == [] and ledger.verify() == []


def test_a_use_counts_before_it_is_stored_and_after_another_process_takes_over(
    door: Entrance, ledger: Ledger, later: Later
) -> None:
    token = signed_in(door)
    for _ in range(2):
        later(minutes=29)
        assert door.entered(token)
    door.store()
    later(minutes=29)
    assert Entrance(ledger).entered(token)
    assert Entrance(ledger).entered(token)  # what another did not store is not known here
    later(minutes=2)
    assert Entrance(ledger).entered(token) is None


def test_a_session_does_not_count_before_it_began(door: Entrance, later: Later) -> None:
    token = signed_in(door)
    later(seconds=-4)
    assert door.entered(token)
    later(hours=-1)
    assert door.entered(token) is None


def test_who_signs_out_is_out_and_who_ends_all_everywhere(door: Entrance, ledger: Ledger) -> None:
    mine, other, bens = signed_in(door), signed_in(door), signed_in(door, "ben")
    entered = door.entered(mine)
    assert entered
    door.sign_out(entered)
    door.sign_out(entered)  # two tabs
    assert door.entered(mine) is None and door.entered(other)
    door.end_all("ada")
    assert door.entered(other) is None and door.entered(bens)
    assert told(ledger, "signed_out", "session_ended") == [
        {"kind": "signed_out", "by": "ada"},
        {"kind": "session_ended", "by": "ada", "count": 1},
    ]


def test_a_revoked_operator_is_out_at_once_and_stays_out(door: Entrance, ledger: Ledger, office: Office) -> None:
    token, invitation = signed_in(door), door.invite("ada", "ben")
    office.revoke("ada")
    assert door.entered(token) is None and door.by_password("ada", PASSWORD) is None
    assert door.invited(invitation) is None
    with pytest.raises(Usage):
        door.invite("ada", "ben")
    door.store()
    door.gathered.write()
    assert told(ledger, "session_ended", "sign_in_failed") == [
        {"kind": "session_ended", "by": "ada", "count": 1},
        {"kind": "sign_in_failed", "count": 1, "way": "password", "why": "wrong"},
    ]
    assert ledger.verify() == []


def test_after_five_wrong_passwords_the_right_one_is_wrong_for_a_quarter_of_an_hour(
    door: Entrance, ledger: Ledger, later: Later
) -> None:
    for _ in range(4):
        assert door.by_password("ada", "wrong") is None
    signed_in(door)  # begins anew
    for _ in range(5):
        assert door.by_password("ada", "wrong") is None
    assert door.by_password("ada", PASSWORD) is None and door.by_password("ben", PASSWORD)
    later(minutes=14)
    assert door.by_password("ada", PASSWORD) is None
    later(minutes=1)
    assert door.by_password("ada", "wrong") is None  # four more before it is locked again
    signed_in(door)
    door.gathered.write()
    assert told(ledger, "locked", "sign_in_failed") == [
        {"kind": "sign_in_failed", "by": "ada", "count": 10, "way": "password", "why": "wrong"},
        {"kind": "locked", "by": "ada", "count": 1},
        {"kind": "sign_in_failed", "by": "ada", "count": 2, "way": "password", "why": "locked"},
    ]


def test_many_windows_at_a_time_are_no_more_tries(door: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is counted before it is checked: the right one, after five that are not, is wrong in every order."""
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(lambda n: door.by_password("ada", f"wrong {n}"), range(5))) == [None] * 5
    assert door.by_password("ada", PASSWORD) is None


def test_an_invitation_unlocks(door: Entrance) -> None:
    for _ in range(5):
        door.by_password("ada", "wrong")
    door.set_password(door.invite("ada", "ben"), PASSWORD)
    signed_in(door)


def test_an_unknown_name_costs_the_same_and_is_kept_nowhere(
    door: Entrance, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same work for each: one row written, one hash checked."""
    names = ("ada", "cleo", "zebulon", "", "a name with spaces", "x" * 10_000)
    done: dict[str, list[str]] = {name: [] for name in names}
    begin, fits = accounts.begin, passwords.fits
    for name in names:
        monkeypatch.setattr(accounts, "begin", lambda *a, n=name: done[n].append("written") or begin(*a))
        monkeypatch.setattr(passwords, "fits", lambda *a, n=name: done[n].append("checked") or fits(*a))
        assert door.by_password(name, "wrong") is None
    assert set(map(tuple, done.values())) == {("written", "checked")}
    door.gathered.write()
    assert told(ledger, "sign_in_failed") == [
        {"kind": "sign_in_failed", "by": "ada", "count": 1, "way": "password", "why": "wrong"},
        {"kind": "sign_in_failed", "by": "cleo", "count": 1, "way": "password", "why": "wrong"},
        {"kind": "sign_in_failed", "count": 4, "way": "password", "why": "wrong"},
    ]
    with ledger.reading() as session:
        assert set(session.scalars(select(Account.operator))) == {"ada", "ben"}
        assert {(one.operator, one.failures) for one in session.scalars(select(Wrong))} == {("ada", 1), ("", 5)}
    assert "zebulon" not in json.dumps(ledger.events())


def test_too_many_at_once_wait_and_then_are_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE", 0.05)
    for _ in range(4):
        passwords._AT_ONCE.acquire()
    try:
        with pytest.raises(Transient, match="SIGN_IN_BUSY"):
            passwords.fits(PASSWORD, None)
    finally:
        for _ in range(4):
            passwords._AT_ONCE.release()
    assert not passwords.fits(PASSWORD, None) and not passwords.fits(PASSWORD, "no hash")


def test_looks_are_gathered_and_do_not_wait_for_a_publication(
    door: Entrance, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed_in(door)
    with ledger.transaction():  # as a publication holds it
        for _ in range(3):
            door.gathered.note(Pages(by="ada", page=Page.QUEUE, count=1))
        door.gathered.note(Denied(by="ada", act=Act.HALT, count=1))
        assert door.entered(token)
    before = ledger.head().seq
    door.gathered.write()
    door.gathered.write()
    assert told(ledger, "pages", "denied") == [
        {"kind": "pages", "by": "ada", "page": "queue", "count": 3},
        {"kind": "denied", "by": "ada", "act": "halt", "count": 1},
    ]
    assert ledger.head().seq == before + 2


def test_what_the_ledger_is_too_busy_for_is_written_later_and_what_it_refuses_hides_nothing(
    door: Entrance, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.gathered.note(Pages(by="ada", page=Page.QUEUE, count=1))
    real = ledger.transaction

    def busy() -> None:
        raise Transient("LEDGER_BUSY", "busy")

    monkeypatch.setattr(ledger, "transaction", busy)
    door.gathered.write()
    monkeypatch.setattr(ledger, "transaction", real)
    door.gathered.note(Pages(by="ada", page=Page.BATCH, batch="Zebulon", count=1))  # no batch of ours
    door.gathered.write()
    assert [one["page"] for one in told(ledger, "pages")] == ["queue"] and door.gathered.lost == 1
    assert "Zebulon" not in json.dumps(ledger.events())


def test_no_look_is_a_reason_to_run_a_batch(door: Entrance, ledger: Ledger) -> None:
    before = ledger.last_event(None)
    signed_in(door)
    door.gathered.note(SignInFailed(by="ada", count=1))
    door.gathered.write()
    assert ledger.last_event(None) == before < ledger.newest_event()


def test_a_session_ends_with_a_key_of_its_operator(
    door: Entrance, ledger: Ledger, office: Office, later: Later
) -> None:
    """Whoever took the key may have opened it."""
    line = signatures.public_line(office.new_key())
    bens, early = signed_in(door, "ben"), signed_in(door)
    for added, change in ((True, ledger.add_key), (False, ledger.remove_key)):
        said = ledger.key_message("ada", line, added)
        change("ada", line, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
        assert (door.entered(early) is not None) is added
    later(seconds=1)
    assert door.entered(bens) and door.entered(signed_in(door))
    door.store()
    assert told(ledger, "session_ended") == [{"kind": "session_ended", "by": "ada", "count": 1}]
    assert ledger.verify() == []


def test_a_wrong_clock_keeps_nobody_out(door: Entrance, ledger: Ledger, later: Later) -> None:
    later(days=400)
    with pytest.raises(Fault, match="CLOCK_AHEAD"):
        ledger.clock.now()
    token = signed_in(door)
    assert door.entered(token) and ledger.verify() == []


@pytest.mark.parametrize("table", Private.metadata.tables)
def test_what_stands_in_these_tables_is_no_matter_of_the_chain(
    door: Entrance, office: Office, ledger: Ledger, owner: Ledger, table: str
) -> None:
    signed_in(door)
    number = ledger.propose(Proposed.REVOKE_OPERATOR, "cleo", Asked().body, "ada")
    signed = office.sign("ben", ledger.proposal_message(number), signatures.OPERATOR)
    ledger.sign_proposal(number, office.line("ben"), signed)
    door.invite("cleo", "ben")
    door.by_password("ada", "wrong")
    assert door.bind(door.invite("ben", "ada"), "https://id.example.org", "ben there")
    seen.mark(ledger, "ada", ledger.clock.now())
    with owner.transaction() as session:
        assert session.connection().exec_driver_sql(f"DELETE FROM {table}").rowcount > 0
    assert ledger.verify() == []


def test_only_an_operator_can_have_done_what_the_chain_says(ledger: Ledger, office: Office) -> None:
    with pytest.raises(SluicegateError, match=r"EVENT_WRONG.*no operator"), ledger.transaction() as session:
        ledger.append(session, None, Pages(by="zoe", page=Page.QUEUE, count=1), also={"zoe"})
