from collections.abc import Iterator

import pytest

from tests import world as worlds
from tests.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A small world of the module's own; commands run in its home."""
    made = worlds.make(tmp_path_factory.mktemp("home"))
    with worlds.at_home(made.home):
        yield made
