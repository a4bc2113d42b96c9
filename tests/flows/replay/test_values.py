"""The values of a row of a batch that has ended: opened in memory, once for several looks, and let go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from expectations.base.errors import BadInput, Usage
from flows.evidence import held
from flows.evidence.store import evidence_file
from flows.ledger.facts import View
from flows.ledger.looks import LookReason, Why
from flows.replay.values import Look, values
from pipelines import sealing
from tests.factories import runs
from tests.factories.installations import Installation

LOOK = Look("operator-1", View.REGISTER, Why.of(LookReason.COMPLAINT, None))


@pytest.fixture(scope="module")
def batches(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("submissions")
    return [runs.released(installation, folder / f"{n}", n, n + 9) for n in (1, 21)]


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    held.let_go()
    yield
    held.let_go()


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which sealed files are opened."""
    found: list[str] = []
    real = sealing.opened_stream

    def noted(source: Path, identity: sealing.Identity) -> Any:
        found.append(source.name)
        return real(source, identity)

    monkeypatch.setattr(sealing, "opened_stream", noted)
    return found


def shown(installation: Installation, batch: str, ordinal: int) -> dict[str, Any]:
    with runs.ledger_of(installation.home) as ledger:
        found = values(installation.home, ledger, batch, ordinal, LOOK)
    assert found.person and found.addresses
    return dict(found.request)


def in_memory() -> list[str]:
    """What this process holds in memory as files."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them
            found.append(str(fd.readlink()))
    return [name for name in found if "memfd:evidence" in name]


def test_a_batch_is_opened_once_for_several_looks_and_never_on_a_disk(
    installation: Installation, batches: list[str], opens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.replay.opened.plaintext_folder", None)  # that would be on a disk
    for n in (0, 3, 9):
        assert shown(installation, batches[0], n)["request_id"] == f"R-{n + 1:06d}"
    assert len(opens) == 1 and len(in_memory()) == 1
    assert shown(installation, batches[1], 2)["request_id"] == "R-000023"  # another takes its place
    assert len(opens) == 2 and len(in_memory()) == 1
    assert shown(installation, batches[0], 1)["request_id"] == "R-000002" and len(opens) == 3
    held.let_go()
    assert in_memory() == []


def test_what_is_not_looked_at_for_a_while_is_let_go(
    installation: Installation, batches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "SECONDS", 0.05)
    shown(installation, batches[0], 0)
    held._held._timer.join(10)
    assert in_memory() == []


def test_a_larger_one_is_opened_as_before(
    installation: Installation, batches: list[str], opens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST", 10)
    assert shown(installation, batches[0], 3)["request_id"] == "R-000004"
    assert opens == [] and in_memory() == []
    assert not list(installation.home.lake.glob(".view-*"))


def test_one_that_was_changed_shows_nothing_whatever_was_held(
    installation: Installation, batches: list[str], tmp_path: Path
) -> None:
    shown(installation, batches[0], 3)
    path = evidence_file(installation.home, batches[0], "parquet")
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[:-20])
        with pytest.raises(BadInput, match="SEAL_BROKEN"):
            shown(installation, batches[0], 3)
        with pytest.raises(BadInput, match="SEAL_BROKEN"):  # nor what was read before its end
            shown(installation, batches[0], 4)
    finally:
        path.write_bytes(kept)
    assert shown(installation, batches[0], 3)["request_id"] == "R-000004"


def test_once_its_key_is_destroyed_nothing_is_shown_of_what_is_held(
    installation: Installation, batches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(installation, batches[1], 3)

    def shredded(*_: object) -> None:
        raise Usage("EVIDENCE_SHREDDED", "the key of this evidence was destroyed")

    monkeypatch.setattr("flows.replay.opened.require_evidence", shredded)
    with pytest.raises(Usage, match="EVIDENCE_SHREDDED"):
        shown(installation, batches[1], 3)
