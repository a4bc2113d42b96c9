"""Records sent over OTLP to another system's receiver, by the library's exporter: taken as a whole, or not at all."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from expectations.base.errors import BadInput, Transient, Usage
from flows.home.secret import Secret
from flows.home.tree import Home
from flows.operations import logs

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from requests import Response

WHERE = "log.to"


@dataclass(frozen=True)
class Record:
    """One record: `at` in nanoseconds since 1970; `level` as Python's logging names it, in small letters."""

    name: str
    body: str
    at: int
    level: str
    attributes: Mapping[str, str | int]


def receiver(home: Home) -> str:
    """Where `log.to` leads. Raises Usage, which does not show it, if it is no address, or leaves this machine in
    clear."""
    from flows.operations.telemetry import address

    url = address(home.config.log.to or Secret(), WHERE, "/v1/logs")
    said = urlsplit(url)
    if said.scheme != "https" and not _is_here(said.hostname or ""):
        remedy = "Write https://, or name a collector on this machine that sends over TLS."
        raise Usage("LOG_IN_CLEAR", "the log would leave this machine unencrypted", where=WHERE, remedy=remedy)
    return url


def authority(home: Home) -> Path | None:
    """The file that the receiver's certificate is proven by, if one is named. Raises BadInput if it cannot be read."""
    said = home.config.log.authority
    if said is not None and not (home.root / said).is_file():
        raise BadInput("LOG_AUTHORITY", "there is no such file", where="log.authority", remedy="Name a PEM file.")
    return None if said is None else home.root / said


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Sender:
    """Sends to the home's receiver. Raises Usage or BadInput if it is named wrongly."""

    def __init__(self, home: Home, named: str) -> None:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from requests import Session

        from flows.operations.telemetry import PATIENCE, resource

        logs.hush()
        session, proven_by = Session(), authority(home)
        session.trust_env = False  # no variable may change whose certificate counts, or what is sent
        session.hooks["response"].append(_whole)
        self._resource = resource({"sluicegate.home": named})
        self._exporter = OTLPLogExporter(
            endpoint=receiver(home),
            certificate_file=str(proven_by) if proven_by else None,
            headers={name: said.read("log.headers") for name, said in home.config.log.headers.items()},
            timeout=PATIENCE,
            session=session,
        )

    def send(self, records: Sequence[Record]) -> None:
        """Raises Transient unless all of them were taken."""
        from opentelemetry.sdk._logs.export import LogRecordExportResult

        if self._exporter.export([self._written(one) for one in records]) is not LogRecordExportResult.SUCCESS:
            remedy = "It is sent again, until it is taken: see that the receiver of log.to runs and takes OTLP."
            raise Transient("LOG_NOT_TAKEN", "the other system does not take the log", where=WHERE, remedy=remedy)

    def _written(self, one: Record) -> ReadableLogRecord:
        from opentelemetry._logs import LogRecord, SeverityNumber
        from opentelemetry.sdk._logs import ReadableLogRecord
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        said = LogRecord(
            timestamp=one.at,
            observed_timestamp=one.at,
            severity_text=one.level.upper(),
            severity_number=SeverityNumber[
                {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(one.level.upper(), one.level.upper())
            ],
            body=one.body,
            attributes=dict(one.attributes),
            event_name=one.name,
        )
        return ReadableLogRecord(said, self._resource, InstrumentationScope("sluicegate"))

    def close(self) -> None:
        self._exporter.shutdown()


def _whole(answer: Response, *_: Any, **__: Any) -> None:
    """An answer that is none of OTLP, leads elsewhere or refuses some of the records is none that takes them."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

    try:
        said = ExportLogsServiceResponse.FromString(answer.content)
        taken = not said.partial_success.rejected_log_records and not answer.is_redirect
    except DecodeError:
        taken = False
    if answer.ok and not taken:
        answer.status_code = 400
