"""The one table of which key signs what names every use that a signature can have, and no other."""

import re

from expectations.base import signatures
from tests.factories.paths import ROOT

PAGE = (ROOT / "infra/docs/security.md").read_text()


def test_the_table_of_keys_has_every_namespace() -> None:
    uses = {value for value in vars(signatures).values() if isinstance(value, str) and value.startswith("sluicegate-")}
    section = PAGE.split("\n### Which key signs what\n")[1].split("\n#")[0]
    assert len(uses) >= 12 and set(re.findall(r"`(sluicegate-[a-z-]+)`", section)) == uses
