"""The key of each batch's evidence, and its end: after the years of the agreement, never while something needs it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import BadInput, Usage
from flows import audit
from flows.cli import main
from flows.evidence import keys, shred
from flows.evidence.store import accounting_path, evidence_folder, evidence_list_path
from flows.home.tree import HOLDER_AGE, Home
from flows.replay import opened
from flows.replay.explain import explain
from flows.sandbox.home import enrol
from pipelines import sealing
from tests.factories import installations, runs
from tests.factories.installations import Installation
from tests.factories.runs import at

Made = tuple[Installation, str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A installation with a published batch."""
    folder = tmp_path_factory.mktemp("shred")
    installation = installations.make(folder / "home")
    return installation, runs.released(installation, folder / "s", 1, 12)


@pytest.fixture
def place(made: Made, tmp_path: Path) -> tuple[Home, str]:
    """A copy of it, to be spoilt."""
    return runs.copy(made[0].home, tmp_path / "home"), made[1]


def end(made: Made) -> date:
    """The first day on which the evidence may go."""
    installation, _ = made
    today = Clock().today(installation.agreement.zone)
    return shred._years_on(today, installation.agreement.retention_years)


def problems(home: Home) -> list[str]:
    with runs.ledger_of(home) as ledger:
        return [p.place for p in audit.verify(home, ledger).problems]


def test_evidence_opens_with_both_keys_only(made: Made, place: tuple[Home, str], tmp_path: Path) -> None:
    home, batch = place
    sealed = evidence_folder(home) / f"{batch}.parquet.age"
    holder = sealing.load_identity(home.keys / HOLDER_AGE)
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        sealing.open_file(sealed, tmp_path / "open", holder)  # the holder's key alone does not
    with pytest.raises(BadInput, match="IDENTITY_UNREADABLE"):
        sealing.load_identity(keys.place(home, batch))  # nor does the batch's, which is itself sealed
    assert keys.place(home, batch).stat().st_mode & 0o077 == 0
    sealing.open_file(sealed, tmp_path / "open", keys.identity(home, batch))
    sealing.save_identity(sealing.new_identity(), tmp_path / "other")
    shutil.copy(tmp_path / "other", home.keys / HOLDER_AGE)
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        keys.identity(home, batch)


def test_evidence_sealed_to_the_holder_itself_still_opens_and_can_be_shredded(
    made: Made, place: tuple[Home, str], tmp_path: Path
) -> None:
    home, batch = place
    identity, holder = keys.identity(home, batch), sealing.load_identity(home.keys / HOLDER_AGE)
    for path in evidence_folder(home).glob(f"{batch}.*.age"):
        sealing.open_file(path, tmp_path / "plain", identity)
        sealing.seal_file(tmp_path / "plain", path, [holder.recipient])
    keys.place(home, batch).unlink()
    evidence_list_path(home, batch).unlink()
    with runs.ledger_of(home) as ledger, opened.opened(home, runs.work(home, ledger, batch)) as (_, relation):
        assert "evidence.parquet" in relation
    with runs.ledger_of(home, at(str(end(made)))) as ledger:
        assert shred.shred(home, ledger, batch) == []
        assert [e["facts"] for e in ledger.events(batch)][-1] == {"key": None}
    assert list(evidence_folder(home).glob(f"{batch}.*")) == []


def test_the_day_before_it_is_kept_and_on_the_day_it_goes(made: Made, place: tuple[Home, str], tmp_path: Path) -> None:
    home, batch = place
    key = keys.place(home, batch)
    copies = shutil.copytree(evidence_folder(home), tmp_path / "backup")
    public = keys.identity(home, batch).recipient
    before = date.fromordinal(end(made).toordinal() - 1)
    with runs.ledger_of(home, at(str(before))) as ledger:
        assert shred.shred(home, ledger, batch) == [f"{made[0].agreement.id} keeps it until {end(made)}"]
        assert not ledger.shredding(batch) and key.exists()
    with runs.ledger_of(home, at(str(end(made)))) as ledger:
        assert shred.shred(home, ledger, batch) == []
        assert shred.shred(home, ledger, batch) == []  # again: no change
        events = ledger.events(batch)
        assert [e["kind"] for e in events][-2:] == ["shredding", "shredded"]
        assert {e["facts"]["key"] for e in events[-2:]} == {shred.name_of_bytes(public.encode())}
    assert not key.exists() and list(evidence_folder(home).glob(f"{batch}.*")) == []
    assert accounting_path(home, batch).exists() and problems(home) == []
    with pytest.raises(BadInput, match="SEAL_BROKEN"):  # no key opens the copies any more
        sealing.open_file(copies / f"{batch}.parquet.age", tmp_path / "open", keys.identity(home, batch))
    with pytest.raises(Usage, match="EVIDENCE_SHREDDED"):
        explain(home, Clock(), batch, 0)
    shutil.copytree(copies, evidence_folder(home), dirs_exist_ok=True)
    assert f"evidence/{batch}.parquet.age" in problems(home)


