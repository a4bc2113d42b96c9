"""Another age key takes the place of the holder's: what was sealed before still opens, and nothing new with the old."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.base.clock import Clock
from expectations.base.errors import BadInput
from flows import audit
from flows.cli import main
from flows.evidence import keys as evidence
from flows.evidence.store import open_accounting
from flows.home import holder
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.sandbox.home import OPERATORS
from pipelines import sealing
from tests.factories import installations, runs


@pytest.fixture
def renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, str, list[sealing.Identity]]:
    """A home with a batch, whose age key was renewed twice; the batch, and the earlier keys."""
    made = installations.make(tmp_path / "home")
    name = runs.released(made, tmp_path / "a", 1, 6)
    monkeypatch.setenv("SLUICEGATE_HOME", str(made.home.root))
    monkeypatch.chdir(tmp_path)
    earlier = []
    for _ in range(2):
        earlier.append(holder.identity(made.home))
        renew(made.home)
    return made.home, name, earlier


def renew(home: Home) -> None:
    assert main.run(["keys", "renew", "holder_age"]) == 0
    for name in OPERATORS:
        assert main.run(["keys", "sign", "--key", str(home.keys / name)]) == 0
    given = [part for name in OPERATORS for part in ("--signature", f"keys.{name}.sig")]
    assert main.run(["keys", "record", *given]) == 0


def test_what_was_sealed_before_still_opens(renewed: tuple[Home, str, list[sealing.Identity]], tmp_path: Path) -> None:
    home, name, earlier = renewed
    now = holder.identity(home)
    assert {one.recipient for one in earlier} & {now.recipient} == set() and len(now.earlier) == 2
    open_accounting(home, name, tmp_path / "accounting")
    assert evidence.identity(home, name).recipient == evidence.recipient(home, name)
    with Ledger.open(home.ledger_url, Clock()) as ledger:
        assert audit.verify(home, ledger, deep=True).problems == ()
    assert main.run(["explain", name, "1"]) == 0


def test_the_earlier_keys_lie_sealed_and_open_nothing_new(
    renewed: tuple[Home, str, list[sealing.Identity]], tmp_path: Path
) -> None:
    home, _, earlier = renewed
    for path in (path for path in home.keys.rglob("*") if path.is_file()):
        assert not any(one.secret.encode() in path.read_bytes() for one in earlier), path
        assert path.suffix == ".pub" or not path.stat().st_mode & 0o077, path
    sealing.seal_file(home.root / "sluicegate.toml", tmp_path / "new", [holder.identity(home).recipient])
    for one in earlier:
        with pytest.raises(BadInput, match="SEAL_BROKEN"):
            sealing.open_file(tmp_path / "new", tmp_path / "plain", one)


def test_a_crash_before_the_new_key_is_in_its_place_loses_none(
    renewed: tuple[Home, str, list[sealing.Identity]], tmp_path: Path
) -> None:
    home, name, _ = renewed
    before = holder.identity(home)
    new = sealing.new_identity()
    for _ in range(2):  # it is told twice
        holder.keep_earlier(home, new)
        assert holder.identity(home) == before
    renew(home)
    assert len(holder.identity(home).earlier) == 3
    open_accounting(home, name, tmp_path / "accounting")
