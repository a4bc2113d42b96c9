"""The prepared register: the holder's records standardised, keyed and cut into large parts, once a version.

`build` makes it from a raw register, of which `files` lists the parts, `update` from the version before and a delta;
`version` names it. Batches record the version that they ran against.
"""

from pipelines.register.build import build
from pipelines.register.convert import working
from pipelines.register.opened import changes, damage, open_register, persons, record_ids, scans, version
from pipelines.register.prepare import preparation
from pipelines.register.source import files
from pipelines.register.update import update

__all__ = [
    "build",
    "changes",
    "damage",
    "files",
    "open_register",
    "persons",
    "preparation",
    "record_ids",
    "scans",
    "update",
    "version",
    "working",
]