def test_a_shredding_before_its_day_shows_in_the_chain(
    made: Made, place: tuple[Home, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the keepers out of the code leaves the date of the event."""
    home, batch = place
    monkeypatch.setattr(shred, "KEEPERS", ())
    with runs.ledger_of(home, at(str(date.fromordinal(end(made).toordinal() - 1)))) as ledger:
        assert shred.shred(home, ledger, batch) == []
    assert problems(home) == [f"evidence of batch {batch}"]


@pytest.mark.parametrize(
    ("order", "keeps"),
    [
        ('effect = "hold"\nscope = { agreements = ["sandbox-2026"] }', True),
        ('effect = "recall"\nscope = { districts = ["D. Mass."] }', True),
        (
            'effect = "hold"\nscope = { statutes = ["18 USC 1"] }',
            True,
        ),  # which statute the letter named does not matter
        ('effect = "hold"\nscope = { agreements = ["another"] }', False),
        ('effect = "forbid"\nscope = {}', False),
        ('effect = "forbid"\npreserve = true\nscope = {}', True),
        ('effect = "hold"\nlifted_on = 2030-01-01\nscope = {}', False),
    ],
)
def test_an_order_that_holds_recalls_or_preserves_keeps_it(
    made: Made, place: tuple[Home, str], order: str, keeps: bool
) -> None:
    home, batch = place
    body = (
        'kind = "court_order"\nid = "order-1"\ncourt = "C"\ndocket = "1"\ntitle = "T"\nsource = "S"\neffective_on ='
        f" 2026-01-01\n{order}\n"
    )
    with runs.ledger_of(home, at(str(end(made)))) as ledger:
        enrol(home, ledger, body.encode(), "order-1")
        assert bool(shred.shred(home, ledger, batch)) == keeps
        assert bool(ledger.shredding(batch)) != keeps
        if keeps:
            lift = f'{body.partition("effect = ")[0]}effect = "lift"\nlifts = ["order-1"]\n'.replace(
                'id = "order-1"', 'id = "order-2"'
            )
            enrol(home, ledger, lift.encode(), "order-2")
            assert shred.shred(home, ledger, batch) == []


def test_a_longer_retention_of_a_newer_version_counts(made: Made, place: tuple[Home, str]) -> None:
    home, batch = place
    with runs.ledger_of(home, at(str(end(made)))) as ledger:
        body = next(body for name, _, body in ledger.instruments() if name == made[0].agreement.id)
        longer = f"retention_years = {made[0].agreement.retention_years + 1}\n".encode()
        lines = [line for line in body.splitlines(keepends=True) if not line.startswith(b"retention_years")]
        enrol(home, ledger, longer + b"".join(lines), made[0].agreement.id)
        assert shred.shred(home, ledger, batch) != []


def test_a_case_keeps_it_too(made: Made, place: tuple[Home, str], monkeypatch: pytest.MonkeyPatch) -> None:
    home, batch = place
    monkeypatch.setattr(
        shred, "KEEPERS", (*shred.KEEPERS, lambda _ledger, record, _known: [f"a case needs {record.name}"])
    )
    with runs.ledger_of(home, at(str(end(made)))) as ledger:
        assert shred.shred(home, ledger, batch) == [f"a case needs {batch}"]


def test_only_what_has_ended_and_has_evidence_is_shredded(made: Made, place: tuple[Home, str], tmp_path: Path) -> None:
    installation, _ = made
    home, _ = place
    with runs.ledger_of(home, at(str(end(made)))) as ledger, pytest.raises(Usage, match="UNKNOWN_BATCH"):
        shred.shred(home, ledger, "b-0")
    held = runs.held(replace(installation, home=home), tmp_path / "h")
    with runs.ledger_of(home, at(str(end(made)))) as ledger, pytest.raises(Usage, match="NO_EVIDENCE"):
        shred.shred(home, ledger, held)
    keys.recipient(home, held)
    (evidence_folder(home) / f"{held}.x.age").write_text("x")
    with runs.ledger_of(home, at(str(end(made)))) as ledger, pytest.raises(Usage, match="NOT_ENDED"):
        shred.shred(home, ledger, held)


def test_the_command_and_its_as_of(made: Made, place: tuple[Home, str], capsys: pytest.CaptureFixture[str]) -> None:
    home, batch = place
    with installations.at_home(home):
        assert main.run(["shred", batch]) == 4
        assert made[0].agreement.id in capsys.readouterr().out
        assert main.run(["shred", batch, "--as-of", str(end(made))]) == 0
        assert "Backups that were made before still open it" in capsys.readouterr().out
        assert main.run(["ledger", "verify", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["problems"] == []
        assert main.run(["explain", batch, "0"]) == 2
        toml = home.root / "sluicegate.toml"
        toml.write_text(toml.read_text().replace("sandbox = true", "sandbox = false"))
        assert main.run(["shred", batch, "--as-of", str(end(made))]) == 2
