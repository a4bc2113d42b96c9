"""The Beam runners there are. Never left to a default: `DirectRunner` first tries to download Prism from the network.

To add one: a member of `Runner`, and its case in `options`.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from expectations.base.errors import Usage

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


class Runner(StrEnum):
    """A runner by the name that people give it."""

    EMBEDDED = "embedded"  # Beam's own FnApiRunner, in this process
    FLINK = "flink"  # the portable runner against a job server; `pipelines` must be installed on its workers


EMBEDDED = Runner.EMBEDDED


def options(name: str = EMBEDDED) -> PipelineOptions:
    """Pipeline options for the runner `name`; raises Usage on an unknown one, or Flink without its job server."""
    from apache_beam.options.pipeline_options import PipelineOptions  # late: Beam takes seconds to import

    try:
        runner = Runner(name)
    except ValueError:
        raise Usage("UNKNOWN_RUNNER", "no such runner", remedy=f"Choose one of: {', '.join(Runner)}.") from None
    match runner:
        case Runner.EMBEDDED:
            full = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
            chosen = {"runner": full, "direct_running_mode": "in_memory", "direct_num_workers": 1}
        case Runner.FLINK:
            endpoint = os.environ.get("SLUICEGATE_FLINK_JOB_ENDPOINT")  # where its job server listens
            if not endpoint:
                remedy = "Set SLUICEGATE_FLINK_JOB_ENDPOINT=host:port."
                raise Usage("NO_JOB_SERVER", "the Flink runner needs a job server", remedy=remedy)
            environment = "PROCESS" if endpoint.split(":")[0] in ("localhost", "127.0.0.1") else "DOCKER"
            chosen = {"runner": "PortableRunner", "job_endpoint": endpoint, "environment_type": environment}
        case _:
            assert_never(runner)
    return PipelineOptions([], **chosen)  # never from sys.argv, which is our own command line
