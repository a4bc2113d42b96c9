"""A ledger with every kind of event that can be made without an upgrade, and with every column filled in some row.

The same calls made `old.sql` with the version before events were types: keys are fixed, so that a test can sign on.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.algorithms import Scheme
from expectations.base.clock import Clock
from expectations.base.digests import of_bytes
from expectations.base.errors import Usage
from expectations.base.keyed import Generation
from expectations.facts.earlier import Period
from flows.batch import publication
from flows.batch.decisions import resume, withdraw
from flows.ledger.calling import CallReason
from flows.ledger.case_records import ATTESTATION, NewCase
from flows.ledger.database.models import KeyName, SealKind
from flows.ledger.decisions import Decision, Reason
from flows.ledger.entrance import Entrance, From, accounts
from flows.ledger.events.console import Pages
from flows.ledger.events.operators import Denied
from flows.ledger.events.seals import AFFECTED
from flows.ledger.facts import Page, View
from flows.ledger.ledger import Ledger
from flows.ledger.lifecycles.cases import CaseReason, Proof, message
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.ledger.looks import LookReason, Why
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.restorations import Outside
from flows.ledger.roles import ALL, Act, NotYourRole, Role
from flows.ledger.seals import Change
from flows.ledger.snoozing import SnoozeReason
from tests.factories.law import no_law
from tests.factories.ledgers import ORDER, ROWS, Office, accounted, package, pairs, published, receive, sealed, sha
from tests.factories.submissions import INSTRUMENTS

NAMES = ("ada", "ben", "cleo", "dora")
TEXT = b"we attest\n"
SUCCESSOR = Generation(Scheme.SHA3_256, bytes(range(32)))
KEYS = [(name, sha(name)) for name in (KeyName.HASH, KeyName.HOLDER_SIGNING, KeyName.HOLDER_AGE)]


def fixed_key(name: str) -> Ed25519PrivateKey:
    """The key of somebody in this ledger."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


class FixedOffice(Office):
    """Operators with keys that are the same each time."""

    def __init__(self, ledger: Ledger, *names: str, enrol: bool = True) -> None:
        super().__init__(ledger)
        self.keys = {name: fixed_key(name) for name in names}
        for name in names if enrol else ():
            said = ledger.operator_message(name, self.line(name), ALL)
            ledger.enrol_operator(name, self.line(name), self.signed(said, names[:2], signatures.OPERATOR), ALL)


def agreement() -> bytes:
    """The agreement of the batches, `mou`."""
    text = (INSTRUMENTS / "sandbox-2026.toml.in").read_text().replace('"sandbox-2026"', '"mou"')
    line = signatures.public_line(fixed_key("recipient"))
    return text.replace("{signing_key}", line).replace("{recipient}", "age1x").encode()


def fill(ledger: Ledger, folder: Path) -> FixedOffice:
    """Fills an empty ledger; packages go below `folder`."""
    ledger.record_keys(KEYS)
    office = FixedOffice(ledger, *NAMES)
    office.enrol(ORDER)
    office.enrol(ORDER + b"lifted_on = 2026-02-01\n")
    said = ledger.compliance_message("order-1", sha("filed"))
    signed = office.sign("ada", said, signatures.COMPLIANCE)
    ledger.confirm_compliance("order-1", sha("filed"), office.line("ada"), signed)
    office.enrol(agreement())
    office.revoke("dora", "ada", "ben")
    for batch in ("batch-1", "batch-2"):
        receive(ledger, batch, by="ada" if batch == "batch-1" else None)
        ledger.ask(batch, 10, sha(f"asked {batch}"))
        ledger.count_period(batch, 365, Period(20, 4, 1))
        sealed(ledger, batch)
        ledger.record_tries(batch, pairs("a", batch))
        published(ledger, folder, batch)
    _recalled(ledger, office)
    _renewed(ledger, office)
    _stopped(ledger, office)
    _withdrawn(ledger, office, folder)
    ledger.record_correction(
        "k-1",
        agreement="mou",
        requester="agency",
        batches={"batch-1": 1},
        affected=sha("affected"),
        package=sha("notice"),
        operator="ada",
    )
    _halted(ledger, office)
    why = Why(LookReason.COMPLAINT, "CMP-2026-17")
    ledger.audit("batch-1", 3, View.VALUES, "ada", why)
    with suppress(Usage):
        ledger.audit("batch-1", 3, View.REGISTER, "ada", why, most=1)
    ledger.audit("batch-1", None, View.EVIDENCE, "ada")
    ledger.audit_person(sha("person a"), "ada", why)
    _at_the_door(ledger)
    _on_the_desk(ledger, office)
    _at_home(ledger, office)
    _restored(ledger, office)
    _trusted(ledger, office)
    _set_aside(ledger)
    _sealed_anew(ledger)
    return office


