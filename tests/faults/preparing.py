"""Builds and updates of a register, for a child that is killed at them: paths as texts."""

from __future__ import annotations

from pathlib import Path

from flows.home.registers import update_register
from flows.home.tree import open_home
from pipelines import register
from tests.factories.deltas import TODAY

PART_ROWS = 4


def build(source: str, target: str) -> None:
    register.build(Path(source), Path(target), part_rows=PART_ROWS)


def update(before: str, folder: str, target: str) -> None:
    register.update(Path(before), Path(folder), Path(target), today=TODAY)


def update_home(home: str, folder: str) -> None:
    update_register(open_home(Path(home)), Path(folder), TODAY)
