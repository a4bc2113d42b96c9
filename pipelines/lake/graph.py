"""Graphs that Beam translates once and runs again and again, each time with other DoFns, on its embedded runner.

To build a pipeline and to translate it takes Beam two to four times as long as to run it on a few elements: options are
parsed some sixty times, and the signature of each method of each DoFn is read as often as somebody asks for it. The
graph of a step depends on its shape alone. So it is built and translated by Beam as ever, kept, and copied for each
step; only the DoFns are put in anew, packed by Beam itself. It is run by the call with which Beam's own job service
runs the graphs that are sent to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2 as portable
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineState
from apache_beam.runners.worker.statesampler import StateSampler
from apache_beam.transforms.core import DoFnInfo

from pipelines.lake.runner import options

# Beam samples which step a bundle is in, sleeps up to 200 ms between two looks, and lets a bundle that has ended wait
# for the next one. Nothing here reads what it samples.
_LOOK_EVERY = 5  # milliseconds
StateSampler.__init__.__defaults__ = (_LOOK_EVERY,)


class _Translator(FnApiRunner):
    """Does all that the embedded runner does before a graph is run, and keeps the graph instead of running it."""

    kept: portable.Pipeline

    def run_via_runner_api(self, pipeline_proto: portable.Pipeline, options: PipelineOptions) -> PipelineResult:
        self.kept = pipeline_proto
        return PipelineResult(PipelineState.DONE)


@dataclass(frozen=True)
class Graph:
    """A translated graph; `ids` are those of its transforms, by the names that they were given."""

    proto: portable.Pipeline
    ids: Mapping[str, str]

    def run(self, fns: Mapping[str, beam.DoFn]) -> None:
        """Runs it to its end, with these DoFns in the transforms of these names, and raises what the first one raised.
        A name that is not in the graph is a KeyError."""
        filled = portable.Pipeline()
        filled.CopyFrom(self.proto)  # the runner writes in what it is given
        for name, fn in fns.items():
            spec = filled.components.transforms[self.ids[name]].spec
            payload = portable.ParDoPayload.FromString(spec.payload)
            payload.do_fn.CopyFrom(DoFnInfo.create(fn, (), {}).to_runner_api(None))
            spec.payload = payload.SerializeToString()
        FnApiRunner().run_via_runner_api(filled, options())


def translated(connect: Callable[[Any], None]) -> Graph:
    """What `connect` builds on the pipeline that it is given. It leaves no thread: the process may be forked then."""
    translator = _Translator()
    with beam.Pipeline(runner=translator, options=options()) as pipeline:
        connect(pipeline)
    transforms = translator.kept.components.transforms
    return Graph(translator.kept, {transform.unique_name: number for number, transform in transforms.items()})