def _renewed(ledger: Ledger, office: FixedOffice) -> None:
    """Another key of the keyed hashes, while no batch is under way."""
    said = office.signed(ledger.keys_message(_later(), SUCCESSOR.scheme), ("ada", "ben"), signatures.KEYS)
    ledger.record_keys(_later(), said, SUCCESSOR)


def _later() -> list[tuple[KeyName, str]]:
    return [(name, SUCCESSOR.keyed_hash(key) if name is KeyName.HASH else key) for name, key in KEYS]


def _at_the_door(ledger: Ledger) -> None:
    """Everything that happens at the console's door, and what is gathered there."""
    entrance, password, at = Entrance(ledger), "correct horse battery staple", From(source=sha("an address"))
    for name in ("ada", "ben"):
        entrance.set_password(entrance.invite(name, "ada"), password)
    token = entrance.by_password("ada", password)
    entered = entrance.entered(token or "")
    assert entered
    entrance.sign_out(entered)
    assert entrance.by_password("ada", password)
    entrance.end_all("ada")
    assert entrance.bind(entrance.invite("ben", "ada"), "https://id.example.org", "ben there")
    assert entrance.by_identity("https://id.example.org", "ben there", both=True)
    entrance.unbind("ben", "ada")
    assert entrance.by_password("ada", password, at)
    assert entrance.end_sessions("ben") == 1
    for _ in range(accounts.WRONG):
        assert entrance.by_password("ben", "wrong", at) is None
    for page, batch in ((Page.QUEUE, None), (Page.BATCH, "batch-1")):
        entrance.gathered.note(Pages(by="ada", page=page, batch=batch, count=1))
    entrance.gathered.note(Pages(by="ada", page=Page.CASE, case="c-1", count=1))
    entrance.gathered.note(Denied(by="ada", act=Act.HALT, count=1))
    entrance.gathered.write()
    assert entrance.gathered.lost == 0


def _on_the_desk(ledger: Ledger, office: FixedOffice) -> None:
    """A change that one has signed and taken back, and that was withdrawn; another that waits."""
    asked = Asked.about(roles=[Role.VIEWER]).body
    for wait in (False, True):
        number = ledger.propose(Proposed.ROLES, "cleo", asked, "ada")
        signed = office.sign("ben", ledger.proposal_message(number), signatures.OPERATOR)
        assert not ledger.sign_proposal(number, office.line("ben"), signed)
        for who in () if wait else ("ben", "ada"):
            ledger.withdraw_proposal(number, who)


def _sealed_anew(ledger: Ledger) -> None:
    """Every kind of file whose digest the ledger knows, once; that of one batch twice."""
    for number, owner in enumerate(("batch-1", "batch-1", "k-1", "c-1")):
        changes = [
            Change(kind, owner, digest, sha(f"{kind} {number}")) for (kind, _), digest in ledger.seals(owner).items()
        ]
        ledger.reseal("ada", dict(KEYS)[KeyName.HOLDER_AGE], changes, owner if owner == "batch-1" else None)
    assert {kind for kind, _ in ledger.seals()} == set(SealKind)


