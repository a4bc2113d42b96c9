"""The keys of the home: lost, replaced, or another's. Nothing is released with a key that the ledger does not know, and
nobody makes one silently."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import SluicegateError
from flows import audit
from flows.audit import signed_heads
from flows.batch.receive import receive
from flows.cli import main
from flows.home import keys, renewal
from flows.home.tree import Home, make_tree, open_home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.sandbox.home import OPERATORS, init
from pipelines import sealing
from tests.factories import installations, ledgers
from tests.factories.full_ledger import FixedOffice


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose ledger has a disclosure."""
    folder = tmp_path_factory.mktemp("used")
    home = installations.make(folder / "home").home
    with opened(home) as ledger:
        ledgers.published(ledger, folder, prepared(ledger, "b-1"))
        signed_heads.write(home, ledger)
    return home


def prepared(ledger: Ledger, batch: str) -> str:
    ledgers.sealed(ledger, batch)
    return batch


def opened(home: Home) -> Ledger:
    return Ledger.open(home.ledger_url, home.clock())


@pytest.fixture
def home(used: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    shutil.copytree(used.root, tmp_path / "home")
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return open_home(tmp_path / "home")


def key_problems(home: Home) -> dict[str, str]:
    with opened(home) as ledger:
        return {p.place: p.what for p in audit.verify(home, ledger).problems if p.place.startswith("keys")}


def another(name: KeyName, path: Path) -> None:
    """Another key of the same kind in this place."""
    path.unlink()
    keys.make(name, path)


SPOILED: dict[str, tuple[KeyName, Callable[[Path], object], str]] = {
    "the hash key lost": (KeyName.HASH, Path.unlink, "KEY_MISSING"),
    "another hash key": (KeyName.HASH, lambda p: another(KeyName.HASH, p), "KEY_OTHER"),
    "half a hash key": (KeyName.HASH, lambda p: p.write_bytes(p.read_bytes()[:16]), "KEY_UNREADABLE"),
    "a hash key that others read": (KeyName.HASH, lambda p: p.chmod(0o644), "KEY_EXPOSED"),
    "a folder for the hash key": (KeyName.HASH, lambda p: (p.unlink(), p.mkdir()), "KEY_MISSING"),
    "the signing key lost": (KeyName.HOLDER_SIGNING, Path.unlink, "KEY_MISSING"),
    "another signing key": (KeyName.HOLDER_SIGNING, lambda p: another(KeyName.HOLDER_SIGNING, p), "KEY_OTHER"),
    "the recipient key lost": (KeyName.HOLDER_AGE, Path.unlink, "KEY_MISSING"),
    "another recipient key": (KeyName.HOLDER_AGE, lambda p: another(KeyName.HOLDER_AGE, p), "KEY_OTHER"),
    "the public keys lost": (KeyName.EARLIER_SIGNING, Path.unlink, "KEY_MISSING"),
    "a stranger's public key": (
        KeyName.EARLIER_SIGNING,
        lambda p: p.write_text(p.read_text() + signatures.public_line(ledgers.Office.new_key()) + "\n"),
        "KEY_OTHER",
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_key_that_is_missing_or_other_stops_everything(home: Home, tmp_path: Path, how: str) -> None:
    """Before, `init` made a new hash key, and the same requests were released again."""
    name, spoil, code = SPOILED[how]
    path = home.keys / keys.FILES[name]
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with opened(home) as ledger:
        head = ledger.head()
        for use in (
            lambda: receive(home, ledger, Clock(), tmp_path),
            lambda: signed_heads.write(home, ledger),
            lambda: init(home.root, sandbox=True, settings={}),
        ):
            with pytest.raises(SluicegateError) as error:
                use()
            assert error.value.code == code and error.value.exit_code == 2
            assert path.name in error.value.where and error.value.remedy
        assert ledger.head() == head
    assert (path.read_bytes() if path.is_file() else None) == before, "init made another"
    assert f"keys/{path.name}" in key_problems(home)


def test_the_commands_say_how_to_restore_it(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (home.keys / "hash").unlink()
    for command, code in (
        (["init", "--sandbox"], 2),
        (["keys", "show"], 1),
        (["doctor"], 1),
        (["ledger", "verify"], 1),
    ):
        assert main.run(command) == code, command
        said = capsys.readouterr()
        assert "hash" in said.out + said.err and not (home.keys / "hash").exists()
        assert "Restore it from a backup" in said.out + said.err or command[0] == "ledger"


def test_an_edited_fingerprint_is_found(home: Home) -> None:
    """Whoever has the database makes it know the key that lies here."""
    another(KeyName.HASH, home.keys / "hash")
    with opened(home) as ledger:
        with ledger.transaction() as session:
            query = "UPDATE home_keys SET fingerprint = ? WHERE name = 'hash'"
            session.connection().exec_driver_sql(query, (home.hash_key.fingerprint,))
        keys.prove(home, ledger)
        assert any("home_keys" in p.what for p in ledger.verify())


def test_a_new_home_makes_its_keys_once(tmp_path: Path) -> None:
    home = init(tmp_path / "home", sandbox=True, settings={})
    made = {p.name: p.read_bytes() for p in home.keys.iterdir() if p.is_file()}
    assert init(tmp_path / "home", sandbox=True, settings={}) == home
    assert {p.name: p.read_bytes() for p in home.keys.iterdir() if p.is_file()} == made
    with opened(home) as ledger:
        assert [k.name for k in ledger.known_keys()] == ["hash", "holder_age", "holder_signing"]
        assert ledger.events()[0]["kind"] == "keys" and ledger.verify() == []


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, FixedOffice]:
    """A home of an older version: with disclosures, and a ledger that knows no keys."""
    home = make_tree(tmp_path / "old", {"sandbox": True})
    for name in keys.OWN:
        keys.make(name, home.keys / keys.FILES[name])
    with opened(home) as ledger:
        office = FixedOffice(ledger, "ada", "ben")
        ledgers.published(ledger, tmp_path, prepared(ledger, "b-1"))
    return home, office


def test_where_claims_are_an_operator_vouches_for_the_keys_once(old: tuple[Home, FixedOffice]) -> None:
    home, office = old
    with opened(home) as ledger:
        with pytest.raises(SluicegateError, match=r"KEYS_UNVOUCHED.*sluicegate keys sign"):
            keys.prove(home, ledger)
        assert "keys" in {p.place for p in audit.verify(home, ledger).problems}
        with pytest.raises(SluicegateError, match="KEYS_UNVOUCHED"):
            renewal.record(home, ledger, {})
        message = renewal.message(home, ledger)
        stranger = signatures.sign(message, office.new_key(), signatures.KEYS)
        with pytest.raises(SluicegateError, match="KEY_NOT_ENROLLED"):
            renewal.record(home, ledger, {"s": stranger})
        assert renewal.record(home, ledger, {"a": office.sign("ada", message, signatures.KEYS)})
        keys.prove(home, ledger)
        assert not renewal.record(home, ledger, {})
        assert ledger.verify() == []


def test_a_ledger_without_claims_is_told_at_the_first_run(tmp_path: Path) -> None:
    home = make_tree(tmp_path / "old", {"sandbox": True})
    for name in keys.OWN:
        keys.make(name, home.keys / keys.FILES[name])
    with opened(home) as ledger:
        keys.prove(home, ledger)
        assert len(ledger.known_keys()) == 3


def sign_and_record(home: Home, *names: str) -> int:
    for name in names:
        assert main.run(["keys", "sign", "--key", str(home.keys / name)]) == 0
    given = [f"keys.{name}.sig" for name in names]
    return main.run(["keys", "record", *(part for file in given for part in ("--signature", file))])


def test_a_renewed_signing_key_counts_once_two_operators_have_signed(home: Home) -> None:
    old = (home.keys / "holder-signing").read_bytes()
    assert main.run(["keys", "renew", "holder_signing"]) == 0
    assert sign_and_record(home, OPERATORS[0]) == 2  # one is not enough
    assert (home.keys / "holder-signing").read_bytes() == old
    assert sign_and_record(home, *OPERATORS) == 0
    assert (home.keys / "holder-signing").read_bytes() != old and not list(home.keys.glob("*.new*"))
    assert len(home.holders) == 2
    with opened(home) as ledger:
        keys.prove(home, ledger)
        assert signed_heads.write(home, ledger)  # signed by the new key, after one that the old key signed
        found = audit.verify(home, ledger)
    assert [
        p for p in found.problems if not p.place.startswith(("accounting", "package", "evidence", "verdicts"))
    ] == []
    assert found.signed_heads == 2


def test_a_crash_between_the_event_and_the_file_is_completed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    assert main.run(["keys", "renew", "holder_signing"]) == 0
    with monkeypatch.context() as patched:
        patched.setattr(renewal, "_put", crash)
        assert sign_and_record(home, *OPERATORS) == 1
    with opened(home) as ledger, pytest.raises(SluicegateError, match="KEY_OTHER"):
        keys.prove(home, ledger)
    assert main.run(["keys", "record"]) == 0
    with opened(home) as ledger:
        keys.prove(home, ledger)


def test_no_other_hash_key_takes_the_place_of_one_that_requests_are_claimed_with(home: Home) -> None:
    (home.keys / "hash.new").write_bytes(secrets.token_bytes(32))
    (home.keys / "hash.new").chmod(0o600)
    assert sign_and_record(home, *OPERATORS) == 2


def test_nor_once_a_batch_was_taken_in_whatever_became_of_it(tmp_path: Path) -> None:
    """Limits over the period count the officers and reasons of refused batches, too, by keyed hashes."""
    with Ledger.open(f"sqlite:///{tmp_path / 'a'}.db") as ledger:
        office, known = FixedOffice(ledger, "ada", "ben"), [(name, ledgers.sha(name)) for name in keys.OWN]
        ledger.record_keys(known)
        ledgers.receive(ledger, "batch-1")
        ledger.refuse("batch-1", ["COURT_ORDER"], ["mou"])
        other = [(name, ledgers.sha("another") if name == "hash" else key) for name, key in known]
        signed = office.signed(ledger.keys_message(other), ("ada", "ben"), signatures.KEYS)
        with pytest.raises(SluicegateError, match="KEY_IN_USE"):
            ledger.record_keys(other, signed)


def test_a_lost_recipient_key_does_not_lock_the_home_for_good(home: Home) -> None:
    (home.keys / "holder-age").unlink()
    assert main.run(["keys", "renew", "holder_age"]) == 0
    assert sign_and_record(home, *OPERATORS) == 0
    with opened(home) as ledger:
        keys.prove(home, ledger)
    assert sealing.load_identity(home.keys / "holder-age")


def test_a_signature_for_another_home_counts_nowhere_else(tmp_path: Path) -> None:
    """The same operators, with the same keys, serve two homes."""
    homes = [Ledger.open(f"sqlite:///{tmp_path / name}.db") for name in ("a", "b")]
    office, other = (FixedOffice(ledger, "ada", "ben", "cleo") for ledger in homes)
    messages = [ledger.instrument_message(ledgers.ORDER) for ledger in homes]
    assert json.loads(messages[0])["home"] != json.loads(messages[1])["home"]
    for use in (
        lambda: homes[1].enrol_instrument(
            ledgers.ORDER, office.signed(messages[0], ("ada", "ben"), signatures.INSTRUMENT)
        ),
        lambda: homes[1].revoke_operator(
            "cleo", office.signed(homes[0].operator_message("cleo"), ("ada", "ben"), signatures.OPERATOR)
        ),
    ):
        with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
            use()
    for one in (office, other):
        one.enrol(ledgers.ORDER)
    filed = ledgers.sha("filed")
    said = office.sign("ada", homes[0].compliance_message("order-1", filed), signatures.COMPLIANCE)
    with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
        homes[1].confirm_compliance("order-1", filed, office.line("ada"), said)
    homes[0].confirm_compliance("order-1", filed, office.line("ada"), said)
    assert homes[0].verify() == homes[1].verify() == []
    for ledger in homes:
        ledger.close()
