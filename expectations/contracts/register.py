"""The raw register: two tables, joined on record_id; and an address on file as verdicts carry it."""

import pyarrow as pa

from expectations.contracts.column import I64, D, S, column, row

REGISTER_PERSON = row(
    column("record_id", I64, "the register's own key; above zero (control records are below)", null=False),
    column("tin", S, "taxpayer identification number, nine digits, or null"),
    column("first_name", S, "given name"),
    column("middle_name", S, "middle name or initial"),
    column("last_name", S, "surname or surnames"),
    column("suffix", S, "JR, SR, II, III, IV"),
    column("birth_date", D, "date of birth"),
)
REGISTER_ADDRESS = row(
    column("record_id", I64, "whose address", null=False),
    column("street", S, "delivery line without the unit: number and street, PO BOX n, RR n BOX n, PSC n BOX n"),
    column("unit", S, "secondary unit, with designator (APT 4, UNIT 12)"),
    column("urbanization", S, "Puerto Rico urbanization (URB line)"),
    column("city", S, "city or APO, FPO, DPO"),
    column("state", S, "two letters"),
    column("zip", S, "ZIP or ZIP+4"),
    column("valid_from", D, "on file from", null=False),
    column("valid_to", D, "on file until (exclusive); null: the last known address"),
)

ON_FILE = pa.struct([pa.field(field.name, field.type) for field in REGISTER_ADDRESS if field.name != "record_id"])
