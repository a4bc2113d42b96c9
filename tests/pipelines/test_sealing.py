import stat
from pathlib import Path

import pytest

from expectations.base.errors import BadInput, Fault
from pipelines import sealing

CANARY = b"CANARY 1 OAK ST " * 20_000  # several chunks of age


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    (tmp_path / "plain").write_bytes(CANARY)
    return tmp_path / "plain"


def test_every_recipient_opens_it_and_nobody_else(tmp_path: Path, plain: Path) -> None:
    ours, theirs, other = (sealing.new_identity() for _ in range(3))
    sealed = tmp_path / "sealed"
    sealing.seal_file(plain, sealed, [ours.recipient, theirs.recipient])
    assert b"CANARY" not in sealed.read_bytes()
    for identity in (ours, theirs):
        sealing.open_file(sealed, tmp_path / "opened", identity)
        assert (tmp_path / "opened").read_bytes() == CANARY
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        sealing.open_file(sealed, tmp_path / "other", other)
    assert not (tmp_path / "other").exists()
    assert all(stat.S_IMODE((tmp_path / f).stat().st_mode) == 0o600 for f in ("sealed", "opened"))


@pytest.mark.parametrize("spoil", ["flip", "cut"])
def test_a_changed_file_leaves_nothing_in_clear(tmp_path: Path, plain: Path, spoil: str) -> None:
    identity, sealed = sealing.new_identity(), tmp_path / "sealed"
    sealing.seal_file(plain, sealed, [identity.recipient])
    data = bytearray(sealed.read_bytes())
    data[-100] ^= 1
    sealed.write_bytes(data if spoil == "flip" else data[:200_000])
    with pytest.raises(BadInput, match="SEAL_BROKEN"):
        sealing.open_file(sealed, tmp_path / "opened", identity)
    assert not (tmp_path / "opened").exists()


def test_bad_recipients_seal_nothing(tmp_path: Path, plain: Path) -> None:
    with pytest.raises(BadInput, match="RECIPIENT_UNREADABLE"):
        sealing.seal_file(plain, tmp_path / "sealed", ["age1nobody"])
    with pytest.raises(Fault, match="NO_RECIPIENT"):
        sealing.seal_file(plain, tmp_path / "sealed", [])
    assert not (tmp_path / "sealed").exists()


def test_an_identity_is_kept_by_its_owner_and_never_printed(tmp_path: Path) -> None:
    identity, path = sealing.new_identity(), tmp_path / "key"
    sealing.save_identity(identity, path)
    assert sealing.load_identity(path) == identity
    assert identity.secret not in repr(identity)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        sealing.save_identity(sealing.new_identity(), path)
    path.write_text("CANARY")
    with pytest.raises(BadInput, match="IDENTITY_UNREADABLE") as caught:
        sealing.load_identity(path)
    assert "CANARY" not in str(caught.value)
