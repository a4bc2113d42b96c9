"""OpenLineage's events, made of what a run says. Imported by the thread that sends them.

Datasets are those that stages hand on, called the same for every batch: which batch it was is their version. What a
checkpoint found is a data-quality facet of what it judged: rows, and each check by its id.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from openlineage.client import facet_v2 as facets
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider

from expectations.base.total import total
from expectations.gx.verdict import Verdict
from flows.batch.plan import Step
from flows.operations.lineage.told import Told

PRODUCER = "urn:sluicegate"
REGISTER = "register"
# What each step reads and writes.
DATASETS: Mapping[Step, tuple[tuple[str, ...], tuple[str, ...]]] = total(
    Step,
    {
        Step.INGEST: (("submission",), ("requests",)),
        Step.INTAKE: (("requests",), ()),
        Step.MATCH: (("requests", REGISTER), ("candidates",)),
        Step.MATCHING: (("candidates",), ()),
        Step.VALIDATE: (("candidates", REGISTER), ("verdicts",)),
        Step.ELIGIBILITY: (("verdicts",), ()),
        Step.RELEASE: (("verdicts",), ("outcomes",)),
        Step.DISCLOSURE: (("outcomes",), ("package",)),
        Step.PREPARE: (("package",), ("accounting",)),
        Step.PUBLISH: (("package",), ("outbox",)),
    },
)
BATCH = (("submission", REGISTER), ("outbox", "accounting"))


def transport(url: str, token: str, seconds: float) -> HttpTransport:
    """Sends one event at a time, and tries none again."""
    auth = ApiKeyTokenProvider({"apiKey": token}) if token else TokenProvider({})
    return HttpTransport(HttpConfig(url=url, auth=auth, timeout=seconds, retry={"total": 0}))


def event(told: Told, namespace: str) -> RunEvent:
    """The event of what was told."""
    reads, writes = BATCH if told.did is None else DATASETS[told.did.step]
    verdict = told.did.verdict if told.did is not None and told.kind != "START" else None
    return RunEvent(
        eventTime=datetime.fromtimestamp(told.at / 1e9, UTC).isoformat(),
        eventType=RunState[told.kind],
        producer=PRODUCER,
        run=Run(told.run, _of_run(told, namespace)),
        job=_job(told, namespace),
        inputs=[InputDataset(namespace, name, _judged(verdict), facets=_version(told, name)) for name in reads],
        outputs=[OutputDataset(namespace, name, facets=_version(told, name)) for name in writes],
    )


def _job(told: Told, namespace: str) -> Job:
    kind = facets.job_type_job.JobTypeJobFacet("BATCH", "SLUICEGATE", "JOB" if told.did is None else "TASK")
    return Job(namespace, _name(told), {"jobType": kind})


def _name(told: Told) -> str:
    return "batch" if told.did is None else f"batch.{told.did.step.value}"


def _of_run(told: Told, namespace: str) -> dict[str, facets.RunFacet]:
    record, tag = told.place.record, facets.tags_run.TagsRunFacetFields
    ids = {"batch": record.name, "agreement": record.agreement, "state": record.state.value}
    ids["ledger_event"] = str(told.place.event)
    tags = [tag(key, value, "SLUICEGATE") for key, value in ids.items()]
    found: dict[str, facets.RunFacet] = {"tags": facets.tags_run.TagsRunFacet(tags)}
    if told.parent:
        parent = facets.parent_run
        found["parent"] = parent.ParentRunFacet(parent.Run(told.parent), parent.Job(namespace, "batch"))
    if told.error:
        found["errorMessage"] = facets.error_message_run.ErrorMessageRunFacet(told.error, "PYTHON")
    return found


def _version(told: Told, dataset: str) -> dict[str, facets.DatasetFacet]:
    record = told.place.record
    version = record.register if dataset == REGISTER else record.name
    return {"version": facets.dataset_version_dataset.DatasetVersionDatasetFacet(version)}


def _judged(verdict: Verdict | None) -> dict[str, facets.InputDatasetFacet]:
    if verdict is None:
        return {}
    of = facets.data_quality_assertions_dataset
    checks = [
        of.Assertion(
            result.check,
            result.ok is True,
            severity="warn" if result.informs else "error",
            expected="0",
            actual=None if result.failed is None else str(result.failed),
        )
        for result in verdict.results
    ]
    metrics = facets.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet({}, verdict.rows)
    return {
        "dataQualityAssertions": of.DataQualityAssertionsDatasetFacet(checks),
        "dataQualityMetrics": metrics,
    }
