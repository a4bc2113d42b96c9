"""The lock file against a list of known weaknesses: what is late fails, with its package, advisory and time frame."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from expectations.base.clock import Clock
from infra.release import audit
from tests.factories.paths import ROOT

TODAY = Clock().today("UTC")
LOCK = "\n".join(f"{name} \\\n    --hash=sha256:{'0' * 64}" for name in ("jinja2==3.1.6", "rich==15.0.0"))


class List:
    """A list that answers as OSV does: the advisories that a test made."""

    def __init__(self) -> None:
        self.advisories: dict[str, dict[str, Any]] = {}
        self.down = False
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(200, kept.found(asked["package"]["name"], asked["version"]))

            def do_GET(self) -> None:
                found = kept.advisories.get(self.path.removeprefix("/v1/vulns/"))
                self._answer(200 if found else 404, found or {})

            def _answer(self, status: int, said: dict[str, Any]) -> None:
                body = json.dumps(said).encode()
                self.send_response(503 if kept.down else status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def found(self, package: str, version: str) -> dict[str, Any]:
        hits = [
            one
            for one in self.advisories.values()
            if any(of["package"]["name"] == package and version in of["versions"] for of in one["affected"])
        ]
        return {"vulns": hits} if hits else {}

    def add(self, id: str, days: int, severity: str | None = None, version: str = "3.1.6", **more: Any) -> None:
        """An advisory about jinja2 that was published so many days ago."""
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.7"}]}]
        package = {"name": "jinja2", "ecosystem": "PyPI"}
        self.advisories[id] = {
            "id": id,
            "summary": "made up",
            "published": f"{TODAY - timedelta(days=days)}T00:00:00Z",
            "affected": [{"package": package, "versions": [version], "ranges": ranges}],
            "database_specific": {"severity": severity} if severity else {},
            **more,
        }


@pytest.fixture
def known() -> Iterator[List]:
    made = List()
    thread = Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text(LOCK)
    return tmp_path / "requirements.lock"


def run(lock: Path, known: List, *more: str, accepted: str = "") -> int:
    (lock.parent / "accepted.toml").write_text(accepted)
    return audit.main([str(lock), "--list", known.url, "--accepted", str(lock.parent / "accepted.toml"), *more])


def accept(days: int, id: str = "PYSEC-2026-1") -> str:
    until = TODAY + timedelta(days=days)
    return f'[[accepted]]\nid = "{id}"\npackage = "jinja2"\nreason = "nothing here calls it"\nuntil = {until}\n'


def test_a_lock_file_without_weaknesses_passes(lock: Path, known: List, capsys: pytest.CaptureFixture[str]) -> None:
    known.add("PYSEC-2026-1", 400, "HIGH", version="3.1.5")
    known.add("PYSEC-2026-2", 400, "HIGH", withdrawn=f"{TODAY}T00:00:00Z")
    assert run(lock, known) == 0
    assert capsys.readouterr().out == f"2 packages compared with {known.url}: 0 weaknesses, 0 of them late\n"


# How severe, published how many days ago; whether it is late.
@pytest.mark.parametrize(
    ("severity", "days", "late"),
    [
        ("CRITICAL", 4, True),
        ("HIGH", 14, False),
        ("HIGH", 15, True),
        ("MODERATE", 61, True),
        ("LOW", 180, False),
        (None, 3, False),
        (None, 4, True),
    ],
)
def test_what_is_late_fails_with_package_advisory_and_time_frame(
    lock: Path, known: List, capsys: pytest.CaptureFixture[str], severity: str | None, days: int, late: bool
) -> None:
    known.add("PYSEC-2026-1", days, severity)
    assert run(lock, known) == (1 if late else 0)
    said = capsys.readouterr().out
    frame = audit.DAYS[severity or "CRITICAL"]
    assert f"jinja2 3.1.6: PYSEC-2026-1 ({(severity or 'its severity is not said').lower()}" in said
    assert f"published {TODAY - timedelta(days=days)}, to be fixed within {frame} days" in said
    assert f"fixed in 3.1.7: {'LATE' if late else 'in time'}\n" in said
    assert f"1 weaknesses, {1 if late else 0} of them late" in said


def test_what_another_list_says_of_it_counts_too(lock: Path, known: List) -> None:
    known.add("PYSEC-2026-1", 2, aliases=["GHSA-aaaa"])
    known.add("GHSA-aaaa", 30, "HIGH", version="none", aliases=["PYSEC-2026-1"])
    assert run(lock, known) == 1
    known.add("GHSA-aaaa", 30, "MODERATE", version="none", aliases=["PYSEC-2026-1"])
    assert run(lock, known) == 0


def test_what_is_accepted_is_so_until_its_day(lock: Path, known: List, capsys: pytest.CaptureFixture[str]) -> None:
    known.add("PYSEC-2026-1", 60, "HIGH", aliases=["CVE-2026-1"])
    assert run(lock, known, accepted=accept(0)) == 0
    assert f"accepted until {TODAY}: nothing here calls it" in capsys.readouterr().out
    assert run(lock, known, accepted=accept(0, "CVE-2026-1")) == 0
    assert run(lock, known, accepted=accept(-1)) == 1
    capsys.readouterr()
    assert run(lock, known, accepted=accept(9, "PYSEC-2026-2")) == 1
    assert "not found any more: PYSEC-2026-2 of jinja2" in capsys.readouterr().out


def test_a_list_that_does_not_answer_is_said_and_is_no_pass(
    lock: Path, known: List, capsys: pytest.CaptureFixture[str]
) -> None:
    known.down = True
    assert run(lock, known) == 2 and run(lock, known, "--unless-unreachable") == 0
    said = f"not compared with known weaknesses: {known.url} does not answer\n"
    assert capsys.readouterr().err == said * 2


def test_a_lock_file_that_cannot_be_read_is_no_pass(
    lock: Path, known: List, capsys: pytest.CaptureFixture[str]
) -> None:
    lock.write_text("jinja2>=3\n")
    assert run(lock, known, "--unless-unreachable") == 2
    assert "pip-audit failed" in capsys.readouterr().err


def test_all_of_the_lock_file_is_compared(known: List, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([str(ROOT / "requirements.lock"), "--list", known.url]) == 0
    pinned = re.findall(r"^[\w.-]+(?:\[.*?\])?==[^;\n]*$", (ROOT / "requirements.lock").read_text(), re.M)
    compared = int(capsys.readouterr().out.split(" packages")[0])
    assert compared >= len(pinned) > 200  # and some that are for this platform


def test_the_time_frames_are_those_of_the_page() -> None:
    page = (ROOT / "infra/docs/protection.md").read_text(encoding="utf-8").split("\n## Libraries\n")[1]
    days = [int(n) for n in re.findall(r"^\| \w.*\| (\d+) days \|$", page, re.M)]
    assert days == list(audit.DAYS.values())
