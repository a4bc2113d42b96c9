"""The holder's keys where the configuration says that they lie: read from there, proven, renewed, and told of by their
places only."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.base import places, signatures
from expectations.base.clock import Clock
from expectations.base.errors import SluicegateError, Usage
from expectations.base.hash_key import HashKey
from expectations.base.places import Form, Place
from flows.audit import signed_heads
from flows.cli import main
from flows.home import holder, keys
from flows.home.tree import Home, open_home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.operations import backup, restore
from flows.operations.doctor import examine
from flows.sandbox.home import OPERATORS, init
from pipelines import sealing
from tests.factories import vaults
from tests.factories.paths import ROOT
from tests.factories.vaults import SETTINGS, TOKEN, Vault


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_printed", {})


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    made = vaults.make(tmp_path / "vault")
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def home(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SLUICEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return init(tmp_path / "home", sandbox=True, settings={})


def opened(home: Home) -> Ledger:
    return Ledger.open(home.ledger_url, Clock())


def as_files(vault: Vault) -> dict[KeyName, str]:
    for path in (vault.folder / "store").iterdir():
        path.chmod(0o600)
    return {name: f'{{ file = "{vault.folder}/store/{name}" }}' for name in SETTINGS}


def as_variables(vault: Vault) -> dict[KeyName, str]:
    os.environ.update({f"OWN_{name.upper()}": vault.key(name).decode() for name in SETTINGS})
    return {name: f'{{ env = "OWN_{name.upper()}" }}' for name in SETTINGS}


FORMS: dict[Form, Callable[[Vault], dict[KeyName, str]]] = {
    Form.FILE: as_files,
    Form.CREDENTIAL: lambda _: {name: f'{{ credential = "{name}" }}' for name in SETTINGS},
    Form.ENV: as_variables,
    Form.COMMAND: lambda vault: {n: vault.variables[f"SLUICEGATE_HOLDER__{s.upper()}"] for n, s in SETTINGS.items()},
}


@pytest.mark.parametrize("form", Form)
def test_each_way_gives_the_keys_and_the_home_has_none(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    monkeypatch.setattr(os, "environ", os.environ)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(vault.folder / "store"))
    for name in SETTINGS:
        monkeypatch.setenv(f"OWN_{name.upper()}", "")  # so that it is taken away again
    for name, said in FORMS[form](vault).items():
        monkeypatch.setenv(f"SLUICEGATE_HOLDER__{SETTINGS[name].upper()}", said)
    home = init(tmp_path / "home", sandbox=True, settings={})
    monkeypatch.setenv("SLUICEGATE_HOME", str(home.root))
    assert [p.name for p in home.keys.iterdir() if not p.name.startswith(("operator", "sandbox", "evid"))] == [
        "holder-signing.pub"
    ]
    assert home.hash_key.generations()[0].key == bytes.fromhex(vault.key(KeyName.HASH).decode())
    assert holder.identity(home).secret in vault.key(KeyName.HOLDER_AGE).decode()
    assert home.holders == (f"{signatures.public_line(holder.signing_key(home))} holder-signing",)
    with opened(home) as ledger:
        assert [one.name for one in ledger.known_keys()] == [*sorted(keys.OWN)]
        signed_heads.write(home, ledger)
    said = [one.what for one in examine() if one.what.startswith("key ")]
    assert len(said) == 3 and all(f"({form} " in one for one in said)
    assert not any(part in text for text in said for part in (TOKEN, vault.key(KeyName.HASH).decode()))


def test_raw_bytes_are_a_key_too_whatever_they_end_with(tmp_path: Path) -> None:
    path = tmp_path / "hash"
    path.write_bytes(bytes(31) + b"\n")
    path.chmod(0o600)
    assert HashKey.at(Place.file(path)).generations()[0].key == bytes(31) + b"\n"
    path.write_text(f"{(bytes(31) + b'x').hex()}\n")
    assert HashKey.at(Place.file(path)).generations()[0].key == bytes(31) + b"x"


def test_a_home_is_not_made_with_a_key_that_its_place_lacks(vault: Vault, tmp_path: Path) -> None:
    (vault.folder / "store" / KeyName.HOLDER_AGE).unlink()
    with pytest.raises(Usage, match=r"KEY_MISSING.*\(command ") as error:
        init(tmp_path / "home", sandbox=True, settings={})
    assert TOKEN not in str(error.value) and error.value.__cause__ is None
    home = open_home(tmp_path / "home")
    assert not (home.keys / "holder-age").exists()
    with opened(home) as ledger:
        assert ledger.known_keys() == ()


@pytest.mark.parametrize("name", SETTINGS)
def test_another_key_in_the_vault_stops_every_run(home: Home, vault: Vault, name: KeyName) -> None:
    vault.put(name, keys.made(name))
    places._printed.clear()
    with opened(home) as ledger, pytest.raises(Usage, match="KEY_OTHER") as error:
        keys.prove(home, ledger)
    assert "(command " in error.value.where and "Put it back there" in error.value.remedy


def test_a_vault_that_is_shut_stops_every_run_and_says_nothing_of_its_token(
    home: Home, vault: Vault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "canary-t0ken")
    places._printed.clear()
    for command, code in (
        (["keys", "show"], 1),
        (["doctor"], 1),
        (["ledger", "verify"], 1),
        (["ledger", "sign-head"], 2),
    ):
        assert main.run(command) == code, command
        said = capsys.readouterr()
        assert "canary-t0ken" not in said.out + said.err and "command" in said.out + said.err


def test_a_new_key_goes_to_the_vault_once_two_operators_have_signed(
    home: Home, vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["keys", "renew", "holder_signing"]) == 0
    for name in OPERATORS:
        assert main.run(["keys", "sign", "--key", str(home.keys / name)]) == 0
    given = [part for name in OPERATORS for part in ("--signature", f"keys.{name}.sig")]
    new = home.keys / "holder-signing.new"
    assert main.run(["keys", "record", *given]) == 2 and new.exists()
    assert "KEY_TO_STORE" in capsys.readouterr().err
    with opened(home) as ledger, pytest.raises(SluicegateError, match="KEY_OTHER"):
        keys.prove(home, ledger)
    vault.put(KeyName.HOLDER_SIGNING, new.read_bytes())
    places._printed.clear()
    assert main.run(["keys", "record"]) == 0
    assert not list(home.keys.glob("*.new*")) and len(home.holders) == 2
    with opened(home) as ledger:
        keys.prove(home, ledger)
        assert signed_heads.write(home, ledger) and ledger.verify() == []


def test_a_backup_has_no_key_that_lies_elsewhere_and_is_restored_beside_the_vault(
    home: Home, vault: Vault, tmp_path: Path
) -> None:
    recovery = sealing.new_identity()
    sealing.save_identity(recovery, tmp_path / "recovery")
    with opened(home) as ledger:
        made = backup.backup(home, ledger, tmp_path / "backups", [recovery.recipient])
    with sealing.opened_stream(made.path, recovery) as stream:
        whole = stream.read()
    assert b"keys/holder-signing.pub" in whole
    for name in SETTINGS:
        assert vault.key(name).strip().splitlines()[-2 if name is KeyName.HOLDER_SIGNING else -1] not in whole
    shutil.move(home.root, tmp_path / "lost")
    found = restore.restore(made.path, tmp_path / "recovery", home.root)
    assert found.problems == () and home.hash_key.generations()


def test_a_key_is_made_for_a_pipe_and_never_for_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    program = [sys.executable, "-m", "flows.cli.main", "keys", "make"]
    shown = {
        name: subprocess.run([*program, name], capture_output=True, cwd=ROOT, check=True).stdout for name in SETTINGS
    }
    assert re.fullmatch(rb"[0-9a-f]{64}", shown[KeyName.HASH])
    assert sealing.parse_identity(shown[KeyName.HOLDER_AGE], "made")
    assert signatures.parse(shown[KeyName.HOLDER_SIGNING], "made")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main.run(["keys", "make", "hash"]) == 2 and main.run(["keys", "make", "earlier_signing"]) == 2


def test_what_a_command_printed_is_remembered_for_a_minute(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    words = json.loads(vault.variables["SLUICEGATE_HOLDER__HASH"][len("{ command = ") : -2])
    place, now = Place(Form.COMMAND, tuple(words)), places.time.monotonic()
    for seconds, reads in ((0, 1), (59, 1), (61, 2)):
        monkeypatch.setattr(places.time, "monotonic", lambda seconds=seconds: now + seconds)
        assert place.read_key() == vault.key(KeyName.HASH) and len(vault.reads) == reads
    assert "client.py" not in repr(place)
