"""What Prefect's server does by itself (infra/automations.yaml): made once, and changed with the file.

`python -m flows.schedule.automations`, with PREFECT_API_URL set. `prefect automation create` would add another one of
the same name each time.
"""

from importlib.resources import files
from typing import Any

import yaml
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore


def ensure() -> list[str]:
    """Makes each automation of the file, or brings it to what the file says; gives their names."""
    declared = yaml.safe_load((files("infra") / "automations.yaml").read_text())["automations"]
    wanted = [AutomationCore.model_validate(one) for one in declared]
    with get_client(sync_client=True) as client:
        there = {name: client.read_automations_by_name(name) for name in (one.name for one in wanted)}
    for one in wanted:
        automation = Automation.model_validate(one.model_dump())
        known = there[one.name]
        if not known:
            automation.create()
        elif _said(known[0]) != _said(one):
            automation.id = known[0].id
            automation.update()
        for another in known[1:]:  # of the same name: Prefect allows it
            Automation.model_validate(another.model_dump()).delete()
    return [one.name for one in wanted]


def _said(automation: AutomationCore) -> Any:
    """What an automation does, whatever it is called by the server. One that is as it should be is left alone: an
    update forgets whom it is waiting for, and a run that died just then would never be found."""
    said = automation.model_dump(mode="json", include={"description", "enabled", "trigger", "actions"})
    return _plain(said)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key != "id"}
    return sorted(map(str, map(_plain, value))) if isinstance(value, list) else value


if __name__ == "__main__":
    print("\n".join(ensure()))
