"""Names the Beam runner. Never left to a default: `DirectRunner` first tries to download Prism from the network.

`embedded` is Beam's own FnApiRunner, in this process, by its full name. `flink` is the portable runner against a job server;
its address comes from SLUICEGATE_FLINK_JOB_ENDPOINT (host:port), and `pipelines` must be installed on the workers.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, assert_never

from expectations.errors import Usage

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


class Runner(StrEnum):
    """Where Beam runs a stage."""

    EMBEDDED = "embedded"
    FLINK = "flink"

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise Usage("UNKNOWN_RUNNER", "no such runner", remedy=f"Choose one of: {', '.join(cls)}.")


EMBEDDED = Runner.EMBEDDED


def options(runner: str = EMBEDDED) -> PipelineOptions:
    """Pipeline options for `runner`; raises Usage on an unknown one, or on Flink without an address."""
    from apache_beam.options.pipeline_options import PipelineOptions  # late: Beam takes seconds to import

    # [] for the arguments: never from sys.argv, which is our own command line
    match Runner(runner):
        case Runner.EMBEDDED:
            name = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
            return PipelineOptions([], runner=name, direct_running_mode="in_memory", direct_num_workers=1)
        case Runner.FLINK:
            server = _job_server()
            kind = "PROCESS" if _local(server) else "DOCKER"
            return PipelineOptions([], runner="PortableRunner", job_endpoint=server, environment_type=kind)
        case other:
            assert_never(other)


def _job_server() -> str:
    if endpoint := os.environ.get("SLUICEGATE_FLINK_JOB_ENDPOINT"):
        return endpoint
    remedy = "Set SLUICEGATE_FLINK_JOB_ENDPOINT=host:port."
    raise Usage("NO_JOB_SERVER", "the Flink runner needs a job server", remedy=remedy)


def _local(endpoint: str) -> bool:
    return endpoint.split(":")[0] in ("localhost", "127.0.0.1")
