"""The page on protection has what the code has: every use of cryptography, every place with data, every secret."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from flows.console.web import connection, downloads, guard
from flows.console.web.watch import Sight
from flows.home.config import Config
from flows.home.tree import FOLDERS
from tests.factories.paths import ROOT

PAGE = (ROOT / "infra/docs/protection.md").read_text(encoding="utf-8")
CRYPTOGRAPHY = {
    *("argon2", "cbor2", "Crypto", "cryptography", "authlib", "hashlib", "hmac", "joserfc", "jwt", "nacl", "OpenSSL"),
    *("pwdlib", "pyotp", "pyrage", "secrets", "ssl", "webauthn"),
}


def section(name: str) -> str:
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


def imported(path: Path) -> set[str]:
    """The packages that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_every_use_of_cryptography_is_in_the_inventory() -> None:
    files = [path for package in ("expectations", "pipelines", "flows") for path in (ROOT / package).rglob("*.py")]
    used = {path.relative_to(ROOT).as_posix() for path in files if imported(path) & CRYPTOGRAPHY}
    assert len(files) > 300 and len(used) > 30
    rows = [line.split("|")[1] for line in section("Keys and algorithms").splitlines() if line.startswith("| `")]
    listed = {path for row in rows for path in re.findall(r"`([\w/]+\.py)`", row)}
    assert sorted(used - listed) == [] and sorted(listed - used) == []


def test_every_place_of_the_home_has_a_level() -> None:
    levels = section("Data, by level").split("Base64")[0]
    table = (ROOT / "infra/docs/home.md").read_text(encoding="utf-8").split("\n## ")[0]
    places = re.findall(r"^\| `([\w./-]+)` \|", table, re.M)
    assert len(places) > 15 and {f"{name}/" for name in FOLDERS} <= set(places)
    assert [place for place in places if f"`{place}`" not in levels] == []
    assert re.findall(r"^\| (\w+) \|", levels, re.M)[1:] == ["secret", "persons", "internal"]


def test_each_level_has_each_requirement() -> None:
    rows = [line.strip("|").split("|") for line in section("Data, by level").splitlines() if line.startswith("| ")]
    wanted = rows[next(n for n, row in enumerate(rows) if row[2].strip() == "persons") :]
    assert len(wanted) == 8 and all(cell.strip() for row in wanted for cell in row[1:])


def test_the_bounds_are_those_of_the_code() -> None:
    costly = section("What costs much")
    pages = Config().console.pages_a_minute
    assert f"{pages} pages of one operator, then {pages // 60} a second" in costly
    assert f"{downloads.EACH} of one operator and {downloads.MOST} of all" in costly
    assert f"{guard._FORMS.total_tokens:.0f} at a time" in costly and guard._HALTS.total_tokens == 4
    assert f"{connection.MOST}; then 503" in costly


def test_what_an_alarm_is_due_for_is_seen() -> None:
    logs = section("Logs")
    assert all(f"`{one.value}`" in logs for one in (Sight.TLS, Sight.OUTGOING, Sight.SIGN_IN_FAILED, Sight.DENIED))
