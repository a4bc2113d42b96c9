"""No agreement, letter or list widens the law: what 26 USC 6103(i) lists stays closed, and who signed is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import duck, signatures
from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Usage
from expectations.instruments import Agreement, instrument_problems, parse_enrolled, parse_instrument
from expectations.rules.book import batch_rules
from expectations.rules.rule import failing_codes
from flows.batch import checkpoints, grounds, receive
from flows.batch.advance import advance
from flows.batch.steps import BatchSteps
from flows.ledger import Ledger, registry
from flows.ledger.decisions import Decision, allowed
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.signing import fingerprint
from flows.registry import enrolled
from flows.reports import status
from flows.sandbox.home import OPERATORS, REQUESTER_SIGNING, enrol
from pipelines import ingest
from pipelines.ingest import submission
from tests.factories import installations, ledgers, submissions
from tests.factories.contexts import taken
from tests.factories.installations import Installation
from tests.factories.ledgers import Office
from tests.factories.submissions import INSTRUMENTS, KEY
from tests.flows.batch.test_last_moment import rows, until_sealed, work
from tests.spec.book import letter_facts, of_batch

TEXT = (INSTRUMENTS / "sandbox-2026.toml.in").read_text()
OTHER = Ed25519PrivateKey.generate()
_SIGNATORY = TEXT[TEXT.index("[[signatories]]") : TEXT.index("[thresholds]")]
_OFFICES = 'offices = ["Head of agency", "Inspector General"]'
_SECOND = '[[signatories]]\nname = "B. Second"\noffice = "Inspector General"\nvalid_from = 2026-01-01\n'

# what an agreement of an older version could say, and none can be enrolled with → where that is wrong
WIDER: dict[str, tuple[str, str, str]] = {
    "a purpose of its own": ('"Criminal proceeding", ', '"Criminal proceeding", "Civil removal", ', "purposes"),
    "an office of its own": (_OFFICES, 'offices = ["Head of agency", "Assistant Director"]', "offices"),
    "an officer of Justice": (_OFFICES, 'offices = ["Head of agency", "United States attorney"]', "offices"),
    "nobody who signs": (_SIGNATORY, "", "signatories"),
    "somebody without a key": (_SIGNATORY, _SIGNATORY.replace('keys = ["{signing_key}"]\n', ""), "signatories"),
    "one of two without a key": ("[keys]", f"{_SECOND}\n[keys]", "signatories"),
    "a signatory without a name": ('name = "A. Signatory (fictional)"', 'name = " "', "signatories"),
    "one key for two persons": ("[keys]", f'{_SECOND}keys = ["{{signing_key}} another"]\n\n[keys]', "signatories"),
}


@pytest.mark.parametrize("name", WIDER)
def test_no_agreement_wider_than_the_law_can_be_enrolled(name: str) -> None:
    said, wider, key = WIDER[name]
    body = TEXT.replace(said, wider, 1).replace("{signing_key}", signatures.public_line(KEY)).encode()
    assert said in TEXT
    with pytest.raises(BadInput, match=key) as caught:
        parse_instrument(body, "a.toml")
    assert not any(word in str(caught.value) for word in ("Civil removal", "Assistant Director", "B. Second"))
    assert instrument_problems(body, "a.toml")
    if name != "one key for two persons":  # older versions had no keys of persons, so that they could not share one
        assert isinstance(parse_enrolled(body, "a.toml"), Agreement)


def test_an_officer_of_justice_signs_for_justice_only() -> None:
    body = TEXT.replace(_OFFICES, 'offices = ["Head of agency", "United States attorney"]')
    justice = body.replace("[requester]", "[requester]\njustice = true").encode()
    found = parse_instrument(justice, "a.toml")
    assert isinstance(found, Agreement) and found.requester.justice
    other = parse_enrolled(body.encode(), "a.toml")
    assert isinstance(other, Agreement)
    office = {"name": "X", "office": "United States attorney"}
    for under, may in ((found, True), (other, False)):
        assert letter_facts(under, signatory=office).office_may_sign is may


LETTERS: dict[str, dict[str, Any]] = {
    "purpose": {"purpose": "Civil removal"},
    "signatory.office": {"signatory": {"name": "A. Signatory (fictional)", "office": "Assistant Director"}},
}


@pytest.mark.parametrize("key", LETTERS)
def test_a_letter_beyond_the_law_is_refused_when_it_is_read(tmp_path: Path, sandbox: Agreement, key: str) -> None:
    source = submissions.write(tmp_path / "in", submissions.rows(2), agreement=sandbox, **LETTERS[key])
    with pytest.raises(BadInput, match=f"LETTER_INVALID: {key}: ") as caught:
        ingest.take_in(source, tmp_path / "out")
    assert ("Civil removal" not in str(caught.value) and "Criminal proceeding" in str(caught.value)) or key != "purpose"


def codes_of(known: dict[str, Any]) -> list[str]:
    with duck.session() as connection:
        from expectations.facts import sql

        query = f"SELECT {failing_codes(batch_rules())} FROM ({sql.one_row(known)})"
        return list(connection.execute(query).fetchall()[0][0])


def test_what_an_older_agreement_listed_beyond_the_law_counts_for_nothing() -> None:
    """Whatever was enrolled, and whatever a kept letter says, the rules know the lists of the law."""
    body = TEXT.replace('"Criminal proceeding", ', '"Criminal proceeding", "Civil removal", ')
    body = body.replace(_OFFICES, 'offices = ["Head of agency", "Assistant Director"]')
    old = parse_enrolled(body.replace("{signing_key}", signatures.public_line(KEY)).encode(), "a.toml")
    assert isinstance(old, Agreement)
    assert codes_of(of_batch(letter_facts(old))) == []
    assert codes_of(of_batch(letter_facts(old, purpose="Civil removal"))) == ["PURPOSE_NOT_ALLOWED"]
    found = codes_of(of_batch(letter_facts(old, signatory={"name": "X", "office": "Assistant Director"})))
    assert "OFFICE_MAY_NOT_SIGN" in found


def two_persons() -> Agreement:
    """An agreement with a signatory for each office, each with a key of their own."""
    second = f'{_SECOND}keys = ["{signatures.public_line(OTHER)} comment"]\n\n[keys]'
    body = TEXT.replace("[keys]", second).replace("{signing_key}", signatures.public_line(KEY))
    found = parse_instrument(body.encode(), "a.toml")
    assert isinstance(found, Agreement)
    return found


def test_the_key_says_who_signed_and_must_be_that_of_the_person_named(monkeypatch: pytest.MonkeyPatch) -> None:
    under = two_persons()
    first, second = ({"name": s.name, "office": s.office} for s in under.signatories)
    assert codes_of(of_batch(letter_facts(under, signatory=first))) == []
    assert codes_of(of_batch(letter_facts(under, signatory=second))) == ["SIGNATORY_NOT_AUTHORISED"]
    assert under.signatory_with(signatures.public_line(KEY), **second) == 1  # whomever the letter names
    monkeypatch.setattr(submissions, "KEY", OTHER)
    assert codes_of(of_batch(letter_facts(under, signatory=second))) == []
    assert codes_of(of_batch(letter_facts(under, signatory=first))) == ["SIGNATORY_NOT_AUTHORISED"]
    assert under.signatory_with(signatures.public_line(OTHER), **first) == 2
    mixed = {**first, "office": second["office"]}
    assert codes_of(of_batch(letter_facts(under, signatory=mixed))) == ["SIGNATORY_NOT_AUTHORISED"]


def test_a_letter_of_before_signatories_had_keys_stays_signed_when_it_is_read_again() -> None:
    """Replay and lookback judge a past letter by the agreement of today, and by the keys of its own day."""
    text = TEXT.replace("{signing_key}", signatures.public_line(OTHER))
    now = parse_instrument(text.encode(), "a.toml")
    nameless = text.replace(text[text.index("[[signatories]]") : text.index("[thresholds]")], "")
    signing = f'[keys]\nsigning = ["{signatures.public_line(KEY)} comment"]\n'
    then = parse_enrolled(nameless.replace("[keys]\n", signing).encode(), "a.toml")
    assert isinstance(now, Agreement) and isinstance(then, Agreement) and not then.keyed
    asked = {"name": now.signatories[0].name, "office": now.signatories[0].office}
    assert codes_of(of_batch(letter_facts(then, signatory=asked))) == []
    assert codes_of(of_batch(letter_facts(now, signatory=asked))) == ["LETTER_KEY_UNKNOWN"]
    assert codes_of(of_batch(letter_facts(now.with_keys_of(then), signatory=asked))) == []
    stranger = {**asked, "name": "Somebody else"}
    assert codes_of(of_batch(letter_facts(now.with_keys_of(then), signatory=stranger))) == ["SIGNATORY_NOT_AUTHORISED"]


def test_the_keys_of_an_agreement_sign_no_letter(sandbox: Agreement) -> None:
    """`keys.signing` attests recalls; a letter that nobody's own key signed is not signed."""
    extra = sandbox.keys.model_copy(update={"signing": (signatures.public_line(OTHER),)})
    under = sandbox.model_copy(update={"keys": extra})
    assert signatures.public_line(OTHER) not in under.letter_keys and under.attesting_keys[0] not in under.letter_keys


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"officers": []}, "NO_OFFICERS"), ({"statute": "8 USC 1229a"}, "STATUTE_NOT_DESIGNATED")],
)
def test_a_letter_whose_rows_can_none_of_them_pass_is_refused_with_its_code(
    tmp_path: Path, sandbox: Agreement, changes: dict[str, Any], code: str
) -> None:
    """Not held as an error: no row is left to look at, the control rows included, and that is known."""
    source = submissions.write(tmp_path / "in", submissions.rows(2), agreement=sandbox, **changes)
    context = taken(tmp_path / "b", source, sandbox)
    ingest.run(context)
    inputs = checkpoints._intake(context, checkpoints.letter_facts(context), None)
    verdict = checkpoints.intake.check(inputs, context.duck)
    assert (verdict.status, verdict.codes) == ("REFUSE", (code,))


