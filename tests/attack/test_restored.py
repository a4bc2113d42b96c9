"""A ledger rolled back by a restoration: what left after the backup is noticed, or assumed, and never leaves again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from expectations.base.errors import SluicegateError
from flows import audit
from flows.audit import signed_heads
from flows.home.tree import Home
from flows.ledger.lifecycles.states import State
from flows.operations import opening, restore
from flows.operations.backup import Made
from flows.schedule.nightly import nightly
from tests.factories import backups, installations, runs
from tests.factories.backups import Recovery, open_again, opened, take
from tests.factories.installations import Installation

ROWS = range(11, 20)


@dataclass(frozen=True)
class Lost:
    """A backup, and what happened after it: `batch` left, and a head was signed and copied elsewhere."""

    before: Installation
    made: Made
    key: Recovery
    batch: str
    elsewhere: Path
    outbox: Path

    def restored(self, folder: Path, *, heads: bool, outbox: bool) -> Home:
        """The home as of the backup; what is elsewhere is still there, or not."""
        home = restore.restore(self.made.path, self.key.path, folder / "home").home
        for there, line, place in ((heads, "signed_heads", "heads"), (outbox, "outbox", "outbox")):
            source = self.elsewhere if line == "signed_heads" else self.outbox
            (folder / place).mkdir()
            if there:
                shutil.copytree(source, folder / place, dirs_exist_ok=True)
            text = home.root / "sluicegate.toml"
            text.write_text(text.read_text().replace(str(source), str(folder / place)))
        return backups.configure(home)

    def again(self, home: Home, folder: Path) -> State:
        """The same requests, in a new letter."""
        there = Installation(home, self.before.agreement)
        return runs.run(home, there.submit(folder, [installations.request(n) for n in ROWS]))[1]


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    place = tmp_path_factory.mktemp("lost")
    made = installations.make(place / "home")
    lines = (f'signed_heads = ["{place / "heads"}"]', f'outbox = "{place / "outbox"}"')
    before = Installation(backups.configure(made.home, *lines), made.agreement)
    (place / "outbox").mkdir()
    key = backups.recovery(place)
    taken = take(before.home, place / "made", key)
    batch = runs.released(before, place / "b", ROWS[0], ROWS[-1])
    with opened(before.home) as ledger:
        signed_heads.write(before.home, ledger)
    return Lost(before, taken, key, batch, place / "heads", place / "outbox")


@pytest.mark.slow
@pytest.mark.parametrize(("heads", "outbox"), [(False, True), (True, False), (False, False)])
def test_what_left_after_the_backup_does_not_leave_again(lost: Lost, tmp_path: Path, heads: bool, outbox: bool) -> None:
    home = lost.restored(tmp_path, heads=heads, outbox=outbox)
    with opened(home) as ledger:
        known = opening.known(home, ledger)
        assert (bool(known.heads), known.packages) == (heads, (lost.batch,) if outbox else ())
        places = " ".join(str(p) for p in audit.verify(home, ledger).problems)
        assert ("saw more" in places or "says otherwise" in places, f"outbox/{lost.batch}" in places) == (heads, outbox)
    for act in (lambda: lost.again(home, tmp_path / "closed"), lambda: nightly.fn(str(home.root))):
        with pytest.raises(SluicegateError, match="RESTORED_CLOSED"):
            act()
    # where something contradicts it, nobody can say that nothing is lost; where nothing does, they must not
    assert not open_again(home, lost.made.manifest.head if heads or outbox else None)
    left = set(home.delivery.names())
    assert lost.again(home, tmp_path / "again") is State.REFUSED
    there = Installation(home, lost.before.agreement)
    name, state = runs.run(home, tmp_path / "again")
    assert state is State.REFUSED and runs.run(home, lost.made.path.parents[1] / "b") == (lost.batch, State.REFUSED)
    with opened(home) as ledger:
        record = ledger.known_batch(name)
        assert (record.codes, record.cites) == (("MAY_HAVE_LEFT",), (there.agreement.id,))
        assert [p for p in audit.verify(home, ledger).problems if "signed head" in str(p)] == []
    assert set(home.delivery.names()) == left


def test_signatures_of_one_restoration_open_no_other(lost: Lost, tmp_path: Path) -> None:
    from expectations.base import signatures
    from flows.sandbox.home import OPERATORS

    signed: dict[str, str] = {}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        home, newest = lost.restored(tmp_path / name, heads=False, outbox=False), lost.made.manifest.head
        with opened(home) as ledger:
            if signed:
                with pytest.raises(SluicegateError, match="BAD_SIGNATURE"):
                    opening.open_again(home, ledger, (), newest, signed)
            for operator in OPERATORS:
                key = signatures.load(home.keys / operator)
                signed[operator] = opening.sign(home, ledger, key, (), newest)[1].signature
            assert opening.open_again(home, ledger, (), newest, signed)
