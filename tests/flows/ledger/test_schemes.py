"""The chain goes on by another algorithm: what was before and after is proven, and an edit on either side is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from expectations.base import algorithms, signatures
from expectations.base.algorithms import FIRST, HASHES, Scheme, digest
from expectations.base.errors import SluicegateError
from flows.audit import export
from flows.cli import main
from flows.ledger import chain
from flows.ledger.chain import REHASHED, Link, check_links
from flows.ledger.database.models import Signature
from flows.ledger.ledger import Ledger
from flows.sandbox.home import OPERATORS, init
from tests.factories.ledgers import ORDER, Office, sealed
from tests.flows.ledger.conftest import DATABASES, empty

pytestmark = pytest.mark.skipif(FIRST is not Scheme.SHA256, reason="begins with SHA-256 and changes it")
BEFORE = 6  # an event of batch-1


@pytest.fixture(params=DATABASES)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A ledger with events on either side of a change: operators, an instrument and a batch before, one more after."""
    with Ledger.open(empty(request.param, request, tmp_path)) as ledger:
        made = Office(ledger, "ada", "ben", "cleo")
        made.enrol(ORDER)
        sealed(ledger)
        change(made, Scheme.SHA3_256)
        sealed(ledger, "batch-2")
        yield made


def change(office: Office, scheme: Scheme, *who: str) -> int:
    said = office.ledger.scheme_message(scheme)
    return office.ledger.rehash(scheme, office.signed(said, who or ("ada", "ben"), signatures.SCHEME))


def links(ledger: Ledger) -> list[Link]:
    return list(ledger.links())


def changed(ledger: Ledger) -> int:
    (found,) = (one.seq for one in links(ledger) if one.kind == REHASHED)
    return found


def test_each_event_is_hashed_by_the_algorithm_of_its_time(office: Office) -> None:
    ledger = office.ledger
    assert ledger.verify() == [] and ledger.scheme() is Scheme.SHA3_256
    at, found = changed(ledger), links(ledger)
    assert BEFORE < at < len(found) - 2
    for one in found:
        said = [one.seq, one.at, one.batch, one.kind, one.facts, one.previous]
        make = hashlib.sha256 if one.seq < at else hashlib.sha3_256
        body = json.dumps(said if one.seq < at else [*said, "sha3_256"], separators=(",", ":"), ensure_ascii=False)
        assert one.hash == make(body.encode()).hexdigest(), one.seq
        assert one.scheme == (None if one.seq < at else "sha3_256")


def test_digests_follow_where_another_process_has_changed_it(office: Office) -> None:
    algorithms.use(Scheme.SHA256)  # as in a process that opened the ledger before the change
    with office.ledger.transaction():
        assert algorithms.in_force() is Scheme.SHA3_256
    algorithms.use(Scheme.SHA256)
    with Ledger.open(str(office.ledger._readers.url.render_as_string(hide_password=False))):
        assert algorithms.in_force() is Scheme.SHA3_256


def test_a_signature_is_digested_by_the_algorithm_of_its_event(office: Office) -> None:
    at = changed(office.ledger)
    for one in links(office.ledger):
        make = hashlib.sha256 if one.seq < at else hashlib.sha3_256
        said = {by["signature"] for by in json.loads(one.facts).get("signed", ()) if isinstance(by, dict)}
        with office.ledger.reading() as session:
            kept = session.scalars(select(Signature.signature).where(Signature.seq == one.seq)).all()
        assert {make(text.encode()).hexdigest() for text in kept} >= said
        assert said or one.seq != at


def test_it_goes_back_and_forth(office: Office) -> None:
    change(office, Scheme.SHA256)
    sealed(office.ledger, "batch-3")
    change(office, Scheme.SHA3_256, "ben", "cleo")
    assert office.ledger.verify() == []
    assert [one.scheme for one in links(office.ledger) if one.kind == REHASHED] == ["sha3_256", "sha256", "sha3_256"]