# what older versions recorded


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock(datetime(2026, 6, 1, 12, tzinfo=UTC))
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock) as ledger:
        yield Office(ledger, "ada", "ben")


def test_a_batch_of_an_older_version_is_read_with_its_letters_attestation_once_it_ended(office: Office) -> None:
    ledger = office.ledger
    ledgers.receive(ledger)  # without the key of the letter: as older versions recorded it
    assert grounds.determinations(ledger, ledger.known_batch("batch-1")) == ()
    ledger.refuse("batch-1", ["COURT_ORDER"], ["mou"])
    (found,) = grounds.determinations(ledger, ledger.known_batch("batch-1"))
    assert (found.agreements, found.determined_on) == (("mou",), date(2026, 3, 2))
    ledgers.receive(ledger, "batch-2")
    ledger.refuse("batch-2", ["NO_CLEARANCE"], ["mou"])
    assert grounds.determinations(ledger, ledger.known_batch("batch-2")) == ()


# a whole home


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = installations.make(tmp_path_factory.mktemp("home"))
    with installations.at_home(made.home):
        yield made


def determination(day: date, more: str = "") -> bytes:
    text = (INSTRUMENTS / "determination-sandbox.toml.in").read_text()
    return (text.replace("{today}", day.isoformat()) + more).encode()


