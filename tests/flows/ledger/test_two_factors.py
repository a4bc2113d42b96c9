"""Two factors: what a password alone opens, whose key counts beside it, and that nobody locks another out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select

from expectations.base import signatures
from flows.ledger.database.rights import Service
from flows.ledger.entrance import Entered, Entrance, From, passwords
from flows.ledger.entrance.models import Account
from flows.ledger.facts import Failure, Way
from flows.ledger.ledger import Ledger
from tests.factories.authenticator import Authenticator
from tests.factories.consoles import PASSWORD
from tests.factories.ledgers import Office
from tests.flows.ledger.test_entrance import door, later, quick, told

__all__ = ["door", "later", "quick"]
ORIGIN = "http://localhost:4300"
HERE, THERE = From(source="1" * 64), From(source="2" * 64)


@pytest.fixture(scope="module")
def service() -> Service:
    return Service.CONSOLE


def half(door: Entrance, name: str = "ada", at: From = HERE) -> tuple[Entered, From]:
    """Signed in by a password alone, with what the browser has then."""
    token = door.by_password(name, PASSWORD, at)
    entered = door.entered(token or "")
    assert token and entered
    return entered, dataclasses.replace(at, before=token)


def shown(door: Entrance, office: Office, one: Entered, at: From, by: str = "", text: bytes = b"") -> str | None:
    """The token that an SSH key gives."""
    text = text or door.sign_in_text(ORIGIN, "nonce")
    key = office.keys[by or one.operator]
    return door.prove(one, signatures.public_line(key), signatures.sign(text, key, signatures.SIGN_IN), text, at)


def test_a_password_and_a_key_are_a_session_and_either_alone_is_none(
    door: Entrance, ledger: Ledger, office: Office
) -> None:
    one, at = half(door)
    assert one.proved_at is None and not door.is_fresh(one)
    token = shown(door, office, one, at)
    whole = door.entered(token or "")
    assert whole and whole.proved_at and door.is_fresh(whole)
    assert door.entered(at.before) is None  # another token: who saw the first has nothing
    signed_in = told(ledger, "signed_in")
    assert [(e.get("way"), "key" in e, e["source"]) for e in signed_in] == [
        ("password", False, HERE.source),
        ("ssh_key", True, HERE.source),
    ]
    assert told(ledger, "session_ended") == [] and ledger.verify() == []


@pytest.mark.parametrize("how", ["another's key", "a key of nobody", "another text", "another use", "an ended session"])
def test_a_key_that_does_not_count_is_no_second_factor(
    door: Entrance, ledger: Ledger, office: Office, how: str
) -> None:
    one, at = half(door)
    text, key, use = door.sign_in_text(ORIGIN, "nonce"), office.keys["ada"], signatures.SIGN_IN
    if how == "another's key":
        key = office.keys["ben"]
    elif how == "a key of nobody":
        key = office.new_key()
    elif how == "another use":
        use = signatures.DECISION
    elif how == "an ended session":
        door.sign_out(one)
    signature = signatures.sign(b"{}" if how == "another text" else text, key, use)
    assert door.prove(one, signatures.public_line(key), signature, text, at) is None
    door.gathered.write()
    assert told(ledger, "sign_in_failed") == [
        {"kind": "sign_in_failed", "by": "ada", "count": 1, "way": "ssh_key", "why": "wrong", "source": HERE.source}
    ]
    assert len(door.of("ada")) == (0 if how == "an ended session" else 1)


def test_five_wrong_passwords_lock_one_place_and_no_other_and_no_passkey(
    door: Entrance, ledger: Ledger, office: Office
) -> None:
    """Nobody keeps an operator out from elsewhere."""
    phone = Authenticator()
    said = ledger.key_message("ada", phone.line, True)
    ledger.add_key("ada", phone.line, office.signed(said, ("ben", "cleo"), signatures.OPERATOR))
    for _ in range(6):
        assert door.by_password("ada", "wrong", HERE) is None
    assert door.by_password("ada", PASSWORD, HERE) is None
    assert door.by_password("ada", PASSWORD, THERE)
    assert door.by_password("ben", PASSWORD, HERE)
    text = door.sign_in_text(phone.origin)
    assert door.by_passkey(phone.line, phone.sign(text, signatures.SIGN_IN), text, HERE)
    door.gathered.write()
    assert told(ledger, "locked") == [{"kind": "locked", "by": "ada", "count": 1, "source": HERE.source}]


def test_where_an_operator_came_in_with_a_key_is_known(door: Entrance, office: Office) -> None:
    one, at = half(door)
    assert not door.is_known("ada", HERE.source)  # a password is not enough
    shown(door, office, one, at)
    assert door.is_known("ada", HERE.source)
    assert not door.is_known("ada", THERE.source) and not door.is_known("ben", HERE.source)


def test_one_more_session_than_the_limit_ends_the_oldest_of_its_kind(
    door: Entrance, ledger: Ledger, office: Office, later: Callable[..., None]
) -> None:
    door.limits = dataclasses.replace(door.limits, most=2)
    tokens = []
    for _ in range(3):
        tokens.append(shown(door, office, *half(door)) or "")
        later(seconds=1)
    assert [door.entered(one) is not None for one in tokens] == [False, True, True]
    for _ in range(3):  # whoever knows the password ends no session that a key began
        half(door)
        later(seconds=1)
    assert [door.entered(one) is not None for one in tokens] == [False, True, True]
    assert len(door.of("ada")) == 4
    assert told(ledger, "session_ended") == [{"kind": "session_ended", "by": "ada", "count": 1}] * 2


def test_a_key_that_was_shown_is_fresh_for_five_minutes(
    door: Entrance, office: Office, later: Callable[..., None]
) -> None:
    one, at = half(door)
    token = shown(door, office, one, at) or ""
    later(minutes=4, seconds=59)
    entered = door.entered(token)
    assert entered and door.is_fresh(entered)
    later(seconds=1)
    assert not door.is_fresh(entered)
    again = door.entered(shown(door, office, entered, From(token)) or "")
    assert again and door.is_fresh(again) and door.entered(token) is None


def test_a_password_is_hashed_anew_when_the_parameters_are_others(
    door: Entrance, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored() -> str:
        with ledger.reading() as session:
            return str(session.scalar(select(Account.password).where(Account.operator == "ada")))

    before, stronger = stored(), PasswordHash((Argon2Hasher(2, 16, 1),))
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    assert door.by_password("ada", "wrong", HERE) is None and stored() == before
    half(door)
    after = stored()
    assert "t=1," in before and "t=2," in after
    half(door)
    assert stored() == after


NEW = "six other words, and no phrase"
CHANGES: dict[str, tuple[str, str, str]] = {
    "the right one": (PASSWORD, NEW, ""),
    "a wrong one": ("wrong", NEW, "PASSWORD_WRONG"),
    "in other letters": (PASSWORD.upper(), NEW, "PASSWORD_WRONG"),
    "with a space": (f"{PASSWORD} ", NEW, "PASSWORD_WRONG"),
    "a short one": (PASSWORD, "short", "PASSWORD_LENGTH"),
    "a leaked one": (PASSWORD, "passwordpassword", "PASSWORD_LEAKED"),
    "one's own name": (PASSWORD, "ada, ada, ada, ada", "PASSWORD_GUESSED"),
}


@pytest.mark.parametrize(("known", "new", "code"), CHANGES.values(), ids=CHANGES)
def test_a_password_is_changed_by_whoever_knows_it(
    door: Entrance, ledger: Ledger, known: str, new: str, code: str
) -> None:
    one, at = half(door)
    if code:
        with pytest.raises(signatures.BadInput, match=code):
            door.change_password(one, known, new, at)
        assert door.entered(at.before) and door.by_password("ada", PASSWORD, THERE)
        return
    invitation = door.invite("ada", "ben")
    door.change_password(one, known, new, at)
    assert door.entered(at.before) is None and door.invited(invitation) is None
    assert door.by_password("ada", PASSWORD, THERE) is None and door.by_password("ada", new, THERE)
    assert told(ledger, "password_set")[-1] == {
        "kind": "password_set",
        "by": "ada",
        "way": "password",
        "source": HERE.source,
    }
    assert ledger.verify() == []


SENT = {
    "64 of any kind": "ä♥" * 32,
    "128": "x y z " * 21 + "xy",
    "full width": "ｐａｓｓｗｏｒｄ ｏｆ ａｄ ａ",  # NFKC would make other letters of it
    "spaces around": "  two words, three spaces  ",
    "decomposed": "e\u0301" * 10,
}


@pytest.mark.parametrize("password", SENT.values(), ids=SENT)
def test_a_password_is_checked_exactly_as_it_was_sent(door: Entrance, password: str) -> None:
    import unicodedata

    door.set_password(door.invite("ada", "ben"), password)
    assert door.by_password("ada", password, HERE)
    others = {unicodedata.normalize(form, password) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    others |= {password.strip(), password[:-1], password.swapcase(), password[:72]}
    for n, other in enumerate(sorted(others - {password})):
        assert door.by_password("ada", other, From(source=f"{n:064d}")) is None


def test_wrong_passwords_are_counted_against_a_change_as_well(door: Entrance) -> None:
    one, at = half(door)
    for _ in range(5):
        with pytest.raises(signatures.BadInput, match="PASSWORD_WRONG"):
            door.change_password(one, "wrong", NEW, at)
    with pytest.raises(signatures.BadInput, match="PASSWORD_WRONG"):
        door.change_password(one, PASSWORD, NEW, at)


def test_tries_from_ever_other_places_do_not_fill_the_chain(door: Entrance, ledger: Ledger) -> None:
    before = ledger.head().seq
    for n in range(1_000):
        door.failed(None, Way.PASSKEY, Failure.OFTEN, From(source=f"{n:064d}"))
    door.gathered.write()
    found = told(ledger, "sign_in_failed")
    assert ledger.head().seq - before == len(found) <= 201
    assert sum(int(str(e["count"])) for e in found) == 1_000 and ledger.verify() == []


def test_sessions_end_by_an_approver_one_operators_or_all(door: Entrance, ledger: Ledger) -> None:
    tokens = [half(door, name)[1].before for name in ("ada", "ada", "ben")]
    assert door.end_sessions("cleo", "ada") == 2
    assert [door.entered(one) is not None for one in tokens] == [False, False, True]
    assert door.end_sessions("cleo") == 1 and door.end_sessions("cleo") == 0
    assert told(ledger, "session_ended") == [
        {"kind": "session_ended", "by": "ada", "count": 2, "who": "cleo"},
        {"kind": "session_ended", "by": "ben", "count": 1, "who": "cleo"},
    ]
    assert ledger.verify() == []


def test_only_an_approver_ends_the_sessions_of_others(door: Entrance, ledger: Ledger, office: Office) -> None:
    from expectations.base.errors import Usage
    from flows.ledger.roles import Role

    token = half(door)[1].before
    office.give("cleo", Role.OPERATOR, by=("ada", "ben"))
    for who, name in (("cleo", "ada"), ("zoe", "ada"), ("ben", "zoe")):
        with pytest.raises(Usage):
            door.end_sessions(who, name)
    assert door.entered(token)
    assert [e["act"] for e in told(ledger, "denied")] == ["operators"]


def test_a_session_of_anothers_is_not_ended_by_its_id(door: Entrance) -> None:
    ada, ben = half(door)[0], half(door, "ben")[0]
    door.end("ada", ben.id)
    assert len(door.of("ben")) == 1
    door.end("ben", ben.id)
    assert door.of("ben") == [] and [one.id for one in door.of("ada")] == [ada.id]
