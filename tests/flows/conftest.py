from collections.abc import Callable, Iterator

import pytest

from flows.cli import main
from tests.factories import installations
from tests.factories.installations import Installation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line; returns exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main.run(list(arguments))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A small installation of the module's own; commands run in its home."""
    made = installations.make(tmp_path_factory.mktemp("home"))
    with installations.at_home(made.home):
        yield made