EDITS = {
    "before: what it says": ("facts = '{\"rows\":11}'", -4),
    "before: its hash": (f"hash = '{'0' * 64}'", -4),
    "before: its algorithm": ("scheme = 'sha3_256'", -4),
    "the change: what it says": ('facts = \'{"scheme":"sha256"}\'', 0),
    "the change: its algorithm": ("scheme = NULL", 0),
    "after: what it says": ("facts = '{\"rows\":11}'", 2),
    "after: its hash": (f"hash = '{'0' * 64}'", 2),
    "after: no algorithm": ("scheme = NULL", 2),
    "after: the one before": ("scheme = 'sha256'", 2),
    "after: one that nobody knows": ("scheme = 'md5'", 2),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_on_either_side_is_found(office: Office, edit: str) -> None:
    said, offset = EDITS[edit]
    at = changed(office.ledger) + offset
    with office.ledger.transaction() as session:
        session.connection().exec_driver_sql(f"UPDATE events SET {said} WHERE seq = {at}")
    assert f"event {at}" in {problem.place for problem in office.ledger.verify()}


@pytest.mark.parametrize("offset", [-4, 0, 2])
def test_an_edit_whose_hash_was_made_anew_is_found_at_the_next_event(office: Office, offset: int) -> None:
    at = changed(office.ledger) + offset
    with office.ledger.transaction() as session:
        event = session.get_one(chain.Event, at)
        event.at = "2020-01-01T00:00:00.000000+00:00"
        event.hash = chain.event_hash(event)
    assert f"event {at + 1}" in {problem.place for problem in office.ledger.verify()}


def test_once_the_first_algorithm_is_broken_what_it_hashed_cannot_be_changed_any_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another text with the same hash: as if somebody could find one."""
    real = chain.event_hash
    with office.ledger.transaction() as session:
        session.get_one(chain.Event, BEFORE).at = "2020-01-01T00:00:00.000000+00:00"
    monkeypatch.setattr(chain, "event_hash", lambda one: one.hash if one.seq == BEFORE else real(one))
    found = list(check_links(links(office.ledger)))
    assert [one.place for one in found] == [f"event {changed(office.ledger)}"] and "vouches for" in found[0].what


def test_it_takes_two_operators_over_what_stands_now(office: Office) -> None:
    said = office.ledger.scheme_message(Scheme.SHA256)
    signed = office.signed(said, ("ada", "ben"), signatures.SCHEME)
    for given, code in (
        ({"a": next(iter(signed.values()))}, "TWO_SIGNATURES"),
        (office.signed(said, ("ada", "ben"), signatures.KEYS), "WRONG_NAMESPACE"),
        (office.signed(office.ledger.scheme_message(Scheme.SHA3_256), ("ada", "ben"), signatures.SCHEME), "BAD_SIGN"),
    ):
        with pytest.raises(SluicegateError, match=code):
            office.ledger.rehash(Scheme.SHA256, given)
    with pytest.raises(SluicegateError, match="SAME_SCHEME"):
        change(office, Scheme.SHA3_256)
    sealed(office.ledger, "batch-3")
    with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
        office.ledger.rehash(Scheme.SHA256, signed)
    assert office.ledger.scheme() is Scheme.SHA3_256 and office.ledger.verify() == []


def test_an_export_is_verified_on_either_side_and_an_older_one_names_no_algorithm(
    office: Office, tmp_path: Path
) -> None:
    export.write(office.ledger, tmp_path / "chain")
    assert export.verify(tmp_path / "chain", [], [])[0] == []
    lines = (tmp_path / "chain").read_text().splitlines()
    at = changed(office.ledger)
    older = [json.dumps({k: v for k, v in json.loads(one).items() if k != "scheme"}) for one in lines[: at - 1]]
    (tmp_path / "older").write_text("\n".join(older))
    assert export.verify(tmp_path / "older", [], [])[0] == []
    later = [one.replace('"sha3_256"', "null") for one in lines[at - 1 :]]
    (tmp_path / "without").write_text("\n".join([*older, *later]))
    assert f"event {at}" in {problem.place for problem in export.verify(tmp_path / "without", [], [])[0]}


def test_all_algorithms_are_of_one_length_and_the_first_is_the_one_of_before() -> None:
    assert {len(digest(scheme, b"x")) for scheme in HASHES} == {64}
    assert digest(FIRST, b"x") == hashlib.sha256(b"x").hexdigest()
    assert HASHES.keys() == {*Scheme}


def test_operators_change_it_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = init(tmp_path / "home", sandbox=True, settings={})
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    for name in OPERATORS:
        assert main.run(["ledger", "sign-scheme", "sha3_256", "--key", str(home.keys / name)]) == 0
    given = [part for name in OPERATORS for part in ("--signature", f"scheme.{name}.sig")]
    assert main.run(["ledger", "set-scheme", "sha3_256", *given]) == 0
    assert main.run(["ledger", "sign-head"]) == 0 and main.run(["ledger", "verify"]) == 0
    assert "0 problems" in capsys.readouterr().out
    assert main.run(["ledger", "set-scheme", "sha3_256", *given]) == 2
