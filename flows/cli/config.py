"""`sluicegate config`: what is configured, and where each value comes from."""

from typing import Any

from flows.cli.command import Json, show
from flows.home.tree import open_home
from flows.operations.printing import flat, print_table


def config(json: Json = False) -> int:
    """Show every setting in force, and whether it comes from sluicegate.toml, the environment or is the default.

    Of a secret it shows only whether it is set, and where it lies.
    """
    from flows.operations.configuration import in_force

    settings = [vars(setting) for setting in in_force(open_home().root)]
    return show(settings, json, _print_settings)


def _print_settings(settings: list[dict[str, Any]]) -> None:
    rows = [[one["key"], _said(one["value"]), one["source"].replace("; ", "\n")] for one in settings]
    print_table("Configuration", ["key", "value", "from"], rows)


def _said(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(flat(value))
