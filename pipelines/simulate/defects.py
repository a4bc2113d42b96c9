"""What goes wrong in requests: incomplete addresses, missing legal elements, hostile text. Each a name and its SQL.

The incomplete addresses are those of the holder's own review (infra/docs/incident.md), and for the hostile profile
those of the deny-list and the ZIP table.
"""

from dataclasses import dataclass

KEEP = {part: part for part in ("street", "unit", "city", "state", "zip")}
_ZIP_ONLY = {"unit": "NULL", "city": "NULL", "state": "NULL"}
_NUMBER = "regexp_extract(street, '^[0-9]+')"
_WITHOUT_NUMBER = "regexp_replace(street, '^[0-9]+ ', '')"

_PLACEHOLDER = """['TBD', 'XXX', 'Homeless', 'Transient', 'No fixed address', 'Same as above', 'Refused', 'N/A',
    '123 Unknown St'][1 + i % 9]"""


@dataclass(frozen=True)
class Defect:
    """How an address comes to be incomplete: SQL for the parts that change; `needs`: SQL for where it can be."""

    name: str
    parts: dict[str, str]
    needs: str = "true"


# Each list is drawn from evenly; a defect that cannot be (no house number in a PO box) becomes the list's first.
VISIBLE = (
    Defect("failed_to_provide", {"street": "'Failed to Provide'", **_ZIP_ONLY}),
    Defect("unknown_address", {"street": "'Unknown Address'", **_ZIP_ONLY}),
    Defect("na_na", {"street": "'NA NA'", "unit": "NULL", "city": "'NA'"}),
    Defect("no_house_number", {"street": _WITHOUT_NUMBER, "unit": "NULL"}, f"street <> {_WITHOUT_NUMBER}"),
    Defect("no_street_name", {"street": _NUMBER, "unit": "NULL"}, "regexp_matches(street, '^[0-9]+ ')"),
    Defect("no_street", {"street": "NULL", "unit": "NULL"}),
    Defect("jail", {"street": "city || ' County Jail'", "unit": "NULL"}),
    Defect("detention_facility", {"street": "city || ' Detention Center'", "unit": "NULL"}),
)
HOSTILE = (
    *VISIBLE,
    Defect("blank", dict.fromkeys(KEEP, "NULL")),
    Defect("placeholder", {"street": _PLACEHOLDER, "unit": "NULL"}),
    Defect("zip_repeated", {"zip": "['00000', '99999', '11111'][1 + i % 3]"}),
    Defect("no_zip", {"zip": "NULL"}),
    Defect("no_city_state", {"city": "NULL", "state": "NULL"}),
    Defect("zip_not_in_state", {"state": "CASE WHEN state = 'TX' THEN 'ME' ELSE 'TX' END"}),
    Defect("no_box_number", {"street": "'PO BOX'", "unit": "NULL"}),
    Defect("full_width_junk", {"street": "'ＵＮＫＮＯＷＮ'", "unit": "NULL"}),
)
UNIT_LEFT_OUT = "unit_left_out"

# (name, field → SQL). `letter_date` is a DATE column.
_RECENT = "strftime(letter_date - CAST(i % 91 AS INTEGER), '%Y-%m-%d')"
LEGAL = (
    ("no_reason", {"reason": "NULL"}),
    ("no_taxable_period", {"taxable_period": "''"}),
    ("officer_not_in_letter", {"officer": "'officer-unlisted'"}),
    ("no_case", {"case_number": "NULL"}),
    ("no_removal_ground", {"removal_ground": "NULL"}),
    ("no_word_of_judicial_review", {"judicial_order_date": "NULL"}),
    ("ground_of_inadmissibility", {"removal_ground": "'1182(a)(6)(A)(i)'"}),
    ("final_order_too_recent", {"final_order_date": _RECENT, "judicial_order_date": "'none'"}),
    ("judicial_order_too_recent", {"judicial_order_date": _RECENT}),
    ("final_order_in_future", {"final_order_date": "strftime(letter_date + 1 + CAST(i % 300 AS INTEGER), '%Y-%m-%d')"}),
)

# (name, field → SQL, whether the row can still be read). None of them changes who is asked for.
TRICKS = (
    ("formula", {"reason": "'=HYPERLINK(\"http://example.invalid/' || case_number || '\")'"}, True),
    ("sql", {"reason": "'''); DROP TABLE persons; -- ' || case_number"}, True),
    ("quotes", {"reason": "'He said \"no\", twice; ' || case_number"}, True),
    ("bell", {"reason": "reason || chr(7)"}, False),
    ("huge_but_legal", {"reason": "repeat('Long reasons are legal. ', 40) || case_number"}, True),
    ("zero_width", {"first_name": "first_name[1] || chr(8203) || first_name[2:]"}, True),
    ("full_width_digits", {"tin": "translate(tin, '0123456789', '０１２３４５６７８９')"}, True),
    ("look_alike", {"last_name": "translate(last_name, 'AEO', 'АЕО')"}, True),
    ("padding", {"first_name": "'   ' || first_name || ' '", "last_name": "' ' || last_name || '   '"}, True),
)
