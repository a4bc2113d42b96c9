"""A Prefect server, a warm process, a worker, the relay of events and, where it is chosen, the endpoint of metrics on
one machine, for one home: started and stopped as one. Who runs many uses systemd or containers instead.

What runs is noted in `prefect/service.json`; what the processes say is in `prefect/logs/`. Each has a session of its
own, so that it outlives the terminal. Workers are stopped first: one whose server is gone waits for a minute.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from expectations.base.errors import Fault, Usage
from flows.home.tree import Home
from flows.schedule import server
from flows.schedule.running import Running, began_at, note, place, running
from pipelines.lake import durable

POOL, PARTS = "sluicegate", ("server", "warm", "worker", "relay", "metrics")
_WAIT = 120.0  # seconds for a process to end
SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # Prefect deletes its own history
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_WORKER_QUERY_SECONDS": "1",  # a worker looks for runs: ten seconds are long for who has just signed
}


def up(home: Home, *, port: int, at_once: int) -> list[Running]:
    """Starts what does not run yet, and deploys `infra/prefect.yaml`. Safe to repeat. Raises Usage if another server is
    named, Fault if something does not start."""
    url = f"http://127.0.0.1:{port}/api"
    found = {one.name: one for one in running(home) if one.lives}
    environment = _environment(home, url)
    (home.root / "prefect" / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    prefect, ours = (sys.executable, "-m", "prefect"), (sys.executable, "-m", "flows.cli.main")
    serve = (*prefect, "server", "start", "--host", "127.0.0.1", "--port", str(port))
    _ensure(home, found, "server", serve, environment, url)
    if not server.await_answer(url):
        log = home.root / "prefect" / "logs" / "server.log"
        raise Fault("NO_PREFECT_SERVER", "Prefect's server did not start", where=str(log), remedy="Read its log there.")
    _ensure(home, found, "warm", (sys.executable, "-m", "flows.schedule.warm"), environment, url)
    _deploy(home, environment)
    work = (*prefect, "worker", "start", "--pool", POOL, "--limit", str(at_once), "--name", "sluicegate")
    _ensure(home, found, "worker", work, environment, url)
    _ensure(home, found, "relay", (*ours, "watch", "--emit"), environment, url)
    if home.config.telemetry.prometheus_port:
        _ensure(home, found, "metrics", (*ours, "metrics"), environment, url)
    return list(found.values())


def deploy(home: Home) -> None:
    """Tells the server that PREFECT_API_URL names of all deployments, once it answers. Safe to repeat. Raises Usage if
    none is named, Fault if it does not answer or takes them not."""
    server.configure(home)
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        raise Usage("NO_SERVER", "no server is named", remedy="Set PREFECT_API_URL, or run sluicegate up.")
    if not server.await_answer(url):
        raise Fault("NO_PREFECT_SERVER", "Prefect's server does not answer", remedy="Start it, then run this again.")
    _deploy(home, {**os.environ, "SLUICEGATE_HOME": str(home.root)})


def _deploy(home: Home, environment: Mapping[str, str]) -> None:
    template = "--base-job-template", str(_forked(home))
    _prefect(environment, "work-pool", "create", POOL, "--type", "process", "--overwrite", *template)
    _prefect(environment, "deploy", "--all", "--prefect-file", str(files("infra") / "prefect.yaml"))
    _done("making its automations", environment, sys.executable, "-m", "flows.schedule.automations")


def _forked(home: Home) -> Path:
    """What a process pool is made of whose runs are forked from the warm process, where that answers. It names the
    Python that is running now: workers elsewhere are installed in the same place."""
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    command = shlex.join((sys.executable, "-m", "flows.schedule.engine"))
    template["variables"]["properties"]["command"]["default"] = command
    written = home.root / "prefect" / "pool.json"
    written.parent.mkdir(exist_ok=True, mode=0o700)
    durable.write(written, json.dumps(template).encode())
    return written


def down(home: Home) -> list[Running]:
    """Stops the relay and the worker, then the server; gives what did run."""
    alive = [one for one in reversed(running(home)) if one.lives]
    for one in alive:
        os.kill(one.pid, signal.SIGTERM)
        end = time.monotonic() + _WAIT
        while one.lives and time.monotonic() < end:
            time.sleep(0.1)
        if one.lives:
            os.killpg(one.pid, signal.SIGKILL)
    place(home).unlink(missing_ok=True)
    return alive


def _environment(home: Home, url: str) -> Mapping[str, str]:
    if os.environ.get("PREFECT_API_URL", url) != url:
        remedy = "Unset it: up starts a server of its own; or use sluicegate deploy for the one that is named."
        raise Usage("ANOTHER_SERVER", "PREFECT_API_URL names another server", remedy=remedy)
    server.configure(home)
    return {**SETTINGS, **os.environ, "PREFECT_API_URL": url, "SLUICEGATE_HOME": str(home.root)}


def _ensure(
    home: Home, found: dict[str, Running], name: str, command: tuple[str, ...], environment: Mapping[str, str], url: str
) -> None:
    """Starts a part of the service unless it runs, and notes it at once."""
    if name in found:
        return
    with (home.root / "prefect" / "logs" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    found[name] = Running(name, process.pid, began_at(process.pid))
    note(home, url, [found[part] for part in PARTS if part in found])


def _prefect(environment: Mapping[str, str], *arguments: str) -> None:
    _done(f"prefect {' '.join(arguments[:2])}", environment, sys.executable, "-m", "prefect", "--no-prompt", *arguments)


def _done(what: str, environment: Mapping[str, str], *command: str) -> None:
    """A command that has ended well; raises Fault otherwise."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        remedy = "Run it by hand, with PREFECT_API_URL set, to see what is wrong."
        raise Fault("NOT_DEPLOYED", f"{what} failed", remedy=remedy)
