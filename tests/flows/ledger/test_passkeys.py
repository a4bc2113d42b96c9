"""Signatures by passkeys: what counts, every way in which one does not, and that the ledger verifies them offline."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from flows.ledger import passkeys
from flows.ledger.decisions import Decision, Reason
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.passkeys import Assertion, Passkey, is_good
from flows.ledger.roles import ALL
from flows.ledger.signing import fingerprint, plain_key
from tests.factories.authenticator import ORIGIN, PRESENT, SITE, VERIFIED, Authenticator, b64
from tests.factories.ledgers import ROWS, Office
from tests.flows.ledger.test_review import held

TEXT, USE = b'{"batch":"b-1","decision":"drop"}', signatures.DECISION
KEY, OTHER = Authenticator(), Authenticator()
CHALLENGE = b"x" * 32
RSA = cbor2.dumps({1: 3, 3: -257, -1: b"n" * 256, -2: b"\1\0\1"})
INTAKE, DROP = Checkpoint.INTAKE, Decision.DROP


@pytest.mark.parametrize("es256", [False, True])
def test_a_passkey_signs_exactly_this_text_for_this_use(es256: bool) -> None:
    key = Authenticator(es256)
    signature = key.sign(TEXT, USE)
    assert is_good(TEXT, signature, key.line, USE)
    assert not is_good(TEXT + b" ", signature, key.line, USE)
    assert not is_good(TEXT, signature, key.line, signatures.INSTRUMENT)
    assert not is_good(TEXT, signature, OTHER.line, USE)
    assert not is_good(TEXT, signature, Authenticator(es256).line, USE)


# What an authenticator, or who sits between, may say instead.
WRONG: dict[str, dict[str, Any]] = {
    "another challenge": {"challenge": b"x" * 32},
    "a user who was not verified": {"flags": PRESENT},
    "nobody present": {"flags": VERIFIED},
    "no flag at all": {"flags": 0},
    "another site": {"site": "example.org"},
    "another origin": {"origin": "https://example.org"},
    "another port": {"origin": "http://localhost:4301"},
    "a page within another's": {"crossOrigin": True},
    "a page within another's, said otherwise": {"crossOrigin": "yes"},
    "a registration": {"kind": "webauthn.create"},
    "another key's line": {"by": OTHER.line},
    "another use": {"said_use": signatures.INSTRUMENT},
    "a nonce of another length": {"nonce": b"x" * 31},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_said_otherwise_is_no_signature(wrong: dict[str, Any]) -> None:
    signature = KEY.sign(TEXT, USE, **wrong)
    for line in (KEY.line, OTHER.line):
        for use in (USE, signatures.INSTRUMENT):
            assert not is_good(TEXT, signature, line, use)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_byte_goes_unseen(data: st.DataObject) -> None:
    whole = Assertion.of(KEY.sign(TEXT, USE))
    assert whole is not None
    name = data.draw(st.sampled_from(["nonce", "authenticator", "client", "signature"]))
    part = bytearray(getattr(whole, name))
    # the counter alone says nothing that is checked, but is signed
    part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
    assert not is_good(TEXT, replace(whole, **{name: bytes(part)}).text, KEY.line, USE)


def test_a_signature_and_a_key_are_written_in_one_way() -> None:
    signature = KEY.sign(TEXT, USE)
    said = json.loads(signature)
    others = [
        json.dumps(said, indent=1),
        json.dumps({**said, "more": 1}, separators=(",", ":"), sort_keys=True),
        signature + "\n",
        json.dumps({**said, "nonce": said["nonce"] + "="}, separators=(",", ":"), sort_keys=True),
        json.dumps({**said, "nonce": 7}, separators=(",", ":"), sort_keys=True),
        *("", "{}", "{", "[]", "null", "7", "{" * 20_000, "x" * 20_000),
    ]
    for other in others:
        assert Assertion.of(other) is None and not is_good(TEXT, other, KEY.line, USE)
    assert Passkey.of(KEY.line) == KEY.passkey and plain_key(f"{KEY.line} ada's phone") == KEY.line
    blob = json.loads(base64.b64decode(KEY.line.split()[1]))

    def line(said: Any, **how: Any) -> str:
        text = json.dumps(said, sort_keys=True, **({"separators": (",", ":")} | how))
        return f"webauthn {base64.b64encode(text.encode()).decode()}"

    assert line(blob) == KEY.line
    for no in (
        line(blob, indent=1),
        line({**blob, "more": 1}),
        line({**blob, "id": ""}),
        line({**blob, "key": b64(RSA)}),
        line({**blob, "key": b64(b"no key")}),
        line({**blob, "key": ""}),
        line({**blob, "site": "example.org"}),
        line({**blob, "origin": "http://example.org"}),
        line({**blob, "origin": "http://example.org", "site": "example.org"}),  # not over TLS
        line({**blob, "origin": "https://localhost.example.org"}),
        line({**blob, "origin": "https://evil-localhost"}),
        line({**blob, "origin": "https://localhost/path"}),
        line([]),
        *("webauthn", "webauthn ", "webauthn x", KEY.line.replace("webauthn", "ssh-ed25519"), f"{KEY.line}="),
    ):
        assert Passkey.of(no) is None and not is_good(TEXT, KEY.sign(TEXT, USE, by=no), no, USE)
        with pytest.raises(BadInput, match="KEY_NOT_ED25519"):
            plain_key(no)


@pytest.mark.parametrize("es256", [False, True])
def test_a_passkey_is_what_an_authenticator_of_this_site_made(es256: bool) -> None:
    key = Authenticator(es256)
    assert passkeys.made(key.register(CHALLENGE), CHALLENGE, SITE, ORIGIN) == key.passkey


MADE_WRONG: dict[str, dict[str, Any]] = {
    "for another challenge": {"asked": b"y" * 32},
    "its user was not verified": {"flags": PRESENT},
    "nobody was present": {"flags": VERIFIED},
    "at another site": {"site": "example.org"},
    "on another page": {"origin": "https://example.org"},
    "an assertion": {"kind": "webauthn.get"},
    "of an algorithm that we do not take": {"cose": RSA},
    "no key": {"cose": b"\xa0"},
}


@pytest.mark.parametrize("wrong", MADE_WRONG.values(), ids=MADE_WRONG)
def test_what_was_made_otherwise_is_no_passkey_of_ours(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no passkey"):
        passkeys.made(KEY.register(**{"asked": CHALLENGE, **wrong}), CHALLENGE, SITE, ORIGIN)


def test_what_a_browser_answers_to_a_wrong_question_is_no_passkey() -> None:
    for answer in ({}, {"id": "x"}, {"id": "eA", "rawId": "eA", "type": "public-key", "response": {}}):
        with pytest.raises(ValueError, match="no passkey"):
            passkeys.made(answer, CHALLENGE, SITE, ORIGIN)
    for answer in ({}, {"response": None}, {"response": {"signature": "!"}}, {"response": {"signature": 7}}):
        with pytest.raises(ValueError, match="no"):
            Assertion.answered(answer, KEY.line, USE, passkeys.nonce())


def test_a_passkey_is_enrolled_by_two_and_decides_with_another_operator(ledger: Ledger, office: Office) -> None:
    phone = Authenticator()
    said = ledger.operator_message("edda", phone.line, ALL)
    with pytest.raises(Usage, match="TWO_SIGNATURES"):
        ledger.enrol_operator("edda", phone.line, office.signed(said, ["ada"], signatures.OPERATOR), ALL)
    with pytest.raises(BadInput, match="KEY_NOT_ENROLLED"):  # nobody enrols himself
        both = {**office.signed(said, ["ada"], signatures.OPERATOR), "edda": phone.sign(said, signatures.OPERATOR)}
        ledger.enrol_operator("edda", phone.line, both, ALL)
    ledger.enrol_operator("edda", f"{phone.line} phone", office.signed(said, ["ada", "ben"], signatures.OPERATOR), ALL)
    assert {o.name: o.keys[0].fingerprint for o in ledger.operators()}["edda"] == fingerprint(phone.line)
    held(ledger)

    def decide(signature: str, line: str = phone.line) -> State:
        return ledger.decide("batch-1", INTAKE, ROWS, DROP, Reason.INCOMPLETE_ROWS, line, signature)

    text = ledger.decision_message("batch-1", DROP)
    for wrong in (
        phone.sign(text + b" ", USE),
        phone.sign(text, signatures.OPERATOR),
        phone.sign(text, USE, flags=PRESENT),
        office.sign("ada", text),  # a signature of another kind, under the passkey's name
        "",
    ):
        with pytest.raises(BadInput, match="BAD_SIGNATURE"):
            decide(wrong)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):  # and the other way round
        decide(phone.sign(text, USE), office.line("ada"))
    with pytest.raises(BadInput, match="KEY_NOT_ENROLLED"):
        decide(OTHER.sign(text, USE), OTHER.line)
    assert decide(phone.sign(text, USE)) is State.HELD
    with pytest.raises(BadInput, match="DECIDED_ALREADY"):
        decide(phone.sign(text, USE))
    assert office.decide("ben", "batch-1", INTAKE, DROP) is State.RECEIVED
    assert ledger.verify() == []


def test_an_instrument_and_an_operator_are_signed_by_passkeys(ledger: Ledger, office: Office) -> None:
    phones = {name: Authenticator(es256=name == "dora") for name in ("edda", "dora")}
    for name, phone in phones.items():
        said = ledger.operator_message(name, phone.line, ALL)
        ledger.enrol_operator(name, phone.line, office.signed(said, ["ada", "ben"], signatures.OPERATOR), ALL)
    said = ledger.operator_message("ada")
    signed = {name: phone.sign(said, signatures.OPERATOR) for name, phone in phones.items()}
    with pytest.raises(BadInput, match="WRONG_NAMESPACE"):
        ledger.revoke_operator("ada", {**signed, "edda": phones["edda"].sign(said, USE)})
    ledger.revoke_operator("ada", signed)
    said = ledger.operator_message("edda")
    two = {"ben": office.sign("ben", said, signatures.OPERATOR), "dora": phones["dora"].sign(said, signatures.OPERATOR)}
    ledger.revoke_operator("edda", two)
    held(ledger)
    text = ledger.decision_message("batch-1", DROP)
    with pytest.raises(BadInput, match="OPERATOR_REVOKED"):  # revoked: it signs no more
        ledger.decide(
            "batch-1", INTAKE, ROWS, DROP, Reason.NOT_VALID, phones["edda"].line, phones["edda"].sign(text, USE)
        )
    assert ledger.verify() == []
