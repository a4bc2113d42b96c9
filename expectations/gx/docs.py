"""GX Data Docs of what the checkpoints found: rendered on demand, outside the run path, from reduced results."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from expectations.base.errors import BadInput
from expectations.gx.evaluate import library, quiet_gx

_SITE = "checkpoints"


def render(verdicts: Iterable[Mapping[str, Any]], target: Path) -> Path:
    """Writes Data Docs for `verdicts` (`Verdict.to_dict`, with `batch` beside it) to the folder `target`: its index.

    Replaces a site that stands there. Raises BadInput for a folder that is no such site, or an unreadable verdict.
    """
    index = target / "index.html"
    if target.exists() and any(target.iterdir()) and not index.exists():
        raise BadInput("DOCS_TARGET", "the folder is not empty and holds no Data Docs", remedy="Name another folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with quiet_gx(), tempfile.TemporaryDirectory(dir=target.parent, prefix=".docs-") as work:
        site = _build(verdicts, Path(work).resolve())  # GX takes a relative folder as one of its own
        if target.exists():
            shutil.rmtree(target)
        site.rename(target)
    return index


def _build(verdicts: Iterable[Mapping[str, Any]], work: Path) -> Path:
    context = library().get_context(mode="file", project_root_dir=work)
    from expectations.gx.portable import custom  # noqa: F401  makes our expectations known to the renderers

    site = work / "site"
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    for verdict in verdicts:
        for result in verdict.get("gx", ()):
            _keep(context, str(verdict.get("batch", "batch")), result)
    context.build_data_docs(site_names=[_SITE])
    return site


def _keep(context: Any, batch: str, result: Mapping[str, Any]) -> None:
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        expectationSuiteValidationResultSchema,
    )
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = RunIdentifier(run_name=batch)
    try:
        named = {**result, "meta": {**result["meta"], "run_id": run.to_json_dict()}}
        loaded = expectationSuiteValidationResultSchema.load(named)
        whole = ExpectationSuiteValidationResult(**loaded) if isinstance(loaded, dict) else loaded
        suite = whole.suite_name
    except Exception as error:
        message = f"a kept checkpoint result cannot be read: {type(error).__name__}"
        raise BadInput("VERDICT_UNREADABLE", message, where=batch) from None
    key = ValidationResultIdentifier(ExpectationSuiteIdentifier(suite), run, suite)
    context.validation_results_store.set(key, whole)
