"""The match stage on others' labelled sets: nobody false, and no fewer found than the design's figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import linkage, sets


@pytest.mark.shared
@pytest.mark.parametrize("labelled", sets.SETS, ids=lambda labelled: labelled.name)
def test_none_false_and_as_many_found(labelled: sets.LabelledSet, tmp_path: Path) -> None:
    if not (sets.FEBRL.exists() and sets.PSEUDO.exists()):
        pytest.skip("../shared/data/linkage is not here")
    found = linkage.run(labelled, tmp_path)
    assert found.false == 0
    assert found.on_file > 3_000
    assert found.recall >= labelled.floor and found.with_near >= labelled.with_near, str(found)
