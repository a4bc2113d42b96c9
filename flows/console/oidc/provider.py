"""One provider: where a browser is sent, and whom its code stands for."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import ValidationError

from flows.console.oidc import answers, id_token, metadata
from flows.console.oidc.begun import Begun
from flows.console.oidc.errors import NotProven, Unreachable
from flows.console.oidc.id_token import Expected, Named
from flows.console.oidc.metadata import Metadata
from flows.home.serving import Oidc

KEPT = 600.0  # seconds for which what a provider says of itself, and its keys, is believed
_PAUSE = 5.0  # after it could not be reached
_AT_ONCE, _PATIENCE = 8, 2.0  # who asks it at a time; seconds that another one waits
_WRONG = (AuthlibBaseError, JoseError, ValidationError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class _Known:
    metadata: Metadata
    keys: KeySet
    at: float


class Provider:
    """The one that `[console.oidc]` names. `redirect`: the page of ours that it sends browsers back to."""

    def __init__(
        self, said: Oidc, redirect: str, secret: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.said, self.redirect, self._secret, self._clock = said, redirect, secret, clock
        self.issuer = said.issuer or ""
        self._lock, self._turn = threading.Lock(), threading.BoundedSemaphore(_AT_ONCE)
        self._known: _Known | None = None
        self._failed_at: float | None = None

    @classmethod
    def of(cls, said: Oidc, redirect: str) -> "Provider | None":
        """The one that is configured; None if none is. Raises Usage if its secret cannot be read."""
        if said.issuer is None:
            return None
        return cls(said, redirect, said.secret.read("console.oidc.secret") if said.secret else "")

    def address(self, begun: Begun) -> str:
        """Where a browser goes that began this; raises Unreachable."""
        known, said = self._now_known(), self.said
        more: dict[str, Any] = {"nonce": begun.nonce}
        if said.acr:
            more["acr_values"] = " ".join(said.acr)
        if said.max_minutes is not None:
            more["max_age"] = said.max_minutes * 60
        with self._client(known.metadata) as client:
            place = known.metadata.authorization_endpoint
            url, _ = client.create_authorization_url(place, begun.state, begun.verifier, **more)
        return str(url)

    def named(self, said: Mapping[str, str], begun: Begun, now: datetime, skew: timedelta) -> Named:
        """Whom the provider names, and how surely, by what the browser brought back of what it had begun. Raises
        NotProven, or Unreachable."""
        known = self._now_known()
        issuer = said.get("iss")
        if issuer is None:
            if known.metadata.authorization_response_iss_parameter_supported:
                raise NotProven
        elif issuer != self.issuer:  # the answer of another provider
            raise NotProven
        if "error" in said or not said.get("code"):
            raise NotProven
        token = self._exchanged(known.metadata, said["code"], begun)
        return self._verified(token, Expected(self.said, begun.nonce, now, skew))

    def _exchanged(self, known: Metadata, code: str, begun: Begun) -> Mapping[str, Any]:
        with self._asking(), self._client(known) as client:
            try:
                found = client.fetch_token(
                    known.token_endpoint, code=code, code_verifier=begun.verifier, grant_type="authorization_code"
                )
            except httpx2.HTTPStatusError:
                raise Unreachable from None
            except _WRONG:
                raise NotProven from None
        if not isinstance(found, dict):
            raise NotProven
        return found

    def _verified(self, token: Mapping[str, Any], expected: Expected) -> Named:
        """Once more with keys that are read anew, where none of those that were kept fits: the provider may have new
        ones."""
        text, access = token.get("id_token"), token.get("access_token")
        for keys in (self._now_known().keys, None):
            try:
                return id_token.named(text, access, keys or self._now_known(anew=True).keys, expected)
            except (InvalidKeyIdError, BadSignatureError):
                continue
            except _WRONG:
                break
        raise NotProven

    def _now_known(self, anew: bool = False) -> _Known:
        if not self._lock.acquire(timeout=_PATIENCE):
            raise Unreachable
        try:
            now, known = self._clock(), self._known
            if known and now - known.at < KEPT and not anew:
                return known
            if self._failed_at is not None and now - self._failed_at < _PAUSE:
                raise Unreachable
            try:
                self._known, self._failed_at = self._read(now), None
            except Unreachable:
                self._known, self._failed_at = None, now
                raise
            return self._known
        finally:
            self._lock.release()

    def _read(self, now: float) -> _Known:
        with self._asking(), self._client(None) as client:
            try:
                found = Metadata.model_validate(_json(client, f"{self.issuer.rstrip('/')}{metadata.WELL_KNOWN}"))
                found.check(self.issuer)
                return _Known(found, metadata.key_set(_json(client, found.jwks_uri)), now)
            except _WRONG:
                raise Unreachable from None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """One of the few who ask it at a time: a provider that does not answer keeps no page waiting."""
        if not self._turn.acquire(timeout=_PATIENCE):
            raise Unreachable
        try:
            yield
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError):
            raise Unreachable from None
        finally:
            self._turn.release()

    def _client(self, known: Metadata | None) -> OAuth2Client:
        methods = known.token_endpoint_auth_methods_supported if known else []
        basic = "client_secret_basic" in methods or "client_secret_post" not in methods
        return OAuth2Client(
            self.said.client_id,
            self._secret or None,
            ("client_secret_basic" if basic else "client_secret_post") if self._secret else "none",
            scope=" ".join(self.said.scopes),
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            transport=answers.Bounded(),
            **answers.OPTIONS,
        )


def _json(client: OAuth2Client, place: str) -> Any:
    answer = client.request("GET", place, withhold_token=True)
    if answer.status_code != 200:
        raise Unreachable
    return answer.json()
