"""One line to parts, from the right: ZIP, state, then a city verified against the ZIP's list; the rest is the delivery line.

A city is believed if the ZIP's list holds it, or the state has one of that name, or a comma sets it apart: in that order.
"""

from __future__ import annotations

LISTED = "coalesce(_city = z_city OR list_contains(z_cities, _city), false)"

_COUNTRY = "(?:USA|US|U S A|UNITED STATES(?: OF AMERICA)?)"
# at the end: ZIP, perhaps ZIP+4, perhaps a country on either side
_ZIP_END = f"(?:^|[ ,-])(?:{_COUNTRY}[ ,]+)?([0-9]{{5}})(?:[ -]?[0-9]{{4}})?[ ,]*{_COUNTRY}?[ ,]*$"


def zip_stage(source: str) -> str:
    """Adds _zip (five digits) from the zip column or the end of the line, and _head: the line before it."""
    found = f"regexp_extract(_line, '{_ZIP_END}', 1)"
    return f"""
    SELECT *, nullif(trim(CASE WHEN _line IS NULL THEN NULL WHEN {found} <> ''
        THEN regexp_replace(_line, '{_ZIP_END}', '') ELSE regexp_replace(_line, '[ ,]+{_COUNTRY}[ ,]*$', '') END, ' ,'), '') AS _head,
      coalesce(nullif({found}, ''), CASE WHEN regexp_full_match(_zip_text, '[0-9]{{5}}(?:[ -]?[0-9]{{4}})?') THEN left(_zip_text, 5) END) AS _zip
    FROM {source}"""


def state_stage(source: str) -> str:
    """Adds _state and _body (words before the state, a space before each) from the state column or the end of the line."""
    return f"""
    WITH words AS (
      SELECT *, string_split(addr_words(replace(_head, ',', ' ')), ' ') AS _w FROM {source}
    ), tails AS (
      SELECT *, _w[-1] AS _t1, _w[-2] || ' ' || _w[-1] AS _t2, _w[-3] || ' ' || _w[-2] || ' ' || _w[-1] AS _t3 FROM words
    )
    SELECT tails.* EXCLUDE (_t1, _t2, _t3),
      coalesce(p.standard, s3.standard, s2.standard, s1.standard) AS _state,
      CASE WHEN s3.standard IS NOT NULL THEN _t3 WHEN s2.standard IS NOT NULL THEN _t2 WHEN s1.standard IS NOT NULL THEN _t1 ELSE '' END AS _said,
      ' ' || addr_words(array_to_string(CASE WHEN s3.standard IS NOT NULL THEN _w[:-4] WHEN s2.standard IS NOT NULL THEN _w[:-3]
        WHEN s1.standard IS NOT NULL THEN _w[:-2] ELSE _w END, ' ')) AS _body
    FROM tails
      LEFT JOIN addr_states p ON p.written = _state_text
      LEFT JOIN addr_states s1 ON s1.written = _t1
      LEFT JOIN addr_states s2 ON s2.written = _t2
      LEFT JOIN addr_states s3 ON s3.written = _t3"""


def parts_stage(source: str) -> str:
    """What the three stages below find for one line, for rows that come in parts."""
    return f"""
    SELECT f.*, CASE WHEN regexp_full_match(_zip_text, '[0-9]{{5}}(?:[ -]?[0-9]{{4}})?') THEN left(_zip_text, 5) END AS _zip,
      standard AS _state, _city_text AS _city, _street_text AS _street
    FROM {source} f LEFT JOIN addr_states ON written = _state_text"""


def city_stage(source: str) -> str:
    """Adds _city and _street, _street without the city; needs the ZIP's columns (z_tails)."""
    return f"""
    WITH listed AS (
      SELECT *, CASE WHEN suffix(_body, z_tail) THEN z_tail ELSE list_filter(z_tails, c -> suffix(_body, c))[1] END AS _listed FROM {source}
    ), tails AS (
      SELECT *, string_split(CASE WHEN _listed IS NULL AND _line IS NOT NULL THEN ltrim(_body) END, ' ') AS _b,
        list_transform(string_split(CASE WHEN _listed IS NULL AND contains(_head, ',') THEN _head END, ','), s -> trim(s)) AS _s
      FROM listed
    ), known AS (
      SELECT tails.*,
        CASE WHEN c3.city IS NOT NULL THEN ' ' || c3.city WHEN c2.city IS NOT NULL THEN ' ' || c2.city WHEN c1.city IS NOT NULL THEN ' ' || c1.city END AS _known,
        -- the state may stand in a piece of its own, or end the city's
        CASE WHEN _s[-1] = _said THEN _s[-2] WHEN _said <> '' AND suffix(_s[-1], ' ' || _said) THEN trim(left(_s[-1], length(_s[-1]) - length(_said)))
          ELSE _s[-1] END AS _piece
      FROM tails
        LEFT JOIN addr_cities c1 ON c1.state = _state AND c1.city = _b[-1]
        LEFT JOIN addr_cities c2 ON c2.state = _state AND c2.city = _b[-2] || ' ' || _b[-1]
        LEFT JOIN addr_cities c3 ON c3.state = _state AND c3.city = _b[-3] || ' ' || _b[-2] || ' ' || _b[-1]
    ), chosen AS (
      SELECT *, coalesce(_listed, CASE WHEN regexp_full_match(_piece, '[A-Z][A-Z -]*[A-Z]') AND suffix(_body, ' ' || _piece) AND length(_body) > length(_piece) + 1
        THEN ' ' || _piece END, _known) AS _tail FROM known
    )
    SELECT * EXCLUDE (_line, _head, _w, _said, _body, _listed, _b, _s, _known, _piece, _tail),
      CASE WHEN _line IS NULL THEN _city_text ELSE ltrim(_tail) END AS _city,
      CASE WHEN _line IS NULL THEN _street_text WHEN _tail IS NULL THEN addr_words(_body) ELSE addr_words(left(_body, length(_body) - length(_tail))) END AS _street
    FROM chosen"""
