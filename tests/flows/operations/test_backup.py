"""A backup is one whole, whatever happens while it is made; a restored home is the same home, and closed."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from expectations.base.errors import SluicegateError
from flows import audit
from flows.batch import publication
from flows.batch.advance import advance
from flows.evidence import keys as evidence_keys
from flows.evidence.store import accounting_path
from flows.home import keys
from flows.home.tree import Home, open_home
from flows.ledger.database import copies
from flows.ledger.entrance import Entrance
from flows.ledger.lifecycles.states import State
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.roles import Role
from flows.operations import archive, backup, opening, restore
from flows.operations.backup import Made
from pipelines import sealing
from tests.factories import backups, installations, ledgers, runs
from tests.factories.backups import Recovery, opened, refused, take
from tests.factories.consoles import PASSWORD
from tests.factories.law import no_law
from tests.factories.paths import ROOT


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups")


@pytest.fixture(scope="module")
def key(place: Path) -> Recovery:
    return backups.recovery(place)


@pytest.fixture(scope="module")
def used(place: Path) -> Home:
    home = installations.make(place / "home").home
    with opened(home) as ledger:
        refused(home, ledger, "b-1")
    return home


@pytest.fixture(scope="module")
def made(used: Home, key: Recovery, place: Path) -> Made:
    return take(used, place / "made", key)


@pytest.fixture
def home(used: Home, tmp_path: Path) -> Home:
    shutil.copytree(used.root, tmp_path / "copy")
    return Home(tmp_path / "copy", used.config)


def tree(home: Home) -> dict[str, bytes]:
    """What is backed up, by its name there."""
    found = (one for part in (*archive.BEFORE, *archive.AFTER) for one in archive.members(home, part))
    return {name: path.read_bytes() for name, path in found}


def test_a_restored_home_is_the_same_and_closed(used: Home, made: Made, key: Recovery, tmp_path: Path) -> None:
    found = restore.restore(made.path, key.path, tmp_path / "new")
    assert found.problems == () and made.manifest.differs == []
    assert tree(found.home) == tree(used) and len(tree(used)) > 15
    assert [p.name for p in tmp_path.iterdir()] == ["new"]
    assert {p.stat().st_mode & 0o077 for p in found.home.keys.rglob("*")} == {0}
    with opened(used) as before, opened(found.home) as after:
        assert after.head().seq == before.head().seq + 1 and after.home_id() == before.home_id()
        keys.prove(found.home, after)
        with pytest.raises(SluicegateError, match="RESTORED_CLOSED"):
            after.require_open()
    assert evidence_keys.identity(found.home, "b-1").recipient
    assert made.manifest.destroy_by is None  # the agreement of this batch is not enrolled


def test_who_could_come_into_the_console_signs_in_anew(home: Home, key: Recovery, tmp_path: Path) -> None:
    """Passwords are kept; no session that was open, no invitation and no proposal comes back."""
    with opened(home) as ledger:
        entrance = Entrance(ledger)
        entrance.set_password(entrance.invite("operator-1", "operator-2"), PASSWORD)
        assert entrance.bind(entrance.invite("operator-2", "operator-2"), "https://id.example.org", "two")
        token, invitation = entrance.by_password("operator-1", PASSWORD), entrance.invite("operator-2", "operator-2")
        assert token and entrance.entered(token) and entrance.invited(invitation)
        assert ledger.propose(Proposed.ROLES, "operator-2", Asked.about(roles=[Role.VIEWER]).body, "operator-1")
    taken = take(home, tmp_path / "made", key)
    found = restore.restore(taken.path, key.path, tmp_path / "new")
    assert found.problems == ()
    with opened(found.home) as ledger:
        restored = Entrance(ledger)
        assert restored.entered(token) is None and restored.invited(invitation) is None
        assert restored.of("operator-1") == [] and ledger.proposals() == []
        assert restored.by_password("operator-1", PASSWORD)
        assert restored.by_identity("https://id.example.org", "two")


def test_nothing_can_be_read_in_the_file_or_its_name(used: Home, made: Made) -> None:
    data = made.path.read_bytes()
    secrets = [(used.keys / name).read_bytes() for name in ("hash", "holder-age", "holder-signing")]
    for readable in (*secrets, b"b-1", b"sandbox", b"manifest.json", backups.SECRET, ledgers.sha("b-1").encode()):
        assert readable not in data
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.name.startswith(f"sluicegate-{made.manifest.at[:4]}") and made.path.name.endswith("Z.backup.age")
    assert [p for p in made.path.parent.iterdir() if p != made.path] == []


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "a bit at the start": lambda d: flipped(d, 10),
    "a bit in the middle": lambda d: flipped(d, len(d) // 2),
    "a bit at the end": lambda d: flipped(d, len(d) - 1),
    "cut short": lambda d: d[:-1],
    "half of it": lambda d: d[: len(d) // 2],
    "whole chunks of it": lambda d: d[: -(len(d) % 65536) or None],
    "more at its end": lambda d: d + b"x",
    "nothing": lambda d: b"",
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_damaged_backup_leaves_nothing(how: str, made: Made, key: Recovery, tmp_path: Path) -> None:
    (tmp_path / "b.age").write_bytes(SPOILED[how](made.path.read_bytes()))
    for act in (
        lambda: restore.check(tmp_path / "b.age", key.path),
        lambda: restore.restore(tmp_path / "b.age", key.path, tmp_path / "new"),
    ):
        with pytest.raises(SluicegateError, match="SEAL_BROKEN"):
            act()
    assert [p.name for p in tmp_path.iterdir()] == ["b.age"]


def test_another_key_opens_nothing(made: Made, tmp_path: Path) -> None:
    with pytest.raises(SluicegateError, match="SEAL_BROKEN"):
        restore.check(made.path, backups.recovery(tmp_path).path)


def repacked(made: Made, key: Recovery, target: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> None:
    """The backup with other files in it, sealed anew, as anybody can who has the recovery key's public half."""
    identity = sealing.load_identity(key.path)
    with sealing.opened_stream(made.path, identity) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        files = [(m.name, (tar.extractfile(m) or io.BytesIO()).read()) for m in tar]
    with sealing.sealed_stream(target, [key.recipient]) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for name, data in filter(None, (change(*file) for file in files)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


FORGED: dict[str, tuple[Callable[[str, bytes], tuple[str, bytes] | None], str]] = {
    "a changed key": (lambda n, d: (n, flipped(d, 0) if n == "keys/hash" else d), "BACKUP_BROKEN"),
    "a missing table": (lambda n, d: None if n == "ledger/claims.parquet" else (n, d), "BACKUP_BROKEN"),
    "another manifest": (lambda n, d: (n, d.replace(b"2026", b"2027") if n == "manifest.json" else d), "BACKUP_BROKEN"),
    "no manifest": (lambda n, d: None if n == "manifest.json" else (n, d), "BACKUP_UNREADABLE"),
    "a file outside": (lambda n, d: ("keys/../../outside" if n == "keys/hash" else n, d), "BACKUP_UNREADABLE"),
    "a place of no home": (lambda n, d: ("bin/x" if n == "keys/hash" else n, d), "BACKUP_UNREADABLE"),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_backup_leaves_nothing(how: str, made: Made, key: Recovery, tmp_path: Path) -> None:
    change, code = FORGED[how]
    repacked(made, key, tmp_path / "b.age", change)
    with pytest.raises(SluicegateError, match=code):
        restore.restore(tmp_path / "b.age", key.path, tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["b.age"]


def test_a_backup_that_nobody_could_open_is_refused(home: Home, tmp_path: Path) -> None:
    with opened(home) as ledger:
        for to, code in (
            ([], "NO_RECOVERY_KEY"),
            ([evidence_keys.holder(home).recipient], "RECOVERY_KEY_INSIDE"),
            (["age1nonsense"], "RECIPIENT_UNREADABLE"),
        ):
            with pytest.raises(SluicegateError, match=code):
                backup.backup(home, ledger, tmp_path / "out", to)
    assert not list((tmp_path / "out").glob("*"))


def test_nothing_is_restored_over_what_is_there(made: Made, key: Recovery, tmp_path: Path) -> None:
    (tmp_path / "new" / "outbox").mkdir(parents=True)
    with pytest.raises(SluicegateError, match="NOT_EMPTY"):
        restore.restore(made.path, key.path, tmp_path / "new")
    (tmp_path / "new" / "outbox").rmdir()
    restore.restore(made.path, key.path, tmp_path / "new")  # an empty folder is no home


def test_no_ledger_is_restored_into_another(
    made: Made, used: Home, key: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_LEDGER", f"sqlite:///{shutil.copy(used.root / 'ledger.db', tmp_path / 'l.db')}")
    with pytest.raises(SluicegateError, match="LEDGER_NOT_EMPTY"):
        restore.restore(made.path, key.path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_keys_that_lie_elsewhere_are_restored_there(used: Home, key: Recovery, tmp_path: Path) -> None:
    shutil.copytree(used.root, tmp_path / "copy")
    (tmp_path / "copy" / "keys").rename(tmp_path / "apart")
    there = backups.configure(Home(tmp_path / "copy", used.config), f'keys = "{tmp_path / "apart"}"')
    made = take(there, tmp_path / "made", key)
    with pytest.raises(SluicegateError, match="NOT_EMPTY"):
        restore.restore(made.path, key.path, tmp_path / "new")
    (tmp_path / "apart").rename(tmp_path / "lost")
    found = restore.restore(made.path, key.path, tmp_path / "new")
    assert found.problems == () and not (tmp_path / "new" / "keys" / "hash").exists()
    assert (tmp_path / "apart" / "hash").read_bytes() == (tmp_path / "lost" / "hash").read_bytes()


def unexpected(found: restore.Restored) -> list[str]:
    """What verification finds, but for batches in flight: the register is in no backup."""
    return [str(p) for p in found.problems if "register version" not in p.what]


def after_the_ledger(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """What happens once the ledger is copied, and before the files are."""
    write = copies.write

    def then(session: Any, folder: Path) -> str:
        form = write(session, folder)
        happens()
        return form

    monkeypatch.setattr(copies, "write", then)


def test_a_batch_sealed_anew_meanwhile_is_copied_again(
    home: Home, key: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[int] = []
    with opened(home) as ledger:
        ledgers.sealed(ledger, "b-2")

        def once() -> None:
            if not marks:
                marks.append(1)
                backups.keep(home, ledger, "b-2")

        backups.keep(home, ledger, "b-2", "before")
        after_the_ledger(monkeypatch, once)
        made = take(home, tmp_path / "made", key)
    assert made.manifest.differs == [] and marks
    assert unexpected(restore.restore(made.path, key.path, tmp_path / "new")) == []


def test_evidence_shredded_meanwhile_is_in_no_backup(
    home: Home, key: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.evidence.shred import shred

    def once() -> None:
        if (home.keys / "evidence" / "b-1.age").exists():
            with opened(home) as ledger:
                assert shred(home, ledger, "b-1") == []

    after_the_ledger(monkeypatch, once)
    made = take(home, tmp_path / "made", key)
    assert made.manifest.differs == [] and not any("evidence" in name for name in made.manifest.files)
    assert restore.restore(made.path, key.path, tmp_path / "new").problems == ()


def test_damage_is_said_and_the_backup_is_made_all_the_same(home: Home, key: Recovery, tmp_path: Path) -> None:
    runs.flip(accounting_path(home, "b-1"))
    made = take(home, tmp_path / "made", key)
    assert made.manifest.differs == ["accounting/b-1.parquet.age"]
    found = restore.restore(made.path, key.path, tmp_path / "new")
    assert [p.place for p in found.problems] == ["accounting of batch b-1"]


def test_backups_while_batches_end_and_heads_are_signed(home: Home, key: Recovery, tmp_path: Path) -> None:
    from flows.audit import signed_heads

    stop, failed = threading.Event(), []

    def work() -> None:
        try:
            with opened(home) as ledger:
                for n in range(10_000):
                    refused(home, ledger, f"w-{n}")
                    if n % 3 == 0:
                        signed_heads.write(home, ledger)
                    if stop.is_set():
                        return
        except Exception as error:
            failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        made = [take(home, tmp_path / "made", key) for _ in range(3)]
    finally:
        stop.set()
        worker.join()
    assert failed == [] and made[0].manifest.seq < made[2].manifest.seq
    for n, one in enumerate(made):
        found = restore.restore(one.path, key.path, tmp_path / f"new-{n}")
        assert (unexpected(found), one.manifest.differs) == ([], [])


# Where a process is killed, by what it does: where it first calls this.
BACKUP_DIES = {"before its end": "flows.operations.archive:Writer.manifest", "unsynced": "pipelines.lake.durable:fsync"}
RESTORE_DIES = {
    "unpacking": "flows.operations.archive:_safe",
    "before the ledger": "flows.ledger.database.copies:read",
    "before the rename": "pipelines.lake.durable:folder",
    "after the rename": "flows.audit:verify",
}
_DYING = """
import importlib, json, os, signal, sys
from pathlib import Path
from flows.operations import restore
from tests.factories.backups import Recovery, open_home, take
what, key, points = json.loads(sys.argv[1])
for folder, point in points.items():
    if (child := os.fork()) == 0:
        module, _, name = point.partition(":")
        *inner, name = name.split(".")
        place = importlib.import_module(module)
        setattr(getattr(place, *inner) if inner else place, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        if what == "backup":
            take(open_home(Path(folder) / "home"), Path(folder) / "made", Recovery(Path(key[0]), key[1]))
        else:
            restore.restore(Path(what), Path(key[0]), Path(folder) / "new")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, point
"""


def die(what: str, key: Recovery, points: dict[Path, str]) -> None:
    """Makes a backup, or restores one, in each of these folders, and is killed each time."""
    given = json.dumps([what, [str(key.path), key.recipient], {str(folder): point for folder, point in points.items()}])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", _DYING, given], check=True, timeout=120, env=environment)


@pytest.mark.slow
def test_a_killed_backup_is_none(used: Home, key: Recovery, tmp_path: Path) -> None:
    points = {tmp_path / name: point for name, point in BACKUP_DIES.items()}
    for folder in points:
        shutil.copytree(used.root, folder / "home")
    die("backup", key, points)
    for folder in points:
        assert not list((folder / "made").glob("*.age")) and list((folder / "made").iterdir())
        home = open_home(folder / "home")
        made = take(home, folder / "made", key)
        assert made.path in list((folder / "made").iterdir()) and not list(home.lake.glob(".view-*"))


@pytest.mark.slow
def test_a_killed_restoration_leaves_no_home_or_a_closed_one(made: Made, key: Recovery, tmp_path: Path) -> None:
    points = {tmp_path / name: point for name, point in RESTORE_DIES.items()}
    for folder in points:
        folder.mkdir()
    die(str(made.path), key, points)
    *unfinished, finished = points
    with opened(open_home(finished / "new")) as ledger:
        assert ledger.restorations()[0].opened_at is None
    for folder in unfinished:
        assert [p.name.partition("restore-")[0] for p in folder.iterdir()] == [".new."]
        assert restore.restore(made.path, key.path, folder / "new").problems == ()
        assert [p.name for p in folder.iterdir()] == ["new"]


@pytest.fixture
def command(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_the_commands(
    command: Path, home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.cli import main

    assert main.run(["backup", "--out", "made"]) == 2  # to nobody
    assert main.run(["keys", "recovery", "recovery.key"]) == 0
    line = capsys.readouterr().out.strip()
    assert main.run(["keys", "recovery", "recovery.key"]) == 2  # it is there already
    backups.configure(home, line)
    assert main.run(["backup", "--out", "others", "--to", "recovery.key.pub"]) == 0
    assert main.run(["backup", "--out", "made"]) == 0
    (file,) = map(str, Path("made").iterdir())
    assert main.run(["restore", file, "--identity", "recovery.key", "--check"]) == 0
    assert main.run(["restore", file, "--identity", "recovery.key"]) == 2  # over this home
    with opened(home) as ledger:
        newest = ledger.head().hash
    assert newest in capsys.readouterr().out
    monkeypatch.setenv("SLUICEGATE_HOME", str(command / "new"))
    assert main.run(["restore", file, "--identity", "recovery.key"]) == 0
    assert main.run(["restored", "show"]) == 3
    assert main.run(["status"]) == 0 and "two operators open this home" in capsys.readouterr().out.replace("\n", " ")
    assert main.run(["ledger", "sign-head"]) == 2
    for n in (1, 2):
        assert main.run(["restored", "sign", "--key", f"new/keys/operator-{n}", "--newest", newest]) == 0
    given = [part for n in (1, 2) for part in ("--signature", f"restored.operator-{n}.sig")]
    assert main.run(["restored", "open", *given]) == 5  # they signed that they know the newest event
    assert main.run(["restored", "open", *given, "--newest", newest]) == 0
    assert main.run(["restored", "show"]) == 0
    assert main.run(["ledger", "sign-head"]) == 0 and main.run(["ledger", "verify"]) == 0


def test_a_batch_in_flight_comes_back_without_its_files(home: Home, key: Recovery, tmp_path: Path) -> None:
    """It goes on as what became of it by the outbox, or not at all."""
    with opened(home) as ledger:
        for batch in ("flying", "leaving", "left"):
            ledgers.sealed(ledger, batch)
        for batch in ("leaving", "left"):
            package = ledgers.package(tmp_path / batch, batch)
            law, root = no_law, ledgers.accounted(ledger, batch)
            said = {"merkle_root": root, "content_digest": ledgers.ROWS, "law": law}
            publication.prepare(ledger, batch, keys=ledgers.pairs(batch), package=package, **said)
    found = restore.restore(take(home, tmp_path / "made", key).path, key.path, tmp_path / "new")
    shutil.copytree(tmp_path / "left", found.home.outbox / "left")
    with opened(found.home) as ledger:
        packages = opening.known(found.home, ledger).packages
        assert packages == ("left",)  # so it cannot be opened as complete
    assert not backups.open_again(found.home, found.manifest.head)
    with opened(found.home) as ledger:
        assert advance(runs.work(found.home, ledger, "left")) is State.PUBLISHED
        for batch, state in (("flying", State.FAILED), ("flying", State.FAILED), ("leaving", State.PREPARED)):
            with pytest.raises(SluicegateError, match="FILES_GONE"):
                advance(runs.work(found.home, ledger, batch))
            assert ledger.known_batch(batch).state is state


@pytest.mark.slow
def test_a_restored_home_goes_on_from_end_to_end(tmp_path: Path) -> None:
    """A batch is released before the backup, another one in the restored home; and the first never again."""
    installation, key = installations.make(tmp_path / "home"), backups.recovery(tmp_path)
    home = backups.configure(installation.home, f'outbox = "{tmp_path / "outbox"}"')
    installation = installations.Installation(home, installation.agreement)
    first = runs.released(installation, tmp_path / "a", 1, 10)
    made = take(home, tmp_path / "made", key)
    assert made.manifest.destroy_by is not None and made.manifest.differs == []
    found = restore.restore(made.path, key.path, tmp_path / "new")
    assert found.problems == ()
    assert backups.open_again(found.home, made.manifest.head)
    there = installations.Installation(found.home, installation.agreement)
    assert runs.run(found.home, installation.submit(tmp_path / "a2", [installations.request(30)]))[1] is State.PUBLISHED
    second = runs.released(there, tmp_path / "b", 11, 20)
    again, _ = runs.run(found.home, there.submit(tmp_path / "c", [installations.request(n) for n in range(1, 6)]))
    with opened(found.home) as ledger:
        assert ledger.accounted(again)["outcomes"].get("released", 0) == 0
        assert audit.verify(found.home, ledger, deep=True).problems == ()
    assert {first, second} <= set(home.delivery.names())
