"""The lookback as a scheduled flow (infra/prefect.yaml): ends as `Completed`, or `Affected` so that alerts fire."""

from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed, Failed

from expectations.base.errors import DONE
from flows.home.tree import open_home
from flows.operations.progress import Reporter
from flows.replay.lookback import lookback


@flow(name="lookback", persist_result=False, validate_parameters=False)
def lookback_flow(home: str | None = None, quiet: bool = True) -> PrefectState:
    """Looks back at all past disclosures of `home` (if left out, SLUICEGATE_HOME); only counts reach Prefect."""
    with Reporter(quiet=quiet) as progress:
        opened = open_home(Path(home) if home else None)
        found = lookback(opened, opened.clock(), progress=progress)
    if found.exit_code == DONE:
        return Completed(message=found.headline)
    return Failed(name="Affected", message=found.headline)
