"""Instruments, the law as data: agreements, court orders, the holder's determinations; and the letter of a submission.

TOML files, checked by these models (`sluicegate schema agreement`, `court_order`, `determination`, `letter`). Which of
them are in force on a day, and what they allow together, is decided in `standing` and nowhere else. The sources of the
shipped instruments lie in `infra/instruments`; an instrument counts only once the ledger has enrolled its digest.
"""

from expectations.instruments.agreement import Agreement, RecallTerms, Safeguards
from expectations.instruments.determination import Determination, cleared
from expectations.instruments.effects import Effect
from expectations.instruments.law import Office, Purpose
from expectations.instruments.letter import Compression, DataFile, FileFormat, Letter, Officer
from expectations.instruments.orders import CourtOrder, OrderScope
from expectations.instruments.parse import (
    Instrument,
    instrument_digest,
    instrument_problems,
    letter_of,
    parse_enrolled,
    parse_instrument,
    parse_kept_letter,
    parse_letter,
)
from expectations.instruments.parties import Keys, Party, Requester, Signer
from expectations.instruments.standing import Standing, preserved, standing
from expectations.instruments.thresholds import Thresholds