def _set_aside(ledger: Ledger) -> None:
    """A batch that is set aside, and something else that was and was taken back; others are asked to look at both."""
    soon = ledger.clock.now() + timedelta(hours=8)
    ledger.snooze(sha("held"), "ada", SnoozeReason.CAUSE_SOUGHT, soon, "held")
    ledger.snooze(sha("folder"), "ben", SnoozeReason.REQUESTER_ASKED, soon)
    ledger.unsnooze(sha("folder"), "ada")
    ledger.call(sha("held"), "ada", CallReason.SECOND_NEEDED, "held", sha("a note"))
    ledger.call(sha("folder"), "ben", CallReason.CAUSE_UNKNOWN)


def _at_home(ledger: Ledger, office: FixedOffice) -> None:
    """Another signing key; a clock that ran two days ahead, seen by the nightly run, and that was set right."""
    keys = [(name, sha("new") if name is KeyName.HOLDER_SIGNING else key) for name, key in _later()]
    keys.append((KeyName.EARLIER_SIGNING, dict(KEYS)[KeyName.HOLDER_SIGNING]))
    ledger.record_keys(keys, office.signed(ledger.keys_message(keys), ("ada", "ben"), signatures.KEYS))
    right, today = ledger.clock, ledger.clock.now().date()
    ledger.clock = Clock(right.now() + timedelta(days=2))
    assert ledger.tick()
    ledger.clock = right
    ledger.set_clock(today, office.signed(ledger.clock_message(today), ("ada", "ben"), signatures.CLOCK))
    said = ledger.scheme_message(Scheme.SHA3_256)
    ledger.rehash(Scheme.SHA3_256, office.signed(said, ("ada", "ben"), signatures.SCHEME))


def _restored(ledger: Ledger, office: FixedOffice) -> None:
    """Opened once by operators who knew that nothing was lost, and once by operators who knew what was."""
    for lost in ((), ((4, sha("lost")),)):
        with ledger.transaction() as session:
            ledger.record_restored(session, sha("backup"))
        newest = ledger.restorations()[-1].head
        outside = Outside(newest, lost, (sha("forgotten"),) if lost else ())
        signed = office.signed(ledger.opening_message(outside), ("ada", "ben"), signatures.OPENING)
        assert ledger.open_restored(outside, signed) is not bool(lost)


def _trusted(ledger: Ledger, office: FixedOffice) -> None:
    """A key that came and went, roles that went and came back, what was refused meanwhile, and what was taken back."""
    for added, change in ((True, ledger.add_key), (False, ledger.remove_key)):
        line = signatures.public_line(fixed_key("ben, second"))
        said = ledger.key_message("ben", line, added)
        change("ben", line, office.signed(said, ("ada", "cleo"), signatures.OPERATOR))
    office.give("cleo", Role.VIEWER, by=("ada", "ben"))
    with suppress(NotYourRole):
        ledger.halt("cleo", Reason.NOT_VALID)
    office.give("cleo", *ALL, by=("ada", "ben"))
    withdraw(ledger, ledger.waiting_decision("held", "ada"), fixed_key("ada"))
    office.decide("ada", "held", Checkpoint.MATCHING, Decision.CONFIRM)
    stands, head = ledger.halts()[-1].seq, ledger.head().seq
    resume(ledger, stands, fixed_key("ada"), Reason.CAUSE_MENDED)
    withdraw(ledger, head + 1, fixed_key("ada"))
    resume(ledger, stands, fixed_key("ada"), Reason.CAUSE_MENDED)


