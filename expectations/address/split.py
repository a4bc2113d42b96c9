"""One line to parts, from the right: ZIP, state, then a city verified against the ZIP's list; the rest is the street.

A city is believed if the ZIP's list holds it, or the state has one of that name, or a comma sets it apart: in that
order. A state or city is left out only where nothing stands: a placeholder, or what cannot be read, stays NO_STATE or
NO_CITY.
"""

from collections.abc import Collection

_COUNTRY = "(?:USA|US|U S A|UNITED STATES(?: OF AMERICA)?)"
# at the end: ZIP, perhaps ZIP+4, perhaps a country on either side
_ZIP_END = f"(?:^|[ ,-])(?:{_COUNTRY}[ ,]+)?([0-9]{{5}})(?:[ -]?[0-9]{{4}})?[ ,]*{_COUNTRY}?[ ,]*$"
# most lines: a state's two letters and the ZIP; no country (US) between
_PLAIN_END = " (?:[A-Z][A-RT-Z]|[A-TV-Z]S) ([0-9]{5})(?:-[0-9]{4})?$"


def zip_stage(source: str) -> str:
    """Adds _zip (five digits) from the zip column or the end of the line, and _head: the line before it."""
    found = f"regexp_extract(_line, '{_ZIP_END}', 1)"
    return f"""
    WITH ends AS (
      SELECT *, regexp_extract(right(_line, 14), '{_PLAIN_END}', 1) AS _plain FROM {source}
    ), found AS (
      SELECT *, CASE WHEN _plain <> '' THEN _plain WHEN _line IS NOT NULL THEN {found} END AS _found FROM ends
    )
    SELECT * EXCLUDE (_plain, _found),
      CASE WHEN _plain <> '' THEN left(_line, length(_line) - CASE WHEN _line[-5] = '-' THEN 11 ELSE 6 END)
        ELSE nullif(trim(CASE WHEN _found <> '' THEN regexp_replace(_line, '{_ZIP_END}', '') 
          ELSE regexp_replace(_line, '[ ,]+{_COUNTRY}[ ,]*$', '') END, ' ,'), '') END AS _head,
      CASE WHEN _found <> '' THEN _found WHEN regexp_full_match(_zip_text, '[0-9]{{5}}(?:[ -]?[0-9]{{4}})?')
        THEN left(_zip_text, 5) END AS _zip FROM found"""


def state_stage(source: str) -> str:
    """Adds _state, _said (the state as it stands in the line) and _body (the words before it, with a space before the
    first) from the state column or the end of the line."""
    return f"""
    WITH flat AS (
      SELECT *, replace(_head, ', ', ' ') AS _spaced FROM {source}
    ), words AS (
      SELECT * EXCLUDE (_spaced), CASE WHEN contains(_spaced, ',') OR contains(_spaced, '  ') OR prefix(_spaced, ' ')
        THEN addr_words(replace(_spaced, ',', ' ')) ELSE _spaced END AS _flat FROM flat
    ), tails AS (
      SELECT words.*, p.standard AS _column, s1.standard AS _one, split_part(_flat, ' ', -1) AS _t1,
        CASE WHEN s1.ends THEN nullif(regexp_extract(_flat, '(?:^| )([^ ]+ [^ ]+)$', 1), '') END AS _t2,
        CASE WHEN s1.ends THEN nullif(regexp_extract(_flat, '(?:^| )([^ ]+ [^ ]+ [^ ]+)$', 1), '') END AS _t3
      FROM words LEFT JOIN addr_states p ON p.written = _state_text
        LEFT JOIN addr_states s1 ON s1.written = split_part(_flat, ' ', -1)
    ), named AS (
      SELECT tails.*, coalesce(_column, s3.standard, s2.standard, _one) AS _state,
        CASE WHEN s3.standard IS NOT NULL THEN _t3 WHEN s2.standard IS NOT NULL THEN _t2 WHEN _one IS NOT NULL THEN _t1
          ELSE '' END AS _said
      FROM tails LEFT JOIN addr_states s2 ON s2.written = _t2 LEFT JOIN addr_states s3 ON s3.written = _t3
    )
    SELECT * EXCLUDE (_flat, _column, _one, _t1, _t2, _t3),
      ' ' || nullif(CASE WHEN _said = '' THEN _flat ELSE rtrim(left(_flat, length(_flat) - length(_said))) END, '')
        AS _body FROM named"""


def parts_stage(source: str) -> str:
    """What the three other stages find for one line, for rows that come in parts."""
    return f"""
    SELECT f.*, CASE WHEN regexp_full_match(_zip_text, '[0-9]{{5}}(?:[ -]?[0-9]{{4}})?') THEN left(_zip_text, 5) END
      AS _zip,
      standard AS _state, _city_text AS _city, _street_text AS _street
    FROM {source} f LEFT JOIN addr_states ON written = _state_text"""


