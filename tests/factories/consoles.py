"""A console for tests: an installation with a batch of each end, quick hashes, a clock that can be set, and browsers of
TestClient that behave as real ones do."""

from __future__ import annotations

import html
import re
import shlex
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.testclient import TestClient

from expectations.base import signatures
from expectations.base.clock import Clock
from flows.console.web.app import make
from flows.console.web.console import Console
from flows.home.tree import Home
from flows.ledger.entrance import passwords

ORIGIN, PASSWORD = "http://localhost:8765", "correct horse battery staple"


def quick(patch: pytest.MonkeyPatch) -> None:
    """Hashes that take no tenth of a second."""
    hasher, nobodys = PasswordHash((Argon2Hasher(1, 8, 1),)), cache(passwords._nobodys.__wrapped__)
    patch.setattr(passwords, "_hasher", lambda: hasher)
    patch.setattr(passwords, "_nobodys", nobodys)


@cache
def _loop() -> BlockingPortal:
    """One event loop for the requests of all tests, as a server has: a new one for each request, with threads of its
    own, takes longer than most answers."""
    open_until_the_end = ExitStack()
    portal = open_until_the_end.enter_context(start_blocking_portal())

    def end() -> None:
        threading.main_thread().join()
        open_until_the_end.close()

    threading.Thread(target=end, daemon=True).start()
    return portal


@dataclass
class Browser:
    """One with cookies of its own. Forms come from our pages, unless a test says otherwise."""

    app: FastAPI
    origin: str = ORIGIN
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(self.app, base_url=self.origin, follow_redirects=False)
        self.client.portal = _loop()
        # browsers send cookies that are Secure to localhost, too
        self.client.cookies.jar.set_policy(DefaultCookiePolicy(secure_protocols=("http", "https")))

    @property
    def console(self) -> Console:
        found: Console = self.app.state.console
        return found

    @property
    def cookie(self) -> str:
        return self.client.cookies.get(self.console.place.cookie) or ""

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        """A form, as a page of ours sends it: it names no referrer, so that its origin is `null`."""
        usual = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        return self.client.post(path, content=urlencode(fields), headers=usual | headers)

    def upload(self, path: str, file: bytes | None, name: str = "some.toml", **fields: str) -> Any:
        """A form with a file, as a page of ours sends it; None: none was chosen."""
        chosen = (name, file) if file is not None else ("", b"")
        usual = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        sent = {"form": self.token(), **fields}
        return self.client.post(path, data=sent, files={"file": chosen}, headers=usual)

    def token(self) -> str:
        """What the forms of this session carry."""
        found = re.search(r'name="form" value="([0-9a-f]{64})"', self.get("/me").text)
        assert found
        return found.group(1)

    def sign_in(self, name: str = "operator-1", password: str = PASSWORD, key: Any = None, **more: str) -> Any:
        """By a password and an SSH key: that of this name in the home's folder, unless a test has another."""
        answer = self.first_factor(name, password, **more)
        where = answer.headers.get("location", "")
        return self.show_key(where, key or key_of(self.console, name)) if where.startswith("/sign-in/key") else answer

    def first_factor(self, name: str = "operator-1", password: str = PASSWORD, **more: str) -> Any:
        """By a password alone."""
        return self.post("/sign-in", {"name": name, "password": password, **more})

    def show_key(self, where: str, key: Any) -> Any:
        """Signs what this page asks for."""
        text = self.get(where).text
        fields = dict(re.findall(r'name="(form|next|nonce)" value="([^"]*)"', text))
        return self.post("/sign-in/key", {**fields, "signature": signed(text, key)})

    def sign_out(self) -> Any:
        return self.post("/sign-out", {"form": self.token()})


def key_of(console: Console, name: str) -> Any:
    """The SSH key of an operator of the home's own."""
    return signatures.load(console.home.keys / name)


def signed(page: str, key: Any) -> str:
    """The signature that a page asks an SSH key for, by the command that it shows."""
    said = shlex.split(html.unescape(page[page.index("printf") : page.index("ssh-keygen")]))[2]
    return signatures.sign(said.encode(), key, signatures.SIGN_IN)


def later(console: Console, **by: float) -> None:
    """Sets the console's clock so much further on."""
    console.ledger.clock = Clock(console.ledger.clock.machine() + timedelta(**by))


def password_for(console: Console, name: str) -> None:
    console.entrance.set_password(console.entrance.invite(name, "operator-2"), PASSWORD)


def passwords_in(home: Home) -> None:
    """Gives the operators of a home passwords, for tests that sign in to copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        console = make(home).state.console
        for name in ("operator-1", "operator-2"):
            password_for(console, name)
        console.ledger.close()