def _stopped(ledger: Ledger, office: FixedOffice) -> None:
    """Batches that ended, or wait, in each other way."""
    for batch in ("held", "rejected", "expired", "refused", "failed"):
        receive(ledger, batch)
    receive(ledger, "unreadable", requester="unknown", agreement="unknown")
    ledger.receive(
        "long-ago",
        submission=sha("long-ago"),
        requester="agency",
        agreement="mou",
        rows=2,
        register="register-1",
        received_at=datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        decided_on=date(2024, 1, 2),
        instruments={"mou": sha("mou"), "order-1": sha("order-1")},
    )
    ledger.record_tries("long-ago", pairs("a", "long ago"))
    ledger.refuse("long-ago", ["COURT_ORDER"], ["mou"])
    ledger.advance("unreadable", State.UNREADABLE)
    ledger.advance("failed", State.FAILED)
    ledger.refuse("refused", ["COURT_ORDER"], ["mou"])
    for batch in ("rejected", "expired"):
        ledger.hold(batch, Checkpoint.INTAKE, ROWS, ["TOO_MANY_INCOMPLETE"])
    office.decide("ada", "rejected", Checkpoint.INTAKE, Decision.REJECT)
    ledger.expire("expired", ["TOO_MANY_INCOMPLETE"])
    ledger.begin_shredding("rejected", sha("key"), lambda _: [])
    ledger.end_shredding("rejected")
    ledger.begin_shredding("expired", None, lambda _: [])
    ledger.end_shredding("expired")
    ledger.advance("held", State.INGESTED, facts={"rows_submitted": 10})
    ledger.hold("held", Checkpoint.MATCHING, ROWS, ["MATCH_RATE"])
    office.decide("ada", "held", Checkpoint.MATCHING, Decision.CONFIRM)


def _withdrawn(ledger: Ledger, office: FixedOffice, folder: Path) -> None:
    """A batch that people let go on, that failed and went on, was sealed twice, and was stopped in time."""
    name = "withdrawn"
    receive(ledger, name)
    ledger.hold(name, Checkpoint.INTAKE, ROWS, ["TOO_MANY_INCOMPLETE"])
    for who in ("ada", "ben"):
        office.decide(who, name, Checkpoint.INTAKE, Decision.DROP)
    for state in (State.INGESTED, State.FAILED, State.INGESTED, State.MATCHED, State.VALIDATED, State.SEALED):
        ledger.advance(name, state)
    made = package(folder / "lake" / name, name)
    for again in (False, True):
        if again:
            publication.reopen(ledger, name, folder / "outbox")
            ledger.advance(name, State.SEALED)
        publication.prepare(
            ledger,
            name,
            keys=pairs("w"),
            package=made,
            merkle_root=accounted(ledger, name),
            content_digest=ROWS,
            law=no_law,
        )
    publication.withdraw(ledger, name, folder / "outbox", ["HALTED"], ["order-1"])


def _recalled(ledger: Ledger, office: FixedOffice) -> None:
    """A case that is closed, and one that was found."""
    for case, batch in (("c-1", "batch-1"), ("c-2", "batch-2")):
        found = datetime(2026, 3, 3, 1, 2, 3, 456789, tzinfo=UTC)
        new = NewCase(case, "agency", "mou", CaseReason.LOOKBACK, found, {batch: 1}, {"NO_NUMBER": 1}, sha(case))
        ledger.open_case(new, pairs(batch), "ada")
    for proof in (Proof.LIST, Proof.NOTICE, Proof.COPIES, Proof.PART, Proof.LOG):
        _step(ledger, office, proof, "ada")
    ledger.issue("c-1", lambda *_: {"documents": {"notice.txt": sha("notice")}})
    ledger.attest("c-1", TEXT, signatures.sign(TEXT, fixed_key("recipient"), signatures.ATTESTATION))
    for who in ("ada", "ben"):
        _step(ledger, office, Proof.REVIEW, who)


def _step(ledger: Ledger, office: FixedOffice, proof: Proof, who: str) -> None:
    text = message("c-1", proof, ledger.case("c-1").seq, sha(proof))
    documents = {Proof.LOG: {ATTESTATION: of_bytes(TEXT)}, Proof.LIST: {AFFECTED: sha("persons")}}.get(proof, {})
    ledger.take(
        "c-1", proof, lambda *_: {"documents": documents}, sha(proof), office.sign(who, text, signatures.RECALL)
    )


def _halted(ledger: Ledger, office: FixedOffice) -> None:
    """A halt that was lifted, and one that stands."""
    halt = ledger.halt("ada", Reason.SUSPECTED_FAULT)
    for who in ("ada", "ben"):
        ledger.resume(halt, Reason.CAUSE_MENDED, office.line(who), office.sign(who, ledger.halt_message(halt)))
    ledger.halt("ben", Reason.COURT_OR_COUNSEL)
