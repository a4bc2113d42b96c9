"""What the crash tests share: a process that has imported everything, and forks for each run that is to be killed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def zygote() -> Iterator[Any]:
    from tests.faults.test_crash import Zygote

    started = Zygote()
    yield started
    started.close()