def retried(installation: Installation, one: BatchSteps) -> BatchSteps:
    """As the next run has it, once an operator has signed that it is tried again."""
    from flows.batch.decisions import sign

    sign(installation.home, one.name, Decision.RETRY, signatures.load(installation.home.keys / OPERATORS[0]))
    return BatchSteps(installation.home, one.ledger, one.name)


@pytest.mark.slow
def test_the_holders_determination_stands_before_intake_and_before_publication(
    installation: Installation, tmp_path: Path
) -> None:
    today = Clock().today(installation.agreement.zone)
    asked = [installations.request(n) for n in (1, 2, 3, 4)]
    with work(installation, installation.submit(tmp_path / "a", [*asked, *rows(5, 8)[-2:]])) as one:
        received = one.ledger.events(one.name)[0]["facts"]
        key = signatures.public_line(signatures.load(installation.home.keys / REQUESTER_SIGNING))
        assert (received["signatory"], received["letter_key"]) == (1, fingerprint(key))
        assert status.one(installation.home, one.name)["signed_by"] == "A. Signatory (fictional), Head of agency"
        enrol(installation.home, one.ledger, determination(today, f"withdrawn_on = {today}\n"), "withdrawn")
        assert advance(one) is State.HELD and one.record.codes == ("NO_CLEARANCE",)  # though the letter attests it
        assert allowed(Checkpoint.INTAKE, one.record.codes) == {Decision.REJECT, Decision.RETRY}
        enrol(installation.home, one.ledger, determination(today), "made")
        one = retried(installation, one)
        until_sealed(one)
        old = today - timedelta(days=400)  # more than the agreement's 366 days
        enrol(installation.home, one.ledger, determination(old), "old")
        assert advance(one) is State.HELD and not (installation.home.outbox / one.name).exists()
        assert one.record.codes == ("NO_CLEARANCE",)
        enrol(installation.home, one.ledger, determination(today), "made again")
        one = retried(installation, one)
        assert advance(one) is State.PUBLISHED and one.ledger.verify() == []
        with pytest.raises(Usage, match="DETERMINED_AHEAD"):
            enrol(installation.home, one.ledger, determination(today + timedelta(days=3)), "ahead")


def test_nothing_new_is_decided_under_an_agreement_without_signatories(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version enrolled it: it is read, past batches are decided by it, and no submission is taken in."""
    home, under = installation.home, installation.agreement
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        now = next(body for name, _, body in ledger.instruments() if name == under.id)
        text = now.decode()
        key = text[text.index('keys = ["') : text.index("]", text.index('keys = ["')) + 1]
        old = text.replace(text[text.index("[[signatories]]") : text.index("[thresholds]")], "")
        old = old.replace("[keys]\n", f"[keys]\n{key.replace('keys', 'signing', 1)}\n")
        with pytest.raises(BadInput, match="signatories"):
            enrol(home, ledger, old.encode(), "old")
        with monkeypatch.context() as older:
            older.setattr(registry, "parse_instrument", parse_enrolled)
            enrol(home, ledger, old.encode(), "old")
        found = enrolled.newest(ledger).agreements[under.id]
        assert found.signatories == () and found.letter_keys == under.letter_keys
        with pytest.raises(BadInput, match="AGREEMENT_TO_RENEW") as caught:
            receive.receive(home, ledger, Clock(), installation.submit(tmp_path / "b", rows(9, 10), under))
        assert "sluicegate instruments check" in caught.value.remedy
        assert [r.codes or json.dumps(ledger.events(r.name)[-1]["facts"]) for r in ledger.batches(State.UNREADABLE)]
        assert ledger.verify() == []
        enrol(home, ledger, now, "new")
        assert submission.LETTER and receive.receive(
            home, ledger, Clock(), installation.submit(tmp_path / "c", rows(11, 12), under)
        )
