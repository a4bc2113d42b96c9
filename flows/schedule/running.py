"""Which processes of the service run for a home, as `flows.schedule.service` noted them in `prefect/service.json`."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.home.tree import Home
from pipelines.lake import durable


@dataclass(frozen=True)
class Running:
    """A process of the service. `began`: when, by the kernel's clock, so that another with its number is not it."""

    name: str
    pid: int
    began: str

    @property
    def lives(self) -> bool:
        return self.began == began_at(self.pid)


def running(home: Home) -> list[Running]:
    """What was started, in that order; whether it still lives, each says."""
    return [Running(**one) for one in _noted(home).get("processes", [])]


def address(home: Home) -> str | None:
    """The address of the server that runs for this home; None if none does."""
    alive = {one.name for one in running(home) if one.lives}
    return str(_noted(home)["url"]) if "server" in alive else None


def place(home: Home) -> Path:
    return home.root / "prefect" / "service.json"


def _noted(home: Home) -> dict[str, Any]:
    path = place(home)
    noted: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return noted


def note(home: Home, url: str, processes: Iterable[Running]) -> None:
    """Writes down what runs, and where its server answers."""
    noted = {"url": url, "processes": [asdict(one) for one in processes]}
    durable.write(place(home), json.dumps(noted, indent=1).encode())


def began_at(pid: int) -> str:
    """When a process began, in ticks since the machine started; empty if there is none, or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
