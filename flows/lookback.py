"""The lookback as a scheduled flow (infra/prefect.yaml): it ends as `Completed`, or as `Affected` so that alerts fire."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.clock import Clock
from expectations.errors import DONE
from flows.home import open_home
from flows.progress import Reporter
from flows.recall import lookback


@flow(name="lookback", persist_result=False, validate_parameters=False)
def lookback_flow(home: str | None = None, quiet: bool = True) -> PrefectState:
    """Decides all past disclosures of `home` (SLUICEGATE_HOME, if left out) again; counts only reach Prefect."""
    with Reporter(quiet=quiet) as progress:
        found = lookback(open_home(Path(home) if home else None), Clock(), progress=progress)
    said = found.summary
    message = f"{said['affected']} of {said['released']} disclosures would not be made today; {len(said['not_decided'])} batches not decided"
    return Completed(message=message) if found.exit_code == DONE else Failed(name="Affected", message=message)