def place_stage(source: str, *, one_line: bool) -> str:
    """Adds what the ZIP is (z_state, z_type, z_active, z_city), _city, _street (without the city), and _listed: whether
    the ZIP's list holds the city. The whole list is fetched only where the city is not the ZIP's own: most rows need
    one string."""
    line_known = "CASE WHEN _line IS NULL THEN _city_text = z_city ELSE suffix(_body, z_tail) END"
    known = line_known if one_line else "_city = z_city"
    listed = "coalesce(_city = z_city OR list_contains(z_cities, _city), false) AS _listed"
    found = f"""(
      SELECT * EXCLUDE (l_zip) FROM (
        SELECT *, CASE WHEN NOT coalesce({known}, false) THEN _zip END AS _ask FROM {source}
          LEFT JOIN addr_zips ON z_zip = _zip
      ) LEFT JOIN addr_zip_lists ON l_zip = _ask)"""
    placed = f"({city_stage(found)})" if one_line else found
    return f"SELECT * EXCLUDE (_ask, z_cities, z_tails, z_tail), {listed} FROM {placed}"


def city_stage(source: str) -> str:
    """Adds _city and _street, _street without the city; needs the ZIP's columns (z_tails)."""
    return f"""
    WITH listed AS (
      SELECT *, CASE WHEN suffix(_body, z_tail) THEN z_tail ELSE list_filter(z_tails, c -> suffix(_body, c))[1] END
        AS _listed FROM {source}
    ), tails AS (
      SELECT *, string_split(CASE WHEN _listed IS NULL AND _line IS NOT NULL THEN ltrim(_body) END, ' ') AS _b,
        list_transform(string_split(CASE WHEN _listed IS NULL AND contains(_head, ',') THEN _head END, ','),
          s -> trim(s)) AS _s FROM listed
    ), known AS (
      SELECT tails.*, CASE WHEN c3.city IS NOT NULL THEN ' ' || c3.city WHEN c2.city IS NOT NULL THEN ' ' || c2.city
          WHEN c1.city IS NOT NULL THEN ' ' || c1.city END AS _known,
        -- the state may stand in a piece of its own, or end the city's
        CASE WHEN _s[-1] = _said THEN _s[-2] WHEN _said <> '' AND suffix(_s[-1], ' ' || _said)
          THEN trim(left(_s[-1], length(_s[-1]) - length(_said))) ELSE _s[-1] END AS _piece FROM tails
        LEFT JOIN addr_cities1 c1 ON c1.state = _state AND c1.city = _b[-1]
        LEFT JOIN addr_cities2 c2 ON c2.state = _state AND c2.city = _b[-2] || ' ' || _b[-1]
        LEFT JOIN addr_cities3 c3 ON c3.state = _state AND c3.city = _b[-3] || ' ' || _b[-2] || ' ' || _b[-1]
    ), chosen AS (
      SELECT *, coalesce(_listed, CASE WHEN regexp_full_match(_piece, '[A-Z][A-Z -]*[A-Z]')
        AND suffix(_body, ' ' || _piece) AND length(_body) > length(_piece) + 1
        THEN ' ' || _piece END, _known) AS _tail FROM known
    )
    SELECT * EXCLUDE (_line, _head, _said, _body, _listed, _b, _s, _known, _piece, _tail),
      CASE WHEN _line IS NULL THEN _city_text ELSE ltrim(_tail) END AS _city,
      CASE WHEN _line IS NULL THEN _street_text WHEN _tail IS NULL THEN nullif(trim(_body), '')
        ELSE nullif(trim(left(_body, length(_body) - length(_tail))), '') END AS _street FROM chosen"""


# In one line nothing may stand between city and ZIP, so that the city must be one of the ZIP's, or be left out as well.
_NO_STATE = (
    "_state IS NULL AND _state_text IS NULL AND coalesce(z_active, false) "
    " AND (_listed OR _city IS NULL OR _city_text IS NOT NULL)"
)


def left_out_stage(source: str, allowed: Collection[str]) -> str:
    """Adds _state_left_out and _city_let: a code for the first, none for the second. `allowed`: see `derive`.

    Fills _state from the ZIP where it may be left out, so that the delivery line is read, and compared with the
    addresses on file, as of that state.
    """
    implied = f"CASE WHEN {_NO_STATE} THEN z_state ELSE _state END" if "state" in allowed else "_state"
    left = "false" if "state" in allowed else f"coalesce({_NO_STATE}, false)"
    city = "_city IS NULL" if "city" in allowed else "false"
    return f"SELECT * REPLACE ({implied} AS _state), {left} AS _state_left_out, {city} AS _city_let FROM {source}"
