"""What sluicegate.toml says of those who look on: where traces and metrics go, lineage, and the log: how lines are
written, and to which other system they and the audit log's events go."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.home.secret import Secret

LogFormat = Literal["text", "json"]
_CLOSED = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Telemetry(BaseModel):
    """`[telemetry]`: off unless something is named."""

    model_config = _CLOSED

    otlp: Secret | None = None  # base URL of a receiver of OTLP over HTTP: http://127.0.0.1:4318
    headers: dict[str, Secret] = {}  # sent with each export
    prometheus_port: int | None = Field(default=None, ge=1, le=65535)  # on this machine only


class Lineage(BaseModel):
    """`[lineage]`: off unless an address is named."""

    model_config = _CLOSED

    url: Secret | None = None  # of an OpenLineage receiver (Marquez and others)
    token: Secret | None = None
    namespace: str = Field(default="sluicegate", pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")


class Log(BaseModel):
    """`[log]`; SLUICEGATE_LOG__FORMAT is the format for one process."""

    model_config = _CLOSED

    format: LogFormat = "text"
    to: Secret | None = None  # base URL of a receiver of OTLP over HTTPS: https://logs.example.org:4318
    headers: dict[str, Secret] = {}  # sent with each request
    authority: str | None = None  # file of the authority that the receiver's certificate is proven by
