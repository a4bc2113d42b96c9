"""Versions of the home's register: which batch runs against which, what may be forgotten, where it begins again."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import BadInput
from flows.batch.advance import advance
from flows.cli import main
from flows.home import registers
from flows.ledger.lifecycles.states import State
from pipelines import register
from tests.factories import installations
from tests.factories.deltas import write_delta
from tests.factories.installations import Installation
from tests.flows.batch.test_last_moment import counts, rows, work

TODAY = Clock().now().date()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return installations.make(tmp_path / "home")


@pytest.fixture(autouse=True)
def _at_home(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_HOME", str(installation.home.root))


def removal(folder: Path, *ids: int) -> Path:
    return write_delta(folder, removed=ids, on=TODAY)


def update(installation: Installation, folder: Path, *ids: int) -> Path:
    return registers.update_register(installation.home, removal(folder, *ids), TODAY)


@pytest.mark.slow
def test_a_batch_under_way_goes_on_against_its_own_version(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = rows(1, 12)
    with work(installation, installation.submit(tmp_path / "a", asked)) as one:
        began = one.ctx.register
        assert main.run(["register", "update", str(removal(tmp_path / "delta", 1, 2))]) == 0
        assert capsys.readouterr().out.startswith(f"{installations.PERSONS - 2} persons, version ")
        assert main.run(["register", "forget", began.name]) == 5
        assert "VERSION_IN_USE" in capsys.readouterr().err
        assert advance(one) is State.PUBLISHED
        # matched against its own version; who was removed since is held at the last moment
        assert counts(installation, one.name) == {"released": 10, "held": 2, "unmatched": 2}
        one.folder.mkdir()  # as if it had been killed before it was tidied away: its last step needs its register
        assert main.run(["register", "forget", began.name]) == 5
        one.folder.rmdir()
    others = [*rows(13, 24), *(installations.request(n, request_id=f"G-{n}") for n in (1, 2))]
    with work(installation, installation.submit(tmp_path / "b", others)) as two:
        assert two.ctx.register == registers.current_register(installation.home) != began
        assert advance(two) is State.PUBLISHED
        assert counts(installation, two.name) == {"released": 12, "unmatched": 4}
    assert main.run(["register", "forget", began.name]) == 0
    assert not began.exists()


def test_show_lists_versions_and_forget_leaves_the_newest(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = registers.current_register(installation.home)
    made = [base, *(update(installation, tmp_path / f"d{n}", n) for n in (3, 4, 5))]
    assert registers.all_versions(installation.home) == made
    assert main.run(["register", "show", "--verify"]) == 0
    shown = capsys.readouterr().out
    lines = {f.name: next(line for line in shown.splitlines() if f.name in line.split()) for f in made}
    assert [f"{installations.PERSONS - n}" in lines[f.name] for n, f in enumerate(made)] == [True] * 4
    assert [f.name for f in made if "next batch" in lines[f.name]] == [made[-1].name]
    for name, code in (
        (made[-1].name, "VERSION_IN_USE"),
        ("r-none", "NO_SUCH_VERSION"),
        (f"../register/{base.name}", "NO_SUCH_VERSION"),
    ):
        assert main.run(["register", "forget", name]) == 5
        assert code in capsys.readouterr().err
    for gone in (made[0], made[2]):  # the base, and one in the middle
        assert main.run(["register", "forget", gone.name]) == 0
        assert not gone.exists()
        assert registers.current_register(installation.home) == made[-1]
    assert registers.all_versions(installation.home) == [made[1], made[3]]
    register.open_register(made[3], verify=True)
    after = update(installation, tmp_path / "d6", 6)
    assert registers.current_register(installation.home) == after and after not in made
    assert register.persons(register.open_register(after)) == installations.PERSONS - 4


def test_a_new_extract_begins_again(installation: Installation, tmp_path: Path) -> None:
    base = registers.current_register(installation.home)
    delta = removal(tmp_path / "delta", 3)
    first = registers.update_register(installation.home, delta, TODAY)
    os.utime(next(installation.home.register.glob("persons/*.parquet")), (1, 1))  # another state of its files
    with pytest.raises(BadInput, match="REGISTER_BEHIND"):  # does it hold the delta? nobody has said
        registers.current_register(installation.home)
    assert main.run(["register", "build"]) == 0
    again = registers.current_register(installation.home)
    assert again not in (base, first)
    assert register.persons(register.open_register(again)) == installations.PERSONS
    second = registers.update_register(installation.home, delta, TODAY)  # what the new extract lacks is applied again
    assert second == registers.current_register(installation.home)
    assert set(registers.all_versions(installation.home)) == {base, first, again, second}


def test_a_register_that_came_prepared_is_updated_and_never_forgotten(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = installation.home.prepared / "own"
    register.build(installation.home.register, own)
    monkeypatch.setenv("SLUICEGATE_REGISTER_FOLDER", str(own))
    assert main.run(["register", "update", str(removal(tmp_path / "delta", 3))]) == 0
    assert main.run(["register", "show"]) == 0
    assert "own" in capsys.readouterr().out
    assert main.run(["register", "forget", "own"]) == 5
    assert "VERSION_IN_USE" in capsys.readouterr().err and (own / "manifest.json").is_file()


def test_a_delta_at_fault_leaves_the_version_as_it_was(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = registers.current_register(installation.home)
    tomorrow = write_delta(tmp_path / "tomorrow", removed=[3], on=TODAY + timedelta(days=2))  # a midnight may pass
    for delta, code in ((removal(tmp_path / "nobody", 999), "DELTA_NOBODY"), (tomorrow, "DELTA_NOT_YET")):
        assert main.run(["register", "update", str(delta)]) == 5
        assert code in capsys.readouterr().err
    assert registers.current_register(installation.home) == base
    assert sorted(p.name for p in installation.home.prepared.iterdir()) == sorted(["raw", base.name])
