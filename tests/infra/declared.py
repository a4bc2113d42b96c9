"""The commands of `infra/systemd` and `infra/compose.yaml`, each with its variables, so that tests can run them as
plain processes. What stands in the files for another machine is exchanged for what is here; nothing else is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.factories.paths import DOCS, ROOT

UNITS, COMPOSE = ROOT / "infra" / "systemd", ROOT / "infra" / "compose.yaml"
COMMON = UNITS / "sluicegate-.service.d" / "common.conf"
OWN = "/srv/certificates/own"  # where each service of the Compose file has its certificate
PROGRAMS = {
    "prefect": (sys.executable, "-m", "prefect"),
    "sluicegate": (sys.executable, "-m", "flows.cli.main"),
    "python": (sys.executable,),
}


@dataclass(frozen=True)
class Command:
    """A command as it is declared. `credentials`: what is put into its $CREDENTIALS_DIRECTORY, by name."""

    words: list[str]
    environment: dict[str, str]
    succeeds: set[int] = field(default_factory=lambda: {0})
    credentials: dict[str, str] = field(default_factory=dict)


def units() -> dict[str, Command]:
    """The services of systemd, by name."""
    return {path.stem.removeprefix("sluicegate-"): _unit(path) for path in sorted(UNITS.glob("*.service"))}


def settings(*paths: Path) -> dict[str, list[str]]:
    """What unit files say, by key."""
    said: dict[str, list[str]] = {}
    for line in (line for path in paths for line in path.read_text().splitlines()):
        if re.match(r"[A-Z]\w*=", line):
            said.setdefault(line.split("=", 1)[0], []).append(line.split("=", 1)[1])
    return said


def with_credentials(command: Command, unit: str, keys: Mapping[str, str]) -> Command:
    """The command of a unit with its drop-in for the holder's keys. `keys`: by the name of the credential."""
    said = settings(UNITS / "credentials" / f"{unit}.conf")
    environment = dict(one.split("=", 1) for line in said["Environment"] for one in shlex.split(line))
    given = {one.split(":", 1)[0] for one in said["LoadCredentialEncrypted"]}
    return Command(
        command.words,
        command.environment | environment,
        command.succeeds,
        command.credentials | {name: keys[name] for name in given},
    )


def _unit(path: Path) -> Command:
    said = settings(COMMON, path)
    environment = dict(one.split("=", 1) for line in said["Environment"] for one in shlex.split(line))
    for name in said.get("EnvironmentFile", []):
        environment |= dict(line.split("=", 1) for line in written(name.lstrip("-")).splitlines())
    for name in said.get("UnsetEnvironment", []):
        del environment[name]
    (command,) = said["ExecStart"]
    credentials = dict(one.split(":", 1) for one in said.get("LoadCredential", []))
    return Command(
        shlex.split(command),
        environment,
        {0, *(int(code) for code in said.get("SuccessExitStatus", []))},
        {name: written(path) for name, path in credentials.items()},
    )


def written(path: str) -> str:
    """A file that the page on the installation has people write."""
    text = (DOCS / "install.md").read_text()
    (found,) = re.findall(rf"^```\w* {re.escape(path)}\n(.*?)^```", text, re.M | re.S)
    return str(found).strip()


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


def containers() -> dict[str, Command]:
    """The services of the Compose file that are ours, by name. Where each has its certificate is said as the service
    `certificates` sees it, which puts it there."""
    services = compose()["services"]
    made = dict(volume.split(":") for volume in services["certificates"]["volumes"])
    found = {}
    for name, one in services.items():
        if not one["image"].startswith("${SLUICEGATE_IMAGE"):
            continue
        (own,) = [made[v.split(":")[0]] for v in one["volumes"] if v.split(":")[1] == OWN] or [OWN]
        environment = {key: value.replace(OWN, own) for key, value in one["environment"].items()}
        found[name] = Command(one["command"], environment)
    return found


class Processes:
    """Runs declared commands in `folder`. `here`: what stands in the files → what it is on this machine."""

    def __init__(self, folder: Path, here: Mapping[str, str]) -> None:
        self.folder, self.here = folder, here
        self.started: list[subprocess.Popen[bytes]] = []

    def run(self, command: Command) -> str:
        """Runs it to its end, which must be a good one; gives what it printed."""
        words, environment = self._made(command)
        done = subprocess.run(words, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=200)
        assert done.returncode in command.succeeds, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def start(self, command: Command) -> subprocess.Popen[bytes]:
        """Starts what goes on; what it says is in `log`."""
        words, environment = self._made(command)
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                words, env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(process)
        return process

    def stop(self) -> None:
        """Stops what was started, the last one first, as systemd and Compose do: workers before their server."""
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _made(self, command: Command) -> tuple[list[str], dict[str, str]]:
        program, *arguments = [self.put(word) for word in command.words]
        own = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "SLUICEGATE_"))}
        environment = own | {name: self.put(value) for name, value in command.environment.items()}
        environment["PYTHONPATH"] = str(ROOT)
        if command.credentials:
            folder = self.folder / "credentials"
            folder.mkdir(exist_ok=True, mode=0o700)
            for name, text in command.credentials.items():
                (folder / name).write_text(self.put(text))
                (folder / name).chmod(0o400)
            environment["CREDENTIALS_DIRECTORY"] = str(folder)
        return [*PROGRAMS[Path(program).name], *arguments], environment

    def put(self, text: str) -> str:
        for there, here in self.here.items():
            text = text.replace(there, here)
        return text
