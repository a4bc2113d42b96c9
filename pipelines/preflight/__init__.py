"""Pre-flight: what a requester runs on its own side before it sends anything: no register, ledger, home or network.

`check_addresses` judges a table of addresses, `check_submission` a whole submission. Both write VERDICTS, one row for
each row given, by the rules, screens and words of the holder's own ingest stage: what is fixed here is not refused
there. `pack` makes a signed submission of a table, `example` writes one to begin with.
"""

from pipelines.preflight.addresses import check_addresses
from pipelines.preflight.pack import Packer, pack
from pipelines.preflight.submission import Finding, Report, check_submission
from pipelines.preflight.verdicts import Tally

__all__ = ["Finding", "Packer", "Report", "Tally", "check_addresses", "check_submission", "pack"]
