"""Operators and instruments: what takes two keys, and every signature that does not count."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from expectations.base import signatures
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput, SluicegateError, Usage
from expectations.base.signatures import INSTRUMENT, OPERATOR
from flows.ledger import chain, facts, rebuild
from flows.ledger.database.models import Enrolled, Signature
from flows.ledger.ledger import Ledger
from flows.ledger.roles import ALL
from flows.ledger.signing import fingerprint, instrument_message
from tests.factories.ledgers import ORDER, Office

LIFTED = ORDER.replace(b'effect = "forbid"', b'effect = "forbid"\nlifted_on = 2026-02-01')
STRANGER = "zoe"


def test_what_is_signed_names_kind_id_digest_and_the_version_before(ledger: Ledger, office: Office) -> None:
    assert json.loads(ledger.instrument_message(ORDER)) == {
        "kind": "court_order",
        "id": "order-1",
        "digest": of_bytes(ORDER),
        "after": 0,
        "home": ledger.home_id(),
    }
    office.enrol(ORDER)
    assert json.loads(ledger.instrument_message(LIFTED))["after"] == 1


def test_instruments_count_once_enrolled_and_the_newest_version_counts(ledger: Ledger, office: Office) -> None:
    first = office.enrol(ORDER)
    head = ledger.head()
    assert office.enrol(ORDER, "ben", "cleo") == first and ledger.head() == head  # the same again
    second = office.enrol(LIFTED, "cleo", "ben")
    assert ledger.instruments() == [("order-1", second, LIFTED)]
    assert ledger.instrument(first) == ORDER
    office.enrol(ORDER)  # an older text in force again, signed anew
    assert ledger.instruments() == [("order-1", first, ORDER)]
    assert [(v.version, v.digest, [name for name, _, _ in v.signed]) for v in ledger.versions("order-1")] == [
        (1, first, ["ada", "ben"]),
        (2, second, ["ben", "cleo"]),
        (3, first, ["ada", "ben"]),
    ]
    assert ledger.versions("order-2") == [] and ledger.verify() == []


def test_the_chain_keeps_who_signed_with_which_key(ledger: Ledger, office: Office) -> None:
    signed = office.signed(ledger.instrument_message(ORDER), ["ben", "ada"], INSTRUMENT)
    ledger.enrol_instrument(ORDER, signed)
    with ledger.reading() as session:
        *_, last = chain.events(session)
    assert json.loads(last.facts)["signed"] == [
        {"by": name, "key": fingerprint(office.line(name)), "signature": of_bytes(signed[name].encode())}
        for name in ("ada", "ben")
    ]


def message_after(ledger: Ledger, version: int) -> bytes:
    """What is signed to enrol the order after this version, in this home."""
    return instrument_message("court_order", "order-1", of_bytes(ORDER), version, ledger.home_id())


NOT_COUNTED = {
    "none": ("TWO_SIGNATURES", []),
    "one": ("TWO_SIGNATURES", ["ada"]),
    "one operator twice": ("SAME_OPERATOR", ["ada", "ada again"]),
    "a stranger": ("KEY_NOT_ENROLLED", ["ada", STRANGER]),
    "a revoked operator": ("OPERATOR_REVOKED", ["ada", "cleo"]),
    "over another instrument": ("BAD_SIGNATURE", ["ada", "another"]),
    "over an earlier version": ("BAD_SIGNATURE", ["ada", "replayed"]),
    "over a version to come": ("BAD_SIGNATURE", ["ada", "early"]),
    "another's, under this key": ("BAD_SIGNATURE", ["ada", "forged"]),
    "a decision's": ("WRONG_NAMESPACE", ["ada", "decision"]),
    "a letter's": ("WRONG_NAMESPACE", ["ada", "letter"]),
    "an operator's enrolment": ("WRONG_NAMESPACE", ["ada", "operator"]),
    "no signature": ("NO_SIGNATURE", ["ada", "garbage"]),
    "two good ones and a bad one": ("BAD_SIGNATURE", ["ada", "ben", "replayed"]),
}


@pytest.mark.parametrize("case", NOT_COUNTED)
def test_a_signature_that_does_not_count(ledger: Ledger, office: Office, case: str) -> None:
    office.keys[STRANGER] = office.new_key()
    replayed = office.sign("ben", ledger.instrument_message(ORDER), INSTRUMENT)
    office.enrol(ORDER)
    office.enrol(LIFTED)
    office.revoke("cleo")
    said = ledger.instrument_message(ORDER)  # back to the first text: it needs new signatures
    head = ledger.head()
    made = {
        **office.signed(said, ["ada", "ben", "cleo", STRANGER], INSTRUMENT),
        "ada again": office.sign("ada", said, INSTRUMENT),
        "another": office.sign("ben", ledger.instrument_message(ORDER + b"#"), INSTRUMENT),
        "replayed": replayed,
        "early": office.sign("ben", message_after(ledger, 3), INSTRUMENT),
        "forged": forged(office, said),
        "decision": office.sign("ben", said, signatures.DECISION),
        "letter": office.sign("ben", said, signatures.LETTER),
        "operator": office.sign("ben", said, OPERATOR),
        "garbage": "-----BEGIN SSH SIGNATURE-----",
    }
    code, given = NOT_COUNTED[case]
    with pytest.raises(SluicegateError, match=code) as error:
        ledger.enrol_instrument(ORDER, {name: made[name] for name in given})
    assert error.value.where in ("", *given) and error.value.remedy
    assert ledger.head() == head and [body for _, _, body in ledger.instruments()] == [LIFTED]


def forged(office: Office, said: bytes) -> str:
    """A signature that names ben's key and was made by ada."""
    ben, ada = (signatures.base64.b64decode(office.line(name).split()[1]) for name in ("ben", "ada"))
    armored = office.sign("ada", said, INSTRUMENT).splitlines()
    blob = signatures.base64.b64decode("".join(armored[1:-1])).replace(ada, ben)
    return "\n".join([armored[0], signatures.base64.b64encode(blob).decode(), armored[-1], ""])


