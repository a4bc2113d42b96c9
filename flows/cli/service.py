"""`sluicegate up`, `down`, `deploy`, `work` and `metrics`: what runs, here or elsewhere, and what measures it."""

from typing import Annotated

from typer import Option

from expectations.base.errors import DONE
from flows.cli.command import Json, show
from flows.home.tree import open_home
from flows.operations.printing import print_table
from flows.schedule.running import Running


def up(
    port: Annotated[int, Option(help="Of the server, on this machine only.", min=1, max=65535)] = 4200,
    at_once: Annotated[int, Option(help="How many runs at a time.", min=1, max=64)] = 2,
    json: Json = False,
) -> int:
    """Start a Prefect server, a worker and the relay of events, and deploy everything; safe to repeat.

    From then on nights run by themselves, and a submission or a decision starts its batch at once.
    """
    from flows.schedule import service

    return _show(service.up(open_home(), port=port, at_once=at_once), json)


def down(json: Json = False) -> int:
    """Stop what up started. A batch that is under way goes on the next time."""
    from flows.schedule import service

    return _show(service.down(open_home()), json)


def deploy() -> None:
    """Tell the Prefect server that PREFECT_API_URL names of all deployments and triggers; safe to repeat.

    For a server and workers of your own: up does this by itself.
    """
    from flows.schedule import service

    service.deploy(open_home())
    print("Deployed. A worker runs them: sluicegate work")


def work(
    limit: Annotated[int, Option(help="How many runs at a time.", min=1, max=64)] = 2,
) -> int:
    """Run what the Prefect server that PREFECT_API_URL names asks for, until stopped: a worker, and a process beside it
    that has loaded what each run needs.

    For a server of your own: up starts a worker by itself.
    """
    from flows.schedule.work import work as run

    return run(open_home(), limit=limit)


def metrics(
    port: Annotated[
        int | None, Option(help="Instead of prometheus_port in sluicegate.toml, or 9464.", min=1, max=65535)
    ] = None,
) -> int:
    """Serve what is measured to Prometheus, on this machine only, until stopped; and send it over OTLP, if chosen.

    Counts come from the ledger, whoever ran a batch: one such process is enough for a home.
    """
    from flows.schedule.metrics import PORT, serve

    home = open_home()
    return serve(home, port or home.config.telemetry.prometheus_port or PORT)


def _show(found: list[Running], json: bool) -> int:
    parts = [{"part": one.name, "pid": one.pid, "runs": one.lives} for one in found]
    return show(parts, json, lambda _: print_parts(found), DONE)


def print_parts(found: list[Running]) -> None:
    """The parts of the service, and whether each runs."""
    if found:
        rows = [[one.name, one.pid, "runs" if one.lives else "stopped"] for one in found]
        print_table("Service", ["part", "process", ""], rows)
