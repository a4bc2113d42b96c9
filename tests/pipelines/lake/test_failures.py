from pathlib import Path

import pytest

from expectations.base.errors import BadInput, Fault, Transient
from pipelines import lake


def refuses(item: str, attempt: lake.Attempt):
    raise BadInput("COUNT_DIFFERS", "the count differs", where=item, remedy="Count again.")
    yield


def explodes(item: str, attempt: lake.Attempt):
    raise ValueError("Canary McValue")
    yield


def test_an_error_of_ours_crosses_the_runner_whole(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        lake.run_step(tmp_path / "s", {}, ["file 1"], refuses)
    assert str(caught.value) == "COUNT_DIFFERS: the count differs (file 1). Count again."


def test_any_other_error_loses_its_text_and_keeps_its_place(tmp_path: Path, caplog) -> None:
    with pytest.raises(Fault) as caught:
        lake.run_step(tmp_path / "s", {}, ["file 1"], explodes)
    assert caught.value.code == "WORKER_FAILED"
    assert "ValueError" in str(caught.value) and "test_failures.py" in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert "Canary" not in caplog.text + str(caught.value)


def starves(item: str, attempt: lake.Attempt):
    raise OSError(28, "No space left on device", "Canary McValue")
    yield


def test_what_may_pass_by_itself_is_said_to_be_transient(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="DISK_FULL: no space is left") as caught:
        lake.run_step(tmp_path / "s", {}, ["file 1"], starves)
    assert "Canary" not in str(caught.value)


def test_after_a_failure_the_step_can_run_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(BadInput):
            lake.run_step(tmp_path / "s", {}, ["file 1"], refuses)
    assert lake.read_manifest(tmp_path / "s") is None


def fills_the_disk(item: str, attempt: lake.Attempt):
    attempt.path("rows", 0).write_bytes(bytes(1_000_000))
    raise OSError(28, "No space left on device")
    yield


def test_what_a_failed_attempt_wrote_makes_room_for_its_error(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="DISK_FULL"):
        lake.run_step(tmp_path / "s", {}, ["file 1"], fills_the_disk)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["error.json"]


def test_an_error_that_could_not_be_kept_whole_is_a_fault_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(Fault, match="STEP_FAILED"):
        lake.run_step(tmp_path / "s", {}, ["file 1"], starves)
