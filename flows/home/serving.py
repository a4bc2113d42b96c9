"""What sluicegate.toml says of the console: where it is, how long a session lasts, and with which provider one signs
in."""

from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, model_validator

from flows.home.secret import Secret

HOST = r"^[a-z0-9.:-]{1,253}$"
ORIGIN = r"^https?://[a-z0-9.-]+(:[1-9][0-9]{0,4})?$"
_CLOSED = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Oidc(BaseModel):
    """`[console.oidc]`: an OpenID Connect provider; none unless an issuer is named."""

    model_config = _CLOSED

    issuer: str | None = Field(
        default=None, pattern=r"^https?://[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~/-]*)?$"
    )
    client_id: str | None = Field(default=None, min_length=1, max_length=255)
    secret: Secret | None = None  # of the client; none of one that is public
    scopes: list[str] = ["openid"]
    acr: list[str] = []  # the provider must have signed in by one of these
    amr: list[str] = []  # and by each of these means
    max_minutes: int | None = Field(default=None, ge=1, le=1440)  # and not longer ago
    label: str = Field(default="your organisation's account", min_length=1, max_length=60)  # on the button

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.issuer is None) is not (self.client_id is None):
            raise ValueError("a provider has an issuer and a client_id: name both, or none")
        parts = urlsplit(self.issuer or "")
        if parts.scheme == "http" and parts.hostname != "localhost":
            raise ValueError("an issuer has https, or is at http://localhost")
        if "openid" not in self.scopes or any(not one.isprintable() or " " in one for one in self.scopes):
            raise ValueError("the scopes are single words, and openid is one of them")
        return self


def _file(said: Any) -> Any:
    return {"file": said} if isinstance(said, str) else said


TlsKey = Annotated[Secret, BeforeValidator(_file)]  # a text is a file's name, never the key itself


class Console(BaseModel):
    """`[console]`. Without a certificate it is served at localhost only."""

    model_config = _CLOSED

    origin: str = Field(default="http://localhost:8765", pattern=ORIGIN)  # as browsers write it
    certificate: str | None = None  # a PEM file, with the chain
    key: TlsKey | None = None  # its private key
    authority: str | None = None  # a PEM file: who signs it, if not an authority that this machine trusts
    proxies: list[IPvAnyNetwork] = []  # whose X-Forwarded-For says where a request comes from
    reaches: list[Annotated[str, Field(pattern=HOST)]] = []  # hosts that it may connect to, beside those named here
    pages_a_minute: int = Field(default=300, ge=30, le=100_000)  # of one operator
    idle_minutes: int = Field(default=30, ge=1, le=720)  # unused for so long, a session ends
    hours: int = Field(default=10, ge=1, le=24)  # after so many it ends in any case
    sessions: int = Field(default=5, ge=1, le=50)  # of one operator at once; one more ends the oldest
    leaked_passwords: str | None = None  # a file of SHA-1 hashes, as Have I Been Pwned's downloader writes it
    passwords: bool = True  # whether one may sign in with a password
    oidc: Oidc = Oidc()

    def page_of(self, batch: str, checkpoint: str = "") -> str:
        """The address of a batch's page, or of one of its checkpoints, as browsers write it."""
        return "/".join([self.origin.rstrip("/"), "batches", batch, *([checkpoint] if checkpoint else [])])

    @model_validator(mode="after")
    def _a_way_in(self) -> Self:
        if not self.passwords and self.oidc.issuer is None:
            raise ValueError("without passwords operators need a provider: name console.oidc.issuer")
        return self