def test_what_is_no_instrument_or_changes_its_kind_is_refused(ledger: Ledger, owner: Ledger, office: Office) -> None:
    with pytest.raises(BadInput, match="INSTRUMENT_KIND"):
        ledger.enrol_instrument(b"x = 1", {})
    assert ledger.instruments() == []
    office.enrol(ORDER)
    with owner.transaction() as session:
        session.query(Enrolled).one().kind = "agreement"
    with pytest.raises(Usage, match="KIND_CHANGED"):
        office.enrol(LIFTED)


def test_one_person_with_two_keys_is_one(ledger: Ledger, office: Office) -> None:
    with pytest.raises(Usage, match="OPERATOR_KNOWN"):
        ledger.enrol_operator("ada", office.line("ben"))
    with pytest.raises(Usage, match="OPERATOR_KNOWN"):
        ledger.enrol_operator("ada-2", office.line("ada"))
    ledger.enrol_operator("ada", office.line("ada"))  # the same again
    office.revoke("ada")
    with pytest.raises(Usage, match="OPERATOR_KNOWN"):
        ledger.enrol_operator("ada", office.line("ada"))
    assert [(o.name, o.revoked_at is None) for o in ledger.operators()] == [
        ("ada", False),
        ("ben", True),
        ("cleo", True),
    ]
    assert ledger.verify() == []


def test_an_operator_after_the_first_two_needs_two_signatures(ledger: Ledger, office: Office) -> None:
    office.keys["dora"] = office.new_key()
    said = ledger.operator_message("dora", office.line("dora"), ALL)
    assert said != ledger.operator_message("dora", office.line("ada"), ALL)
    for given in ((), ("ada",)):
        with pytest.raises(Usage, match="TWO_SIGNATURES"):
            ledger.enrol_operator("dora", office.line("dora"), office.signed(said, given, OPERATOR), ALL)
    with pytest.raises(BadInput, match="KEY_NOT_ENROLLED"):
        ledger.enrol_operator("dora", office.line("dora"), office.signed(said, ["ada", "dora"], OPERATOR), ALL)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.enrol_operator("eve", office.line("dora"), office.signed(said, ["ada", "ben"], OPERATOR), ALL)
    ledger.enrol_operator("dora", office.line("dora"), office.signed(said, ["ada", "ben"], OPERATOR), ALL)
    office.enrol(ORDER, "cleo", "dora")
    assert ledger.verify() == []


