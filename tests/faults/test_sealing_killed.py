"""`kill -9` before each durable step of sealing: never a half-built package in its place, and the next run seals."""

import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from expectations.instruments import Agreement
from pipelines import lake, release
from pipelines.context import BatchContext
from pipelines.release.outcomes import ELIGIBLE
from pipelines.release.package import NAME
from tests.factories import matched
from tests.pipelines.release.test_release import CHECK, HOLDERS, seal


def ready(root: Path, sandbox: Agreement) -> BatchContext:
    """A batch with its outcomes, one row eligible."""
    keys = sandbox.keys.model_copy(update={"recipient": CHECK.recipient})
    context = matched.made(root, sandbox.model_copy(update={"keys": keys}))
    release.refused_outcomes(context, ["HALTED"])
    ends = [pq.read_table(p) for p in lake.committed(context.step("release.outcomes")).paths("outcomes")]
    row = {"ordinal": 0, "request_key": "k", "person_key": "p", "record_id": 1, "request_id": "R", **matched.on_file(1)}
    eligible = matched.table([{n: row[n] for n in ELIGIBLE.names}], ELIGIBLE)
    matched.commit(context.step("release.outcomes"), {"outcomes": ends, "eligible": [eligible]})
    return context


def test_a_killed_sealing_leaves_all_or_nothing(tmp_path: Path, sandbox: Agreement) -> None:
    context = ready(tmp_path, sandbox)
    (tmp_path / "context").write_bytes(pickle.dumps(context))
    command = [sys.executable, "-m", "tests.faults.sealer", str(tmp_path / "context")]
    kills, places = 0, []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sealer:
        assert sealer.stdin and sealer.stdout
        while True:
            sealer.stdin.write(f"{kills}\n")
            sealer.stdin.flush()
            status = int(sealer.stdout.readline())
            places.append(context.step(NAME).exists())
            if places[-1]:
                release.verify(context.step(NAME), HOLDERS)
            if status == 0:
                break
            assert status == signal.SIGKILL
            kills += 1
        sealer.stdin.close()
    assert kills >= 10 and not places[0] and places[-1]
    package = seal(context, lake.committed(context.step("release.outcomes")))
    assert release.verify(package.folder, HOLDERS)["content_digest"] == package.content_digest
    assert list(context.root.glob(".sealing-*")) == []
