"""A sandbox home: made-up keys for the holder, a fictional requester and two operators, and the shipped instruments.
The shipped agreements are templates: their keys are made here, so that no key that anyone could know is ever trusted. A
production home enrols instruments of its own (`sluicegate instruments enrol`, two operator keys)."""

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.base.errors import Fault, Usage
from expectations.instruments import Agreement
from flows.home import keys
from flows.home.tree import Home, make_tree
from flows.ledger import Ledger
from flows.registry import enrolled
from pipelines import sealing, simulate
from pipelines.lake import Progress
from pipelines.preflight import Packer, example, pack

EXAMPLE = "sandbox-2026"  # the agreement of the shipped example
OPERATORS = ("operator-1", "operator-2")
REQUESTER_SIGNING, REQUESTER_AGE = "sandbox-requester-signing", "sandbox-requester-age"


def init(root: Path, *, sandbox: bool, settings: dict[str, Any], clock: Clock | None = None) -> Home:
    """Makes a home tree and the holder's keys; with `sandbox`, everything else a first run needs. Safe to repeat: no
    key is made where the ledger knows the home's. Raises Usage if one of those is missing, or is another."""
    home = make_tree(root, {**settings, "sandbox": sandbox})
    with Ledger.open(home.ledger_url, clock or home.clock()) as ledger:
        keys.make_missing(home, ledger)
        if sandbox:
            for name in OPERATORS:
                ledger.enrol_operator(name, _signing_key(home, name))
            for name, body in _instruments(home, ledger.clock.today("UTC")):
                enrol(home, ledger, body, name)
    return home


def enrol(home: Home, ledger: Ledger, body: bytes, where: str) -> str:
    """Enrols an instrument with the signatures of the sandbox's two operators; gives its digest."""
    message = ledger.instrument_message(body, where)
    private = {name: signatures.load(home.keys / name) for name in OPERATORS}
    signed = {name: signatures.sign(message, key, signatures.INSTRUMENT) for name, key in private.items()}
    return ledger.enrol_instrument(body, signed, where)


def _signing_key(home: Home, name: str) -> str:
    path = home.keys / name
    if not path.exists():
        signatures.generate(path, name)
    return path.with_name(name + ".pub").read_text().strip()


def _age_key(home: Home, name: str) -> str:
    """Makes an age identity if there is none; returns its recipient."""
    path = home.keys / name
    if not path.exists():
        sealing.save_identity(sealing.new_identity(), path)
    return sealing.load_identity(path).recipient


def _instruments(home: Home, today: date) -> list[tuple[str, bytes]]:
    """The shipped instruments with the sandbox's own keys and the day; written to the home's instruments folder too."""
    signing = " ".join(_signing_key(home, REQUESTER_SIGNING).split()[:2])
    recipient = _age_key(home, REQUESTER_AGE)
    bodies = []
    for source in sorted(files("infra").joinpath("instruments").iterdir(), key=lambda f: f.name):
        if not source.name.endswith((".toml", ".toml.in")):
            continue
        text = source.read_text(encoding="utf-8").replace("{signing_key}", signing).replace("{recipient}", recipient)
        text = text.replace("{today}", today.isoformat())
        name = source.name.removesuffix(".in")
        (home.instruments / name).write_text(text, encoding="utf-8")
        bodies.append((name, text.encode()))
    return bodies


def make_batch(
    home: Home,
    register: Path,
    rows: int,
    seed: int,
    profile: str,
    out: Path,
    day: date,
    agreement: str,
    incomplete_share: float | None,
    progress: Progress = lambda step, done, total: None,
) -> Path:
    """A made-up submission, signed with the sandbox requester's key; returns its folder. The truth lies beside it.
    Raises Usage in a home that is no sandbox: nobody but the requester has its key."""
    if not home.config.sandbox:
        raise Usage("NO_SANDBOX", "only a sandbox has a requester's key", remedy="sluicegate init --sandbox elsewhere.")
    found = _agreement(home, agreement)
    return simulate.batch(
        register,
        rows,
        seed,
        profile,
        out,
        requester_id=found.requester.id,
        sign_key=signatures.load(home.keys / REQUESTER_SIGNING),
        agreement_id=agreement,
        letter_date=day,
        incomplete_share=incomplete_share,
        duck=home.duck,
        progress=progress,
    )


def make_example(home: Home, out: Path) -> None:
    """The shipped example of a submission, and in `out/submission` the same dated today and signed with the sandbox
    requester's key. Raises Usage as `example.write` does."""
    example.write(out)
    packer = Packer(signatures.load(home.keys / REQUESTER_SIGNING), home.clock(), home.duck, _agreement(home, EXAMPLE))
    report = pack(out / example.TABLE, out / example.FACTS, out / "submission", packer)
    if report.findings:
        remedy = "Run sluicegate submission pack on it to see them."
        raise Fault("EXAMPLE_STALE", "the shipped example has findings", where=report.findings[0].code, remedy=remedy)


def _agreement(home: Home, name: str) -> Agreement:
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        found = enrolled.newest(ledger).agreements.get(name)
    if found is None:
        raise Usage("NO_AGREEMENT", "no agreement of this name is enrolled", remedy="See sluicegate instruments list.")
    return found
