"""The verdict: which address codes hold for an address alone. No blocking code means complete, by positive proof.

What is missing is named once: a placeholder is a placeholder, not a missing number, street and city.
"""

from expectations.address.text import MARK


def finish_stage(source: str) -> str:
    """Adds the contract's a_* columns but a_codes, keeping the _ columns that the codes read."""
    unit = (
        "nullif(concat_ws(' ', _unit_text, CASE WHEN _line_unit <> coalesce(_unit_text, '')"
        " THEN nullif(_line_unit, '') END, _loose_unit), '')"
    )
    return f"""
    WITH read AS (
      SELECT *, CASE WHEN _unit_text IS NULL THEN _street ELSE concat_ws(' ', _street, _unit_text) END AS _delivery,
        CASE WHEN _other IS NOT NULL OR _line_unit = '' AND _loose_unit IS NULL THEN _unit_text
          ELSE {unit} END AS _units,
        coalesce(contains(_street, '{MARK}'), false) OR coalesce(contains(_unit_text, '{MARK}'), false)
          OR coalesce(contains(_city, '{MARK}'), false) AS _marked FROM {source}
    ), kinds AS (
      SELECT *, CASE WHEN _marked OR _street IS NULL THEN NULL
        WHEN _other = 'military' THEN CASE WHEN _state IN ('AA', 'AE', 'AP') THEN 'military' END
        WHEN _other IS NOT NULL THEN CASE WHEN _state IN ('AA', 'AE', 'AP') AND _other <> 'general_delivery' THEN NULL
          ELSE _other END
        WHEN _lacks_box OR _state IN ('AA', 'AE', 'AP') THEN NULL
        WHEN _number IS NOT NULL AND _name IS NOT NULL THEN 'street' END AS a_kind FROM read
    )
    SELECT *, CASE WHEN _other IS NOT NULL THEN _box WHEN NOT _marked THEN _number END AS a_number,
      CASE WHEN _other IS NOT NULL THEN _route WHEN NOT _marked THEN _name END AS a_street,
      CASE WHEN _units IS NOT NULL AND NOT _marked THEN addr_unit(_units) END AS a_unit,
      CASE WHEN NOT _marked THEN coalesce(_urb_column, _urb_said) END AS a_urb,
      CASE WHEN _listed THEN _city WHEN regexp_matches(_city, '[A-Z].*[A-Z]') AND NOT contains(_city, '{MARK}')
        THEN _city END AS a_city, _state AS a_state, _zip AS a_zip FROM kinds"""


_CIVIL = "coalesce(_state NOT IN ('AA', 'AE', 'AP'), true)"
_LINE = "_street IS NOT NULL AND NOT _junk AND NOT _marked"  # a delivery line that says something
_STREET = f"{_LINE} AND a_kind IS NULL AND NOT _lacks_box AND _other IS NULL AND {_CIVIL}"
CONDITIONS = {
    "CITY_NOT_IN_ZIP": "a_city IS NOT NULL AND NOT _junk_city AND z_state IS NOT NULL AND NOT _listed",
    "FACILITY": "_facility",
    "GENERAL_DELIVERY": "a_kind = 'general_delivery'",
    "NOT_PARSED": f"_marked OR {_LINE} AND a_kind IS NULL AND NOT _lacks_box AND (_other IS NOT NULL OR NOT {_CIVIL})",
    "NO_ADDRESS": "_street IS NULL",
    "NO_BOX": f"{_LINE} AND _lacks_box",
    "NO_CITY": "a_city IS NULL AND NOT _junk_city AND NOT _city_let",
    "NO_NUMBER": f"{_STREET} AND _number IS NULL",
    "NO_STATE": "a_state IS NULL AND NOT _state_left_out",
    "NO_STREET": f"{_STREET} AND _name IS NULL",
    "NO_ZIP": "a_zip IS NULL",
    # a ZIP of one repeated digit is a filler unless the city proves it
    "PLACEHOLDER": (
        "_junk OR _junk_city OR CASE WHEN NOT _listed "
        " THEN regexp_full_match(a_zip, '0+|1+|2+|3+|4+|5+|6+|7+|8+|9+') ELSE false END"
    ),
    "PRIVATE_MAILBOX": "prefix(a_unit, 'PMB')",
    "REQUESTER_ADDRESS": "_own",
    "STATE_LEFT_OUT": "_state_left_out",
    "UNIQUE_ZIP": "z_type = 'UNIQUE'",
    "ZIP_NOT_IN_STATE": "z_state <> a_state",
    "ZIP_UNKNOWN": "a_zip IS NOT NULL AND NOT coalesce(z_active, false)",
}


def judge_stage(source: str, own: str) -> str:
    """Adds one boolean a code, named as the code. `own`: SQL that is TRUE at the requester's own places."""
    conditions = ", ".join(f"coalesce({sql}, false) AS _is_{code}" for code, sql in CONDITIONS.items())
    return f"""
    SELECT *, {conditions} FROM (
      SELECT *,
        -- which part it was is asked of the few rows whose text has it (in a CASE: AND looks at every row)
        CASE WHEN addr_junk_whole(_street) THEN true WHEN _suspect THEN coalesce(addr_junk_within(_delivery), false)
          ELSE false END AS _junk,
        -- Peru, Cuba, Mexico and Street are towns too: a city of the ZIP's own list is no placeholder
        CASE WHEN _listed THEN false WHEN addr_junk_whole(_city) THEN true
          WHEN _suspect THEN coalesce(addr_junk_within(_city), false) ELSE false END AS _junk_city,
        CASE WHEN addr_facility_place({place_key()}) THEN true WHEN _suspect THEN addr_facility(_said_all)
          ELSE false END AS _facility, {own} AS _own FROM (SELECT *, addr_suspect(_said_all) AS _suspect
        FROM (SELECT *, concat_ws(' / ', _delivery, _city) AS _said_all FROM {source})))"""


def codes_sql() -> str:
    """SQL for a_codes: the sorted list of the codes whose boolean is true; most rows have none."""
    names = sorted(CONDITIONS)
    cases = ", ".join(f"CASE WHEN _is_{code} THEN '{code}' END" for code in names)
    return (
        f"CASE WHEN {' OR '.join(f'_is_{c}' for c in names)} THEN list_filter([{cases}], c -> c IS NOT NULL)"
        " ELSE CAST([] AS VARCHAR[]) END"
    )


def place_key() -> str:
    """SQL for one place, whatever the unit, null if not parsed: what premises and facilities are compared on."""
    return "CASE WHEN a_kind IS NOT NULL THEN concat_ws('|', a_kind, a_number, a_street, a_zip) END"
