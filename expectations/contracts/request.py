"""A row as the requester sends it."""

import pyarrow as pa

from expectations.contracts.column import S, column

# Text only, nothing interpreted. Absent columns are null.
RAW_FIELDS = (
    ("request_id", "the requester's own key of this request; required"),
    ("full_name", "name in one field, given names first, or LAST, FIRST MIDDLE; instead of the parts"),
    ("first_name", "given name"),
    ("middle_name", "middle name or initial"),
    ("last_name", "surname or surnames"),
    ("suffix", "JR, SR, II, III, IV"),
    ("address", "address in one line; instead of the parts"),
    ("street", "delivery line"),
    ("unit", "secondary unit, if it is not in the delivery line"),
    ("city", "city"),
    ("state", "state, two letters or in full"),
    ("zip", "ZIP or ZIP+4"),
    ("birth_date", "date of birth, YYYY-MM-DD"),
    ("tin", "taxpayer identification number; hyphens allowed"),
    ("taxable_period", "the taxable period or periods asked for, YYYY or YYYY-YYYY; 26 USC 6103(i)(2)(B)(ii)"),
    ("reason", "the specific reason why the disclosure may be relevant; 26 USC 6103(i)(2)(B)(iv)"),
    ("officer", "id of the officer personally and directly engaged, from the letter's list; 26 USC 6103(i)(2)(A)"),
    ("final_order_date", "date of the final order of removal, YYYY-MM-DD; 8 USC 1253(a)(1)"),
    (
        "judicial_order_date",
        "date of the reviewing court's final order, YYYY-MM-DD, or none: no judicial review; 8 USC 1253(a)(1)",
    ),
    (
        "removal_ground",
        "the paragraph of 8 USC 1227(a) that the order rests on, such as 1227(a)(1)(B); 8 USC 1253(a)(1)",
    ),
    ("case_number", "the case in which the final order was made"),
    ("prong", "A, B, C or D: which of 8 USC 1253(a)(1)(A) to (D); left out: A"),
    (
        "conduct_date",
        "YYYY-MM-DD: day by which documents were to be applied for (B), of the act (C), set for removal (D)",
    ),
    ("conduct_place", "the place set for removal; 8 USC 1253(a)(1)(D)"),
    ("proper_steps", "proper steps taken against the order, or none; 8 USC 1253(a)(2)"),
)
RAW_NAMES = tuple(name for name, _ in RAW_FIELDS)
# Of every submission; the letter's statute asks for more (rules.statutes).
REQUIRED_COLUMNS = ("request_id", "taxable_period", "reason", "officer")
RAW_REQUEST = pa.schema([column(name, S, doc) for name, doc in RAW_FIELDS])