def test_two_others_revoke_and_nobody_alone_or_for_oneself(ledger: Ledger, office: Office) -> None:
    for by, code in {("ada",): "TWO_SIGNATURES", ("ada", "ben"): "OWN_REVOCATION"}.items():
        with pytest.raises(Usage, match=code):
            office.revoke("ben", *by)
    enrolling = office.signed(ledger.operator_message("ben", office.line("ben"), ALL), ["ada", "cleo"], OPERATOR)
    with pytest.raises(BadInput, match="BAD_SIGNATURE"):
        ledger.revoke_operator("ben", enrolling)
    with pytest.raises(Usage, match="UNKNOWN_OPERATOR"):
        ledger.revoke_operator("zoe", {})
    office.revoke("ben", "cleo", "ada")
    assert [o.name for o in ledger.operators() if o.revoked_at] == ["ben"] and ledger.verify() == []


@pytest.mark.parametrize("by", [[], ["ada"], ["ada", "cleo"]])
def test_an_instrument_put_in_with_its_event_but_without_two_good_signatures_is_found(
    ledger: Ledger, office: Office, by: list[str]
) -> None:
    """Whoever can write to the database and knows how the chain is made."""
    office.revoke("cleo")
    signed = office.signed(ledger.instrument_message(ORDER), by, INSTRUMENT)
    facts_of = [
        {"by": n, "key": fingerprint(office.line(n)), "signature": of_bytes(s.encode())} for n, s in signed.items()
    ]
    said = {"instrument": "order-1", "kind": "court_order", "digest": of_bytes(ORDER), "version": 1, "signed": facts_of}
    said["home"] = ledger.home_id()
    with ledger.transaction() as session:
        link = chain.append(session, ledger.now(), None, "enrolled", facts.checked(said, {"order-1", *by}))
        seq = link.seq
        session.add(
            Enrolled(
                seq=seq,
                id="order-1",
                version=1,
                digest=of_bytes(ORDER),
                kind="court_order",
                enrolled_at=link.at,
                body=ORDER,
            )
        )
        for name, signature in signed.items():
            message = message_after(ledger, 0)
            session.add(
                Signature(
                    seq=seq,
                    signer=name,
                    purpose="instrument",
                    text=message,
                    key_line=office.line(name),
                    signature=signature,
                )
            )
        session.flush()
        assert [p.place for p in rebuild.verify(session, chain.events(session))] == [f"event {seq}"]


def test_old_signatures_put_in_again_with_an_event_of_their_own_are_found(ledger: Ledger, office: Office) -> None:
    office.enrol(ORDER)
    office.enrol(LIFTED)
    with ledger.transaction() as session:
        old, *_ = (e for e in chain.events(session) if e.kind == "enrolled")
        new = chain.append(session, ledger.now(), None, "enrolled", old.facts)
        for table, columns in (
            ("signatures", "signer, purpose, text, key_line, signature"),
            ("instruments", "id, digest, kind, body, version, enrolled_at"),
        ):
            changed = columns.replace("version", "3").replace("enrolled_at", f"'{new.at}'")
            session.execute(
                text(
                    f"INSERT INTO {table} (seq, {columns}) SELECT {new.seq}, {changed} FROM {table} WHERE seq ="
                    f" {old.seq}"
                )
            )
        session.flush()
        problems = list(rebuild.verify(session, chain.events(session)))
        assert [p.place for p in problems] == [f"event {new.seq}", f"instrument {new.seq}"]


@pytest.mark.outside
def test_an_instrument_signed_by_ssh_keygen_counts(ledger: Ledger, tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed here")
    said, signed = tmp_path / "message", {}
    for name in ("ada", "ben"):
        key = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        ledger.enrol_operator(name, key.with_suffix(".pub").read_text())
    said.write_bytes(ledger.instrument_message(ORDER))
    for name in ("ada", "ben"):
        key = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", INSTRUMENT, "-f", key, said], check=True)
        signed[name] = said.with_suffix(".sig").read_text()
        said.with_suffix(".sig").unlink()
    ledger.enrol_instrument(ORDER, signed)
    assert ledger.verify() == []
