"""Word of an event: what a message says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.home.serving import Console
from flows.operations import notify
from tests.factories.installations import Installation

STATUS = "See sluicegate status."
OF = "b-0123456789ab"


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (OF, [OF, f"https://gate.example.org/batches/{OF}", STATUS]),
        (f"{OF}x", [f"{OF}x", STATUS]),
        ("nightly", ["nightly", STATUS]),
        ("", [STATUS]),
        ("None", [STATUS]),
    ],
)
def test_word_of_a_batch_leads_to_its_page(installation: Installation, of: str, said: list[str]) -> None:
    home = installation.home
    console = Console(origin="https://gate.example.org", certificate="a", key="b")
    home = replace(home, config=home.config.model_copy(update={"console": console}))
    assert notify.lines(home, of) == said
