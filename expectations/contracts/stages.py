"""The rows that stages pass on."""

import pyarrow as pa

from expectations.contracts.column import I32, I64, B, D, S, column, row
from expectations.contracts.register import ON_FILE
from expectations.contracts.request import RAW_REQUEST

# Where a row stands in its submission. `file` counts from 1 in the letter's order, `row` from 1 in its file.
PLACE = [
    column("ordinal", I64, "identity of the row inside its batch", null=False),
    column("file", I32, "data file, counted from 1 in the letter's order; 0 for control rows", null=False),
    column("row", I64, "row of that file, counted from 1, header not counted", null=False),
    column("origin", S, "request, or decoy: a control row", null=False),
]
# Standardised fields: written by expectations.names.standard and expectations.address, which the checkpoints run again.
STANDARD = [
    column("request_key", S, "keyed hash (HMAC-SHA256, hex) of the request id: what the ledger knows of it"),
    column("s_first", S, "given name: capitals, no accents"),
    column("s_middle", S, "middle initial"),
    column("s_last", S, "surname tokens, one space between"),
    column("s_last1", S, "first surname token"),
    column("s_last2", S, "last surname token; the same where there is one only"),
    column("s_suffix", S, "JR SR II III IV V or null"),
    column("s_birth", D, "date of birth, null if it cannot be read"),
    column("s_birth_year_only", B, "1 January: the year only is known"),
    column("s_tin", S, "nine digits that can be an SSN, ITIN or ATIN, else null"),
]
# The parsed address: what expectations.address derives, for requests and for the register alike.
ADDRESS = [
    column("a_kind", S, "street, po_box, rural, general_delivery, military, or null: not parsed"),
    column("a_number", S, "house number; for boxes and routes: the box number"),
    column("a_street", S, "street with standard abbreviations; PO BOX; RR n; HC n; PSC n"),
    column("a_unit", S, "unit identifier without designator"),
    column("a_urb", S, "Puerto Rico urbanization"),
    column("a_city", S, "city: capitals, no accents"),
    column("a_state", S, "two letters"),
    column("a_zip", S, "five digits"),
    column("a_codes", pa.list_(S), "address codes, sorted; see expectations.codes", null=False),
]
CANONICAL = row(
    *PLACE,
    *RAW_REQUEST,
    *STANDARD,
    *ADDRESS,
    column("codes", pa.list_(S), "codes of every request-phase rule that failed, sorted", null=False),
    column("outcome", S, "null: goes on to match; duplicate, already_disclosed or held otherwise"),
)
REJECT = row(
    *PLACE,
    column("field", S, "the field at fault, or null for the whole row"),
    column("code", S, "why it could not be read", null=False),
)
CANDIDATE = row(
    column("ordinal", I64, "row", null=False),
    column("origin", S, "request, or decoy: a control row", null=False),
    column("outcome", S, "null: one candidate; unmatched, ambiguous or near otherwise"),
    column("record_id", I64, "the one register record that the row refers to, or null"),
    column("tier", S, "A, B, C or D (matching.md), or null"),
    column("evidence", pa.list_(S), "agreeing evidence: tin, birth_date, first_name, last_name, address …", null=False),
    column("vetoes", pa.list_(S), "conflicts that forbade a release, of the best record", null=False),
    column("plausible", I32, "records that might be the same person", null=False),
    column("weight", pa.float32(), "Fellegi-Sunter weight of the best record in bits, for study; releases nothing"),
)
VERDICT = row(
    column("ordinal", I64, "row", null=False),
    column("origin", S, "request, or decoy: a control row", null=False),
    column("record_id", I64, "the candidate", null=False),
    column("person_key", S, "keyed hash (HMAC-SHA256, hex) of the record id: what the ledger knows of it", null=False),
    column("addresses_on_file", pa.list_(ON_FILE), "every address on file that counts, raw, newest first", null=False),
    column("units_on_file", I32, "distinct units on file in the request's building", null=False),
    column("lists", pa.list_(S), "the holder's lists of persons that this one is on, sorted", null=False),
    column("earlier_tries", I32, "other values that this requester tried on this person, and that count", null=False),
    column("tried_beside", I32, "of these, values that other rows of the same batch try", null=False),
    column("corroboration", S, "same, building, differs or not_comparable", null=False),
    column("codes", pa.list_(S), "codes of every register-phase rule that failed, sorted", null=False),
    column("outcome", S, "null: eligible; held otherwise"),
)
OUTCOME = row(
    column("ordinal", I64, "row", null=False),
    column("file", I32, "data file", null=False),
    column("row", I64, "row of the file", null=False),
    column("request_id", S, "the requester's own key, as far as it could be read"),
    column("request_key", S, "keyed hash of the request id"),
    column("person_key", S, "keyed hash of the record id, for released rows"),
    column("outcome", S, "the one end of this row", null=False),
    column("codes", pa.list_(S), "every code, for the holder's own eyes", null=False),
    column("told", pa.list_(S), "the codes that the requester sees", null=False),
)
# A row of the accounting: what became of the request, and what it said, whatever becomes of the evidence.
ACCOUNTED = pa.schema(
    [
        *OUTCOME,
        *row(
            column("reason", S, "the reason that the request gave; 26 USC 6103(p)(3)(A)"),
            column("taxable_period", S, "the taxable period or periods that it asked for"),
            column("officer", S, "the officer personally and directly engaged that it named"),
        ),
    ]
)
