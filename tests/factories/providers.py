"""OpenID Connect providers for tests. `Provider` does what a test tells it, also what no honest one does; the real ones
are `oidc-provider-mock` of PyPI and `oidc-provider` of npm, which `real` and `of_npm` start."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from flows.console.statements import to_text

CLIENT, SECRET, SUBJECT = "gate", "s3cret-of-the-client", "subject-4711"
Answer = tuple[int, dict[str, str], bytes]
NPM = "oidc-provider@9.13.3"


def settings(issuer: str, more: str = "") -> str:
    """Of sluicegate.toml, for this provider."""
    return (
        f'\n[console.oidc]\nissuer = "{issuer}"\nclient_id = "{CLIENT}"\nsecret = "{SECRET}"\n'
        f'label = "the office\'s account"\n{more}\n'
    )


def as_json(said: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(said).encode()


@dataclass
class Provider:
    """At a port of this machine. `claims`, `header`: what its ID tokens say otherwise, None for not at all;
    `signs`: how they are made, if not by its key; `answers`: what it answers at a path instead."""

    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    signs: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # codes and tokens that it gave: nobody else may keep them
    issuer: str = ""
    keys: list[Any] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self) -> None:
        """Another key in the place of the one it had."""
        self.keys = [RSAKey.generate_key(2048, {"kid": f"key-{time.monotonic_ns()}", "use": "sig"})]

    def sign_in(self, url: str, subject: str = SUBJECT) -> dict[str, str]:
        """What somebody brings back who signed in there, as this subject."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert url.startswith(f"{self.issuer}/authorize?") and asked["client_id"] == CLIENT
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = f"code-{time.monotonic_ns()}"
        self._codes[code] = {**asked, "subject": subject}
        self.said.append(code)
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def answer(self, path: str, body: str, authorization: str) -> Answer:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return as_json(self._metadata())
        if path == "/jwks":
            return as_json(KeySet(list(self.keys)).as_dict())
        if path == "/token":
            return self._exchange(dict(parse_qsl(body)), authorization)
        return as_json({"error": "not_found"}, 404)

    def _metadata(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        said = {name: f"{self.issuer}/{path}" for name, path in places.items()}
        more = {"issuer": self.issuer, "authorization_response_iss_parameter_supported": True}
        return {**more, **said, **self.metadata}

    def _exchange(self, asked: dict[str, str], authorization: str) -> Answer:
        known = self._codes.pop(asked.get("code", ""), None)
        challenge = to_text(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        good = known and known["code_challenge"] == challenge and known["redirect_uri"] == asked["redirect_uri"]
        if known is None or not good or not authorization.startswith("Basic "):
            return as_json({"error": "invalid_grant", "error_description": f"canary {SUBJECT}"}, 400)
        id_token = self._id_token(known)
        self.said += [id_token, "access-token-canary"]
        said = {"access_token": "access-token-canary", "token_type": "Bearer", "expires_in": 60, "id_token": id_token}
        return as_json({**said, **self.token})

    def _id_token(self, known: dict[str, str]) -> str:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": known["subject"], "nonce": known["nonce"]}
        said = {**usual, "iat": now, "exp": now + 60, "auth_time": now, **self.claims}
        claims = {name: value for name, value in said.items() if value is not None}
        header = {"alg": "RS256", "kid": self.keys[0].kid, **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        if self.signs:
            return self.signs(header, claims)
        return str(jwt.encode(header, claims, self.keys[0], algorithms=[header["alg"]]))


@contextmanager
def told() -> Iterator[Provider]:
    """One that does what it is told."""
    provider = Provider()
    provider.rotate()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length).decode()
            status, headers, content = provider.answer(self.path, body, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def real() -> Iterator[str]:
    """The provider of PyPI; gives its issuer. It takes any client, and asks people for nothing but their subject."""
    from oidc_provider_mock import run_server_in_thread

    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def npm_provider(folder: Path) -> Path:
    """A folder with the provider of npm; skips the test if it cannot be fetched."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no npm and node: the provider of npm is not tried")
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", NPM]
    if subprocess.run(command, capture_output=True, timeout=120).returncode:
        pytest.skip(f"{NPM} cannot be fetched")
    return folder


@contextmanager
def of_npm(folder: Path, redirect: str, port: int) -> Iterator[str]:
    """The provider of npm, which demands PKCE, with one client; gives its issuer. Whoever gives a name is that
    subject."""
    issuer = f"http://localhost:{port}"
    client = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [redirect], "response_types": ["code"]}
    script = folder / "serve.mjs"
    script.write_text(
        "import Provider from 'oidc-provider'\n"
        f"const settings = {{clients: [{json.dumps(client)}], pkce: {{required: () => true}}}}\n"
        f"const provider = new Provider('{issuer}', settings)\n"
        f"provider.listen({port}, 'localhost', () => console.log('ready'))\n"
    )
    with subprocess.Popen(["node", str(script)], cwd=folder, stdout=-1, stderr=-2, text=True) as process:
        try:
            assert process.stdout
            seen: list[str] = []
            while (line := process.stdout.readline()) and line.strip() != "ready":
                seen.append(line)
            assert line, "".join(seen)
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield issuer
        finally:
            process.kill()


def query(url: str) -> dict[str, str]:
    """What a URL asks, each once."""
    found = parse_qs(urlsplit(url).query)
    assert all(len(one) == 1 for one in found.values())
    return {name: one[0] for name, one in found.items()}


def with_query(path: str, said: dict[str, str]) -> str:
    return f"{path}?{urlencode(said)}"
