"""The delivery line: what kind it is, and its number, street and unit in standard form (Publication 28).

Works on plain text (`text`). Adds _kind (null: no positive proof), _number, _name, _unit and what is missing.
"""

from expectations.address import patterns as p


def line_stages(source: str) -> str:
    """All that is below, one inside the other."""
    for stage in (unit_stage, special_stage, number_stage):
        source = f"({stage(source)})"
    return street_stage(source)


def unit_stage(source: str) -> str:
    """Adds _units: the unit as written (column and line), and _line1: the delivery line without it."""
    has = f"regexp_matches(_street, '{p.UNIT_HINT}')"
    return f"""
    WITH roads AS (
      SELECT * REPLACE (CASE WHEN contains(_street, '#')
        THEN regexp_replace(_street, '(HWY|HIGHWAY|ROUTE|RTE|RR|RT) # ?([0-9])', '\\1 \\2')
          ELSE _street END AS _street) FROM {source}
    ), heads AS (
      SELECT *, {has} AS _has, regexp_matches(_street, '{p.SPECIAL}') AS _special,
        CASE WHEN {has} THEN regexp_extract(_street, '{p.UNIT_HEAD}', ['unit', 'rest']) END AS _first FROM roads
    ), lines AS (
      SELECT *, CASE WHEN _first.rest <> '' THEN _first.rest ELSE _street END AS _l FROM heads
    ), tails AS (
      SELECT *, CASE WHEN _has THEN regexp_extract(_l, '{p.UNIT_TAIL}', ['rest', 'unit']) END AS _last FROM lines
    )
    SELECT * EXCLUDE (_has, _first, _l, _last),
      CASE WHEN _last.rest <> '' THEN _last.rest ELSE _l END AS _line1,
      concat_ws(' ', nullif(_first.unit, ''), nullif(trim(_last.unit), '')) AS _line_unit FROM tails"""


def special_stage(source: str) -> str:
    """Adds _box: (kind, street, box) of everything that is no street, and _lacks_box."""
    urb = f"regexp_extract(_line1, '{p.URBANIZATION}', ['urb', 'rest'])"
    return f"""
    WITH forms AS (
      SELECT *, CASE WHEN _special THEN regexp_extract(_street, '{p.MILITARY}', ['route', 'unit', 'box']) END AS _mil,
        CASE WHEN _special THEN regexp_extract(_street, '{p.RURAL}', ['route', 'box']) END AS _rr,
        CASE WHEN _special THEN regexp_extract(_street, '{p.HIGHWAY_CONTRACT}', ['route', 'box']) END AS _hc,
        CASE WHEN _special THEN regexp_extract(_street, '{p.PO_BOX}', ['said', 'bare']) END AS _po_form,
        CASE WHEN _special THEN regexp_matches(_street, '{p.GENERAL}') ELSE false END AS _gd,
        CASE WHEN prefix(_line1, 'URB') THEN {urb} END AS _urb_form FROM {source}
    ), boxes AS (
      SELECT * EXCLUDE (_po_form), _po_form.said || _po_form.bare AS _po FROM forms
    ), kinds AS (
      SELECT * EXCLUDE (_urb_form), nullif(_urb_form.urb, '') AS _urb_said,
        CASE WHEN _urb_form.rest <> '' THEN _urb_form.rest ELSE _line1 END AS _line2,
        CASE WHEN _mil.box <> '' AND (_state IN ('AA', 'AE', 'AP') OR _mil.route <> 'UNIT' OR prefix(_street, 'UNIT'))
          THEN 'military' WHEN _rr.box <> '' OR _hc.box <> '' THEN 'rural' WHEN _gd THEN 'general_delivery'
          WHEN _po <> '' THEN 'po_box' END AS _other FROM boxes
    )
    SELECT * EXCLUDE (_mil, _rr, _hc, _po, _gd),
      CASE _other WHEN 'military' THEN _mil.box WHEN 'po_box' THEN _po
        WHEN 'rural' THEN replace(CASE WHEN _rr.box <> '' THEN _rr.box ELSE _hc.box END, ' ', '') END AS _box,
      CASE _other WHEN 'military' THEN _mil.route || ' ' || _mil.unit WHEN 'po_box' THEN 'PO BOX'
        WHEN 'general_delivery' THEN 'GENERAL DELIVERY'
        WHEN 'rural' THEN CASE WHEN _rr.box <> '' THEN 'RR ' || _rr.route ELSE 'HC ' || _hc.route END END AS _route,
      CASE WHEN _special AND _other IS NULL
        THEN regexp_matches(_street, '{p.PO_WORD}|{p.ROUTE_WORD}|{p.MILITARY_WORD}') ELSE false END AS _lacks_box
    FROM kinds"""


def number_stage(source: str) -> str:
    """Adds _number and _rest (words after it) of a street line; spelled numbers count ("ONE CHURCH ST")."""
    spanish = "regexp_matches(_line2, '^(?:.* )?(?:CALLE|AVENIDA|CARR|CARRETERA|PASEO|CAMINO|VEREDA|CALLEJON|AVE) ')"
    calle = f"CASE WHEN {spanish} THEN regexp_extract(_line2, '{p.CALLE}', ['number', 'rest']) END"
    last = (
        f"CASE WHEN {spanish} AND _state IN ('PR', 'VI')"
        f" THEN regexp_extract(_line2, '{p.CALLE_LAST}', ['rest', 'number']) END"
    )
    km = f"CASE WHEN {spanish} THEN regexp_extract(_line2, '{p.CARR}', ['rest', 'number']) END"
    return f"""
    WITH forms AS (
      SELECT *, regexp_extract(_line2, '{p.STREET}', ['number', 'rest']) AS _plain, {calle} AS _calle,
        {last} AS _after, {km} AS _km,
        CASE WHEN _line2 >= 'A' THEN split_part(_line2, ' ', 1) END AS _first_word FROM {source}
    ), found AS (
      SELECT forms.*, CASE WHEN _km.number <> '' THEN _km WHEN _after.number <> '' THEN _after END AS _spanish,
        CASE WHEN spelled IS NOT NULL AND contains(_line2, ' ') THEN spelled END AS _spelled
      FROM forms LEFT JOIN addr_words_table n ON n.word = _first_word
    ), chosen AS (
      SELECT * EXCLUDE (_plain, _calle, _after, _km, _first_word, _spanish, _spelled),
        CASE WHEN _spanish IS NOT NULL THEN _spanish.number
          WHEN _calle.number <> '' THEN replace(_calle.number, ' ', '-') WHEN _plain.number <> '' THEN _plain.number
          WHEN regexp_full_match(_line2, '{p.NUMBER_ONLY}') THEN ltrim(_line2, '# ') ELSE _spelled END AS _n,
        CASE WHEN _spanish IS NOT NULL THEN _spanish.rest WHEN _calle.number <> '' THEN _calle.rest
          WHEN _plain.number <> '' THEN _plain.rest
          WHEN regexp_full_match(_line2, '{p.NUMBER_ONLY}') THEN NULL
          WHEN _spelled IS NOT NULL THEN substr(_line2, position(' ' IN _line2) + 1) ELSE _line2 END AS _rest FROM found
    )
    SELECT * EXCLUDE (_n),
      -- 403-1/2 and 403 1/2 are one number; a number of noughts is none
      CASE WHEN regexp_full_match(_n, '0+[A-Z]?') THEN NULL WHEN _n[1] = '0' OR contains(_n, '/')
        THEN regexp_replace(regexp_replace(_n, '^0+', ''), '-([0-9]/)', ' \\1')
          WHEN regexp_matches(_n, '^[NSEW] ?[0-9]+ ?[NSEW]') THEN replace(_n, ' ', '') ELSE _n END AS _number
    FROM chosen"""


def street_stage(source: str) -> str:
    """Adds _name: predirectional, name, suffix, postdirectional in standard form, if a street is positively there."""
    return f"""
    WITH words AS (
      SELECT *, string_split(_rest, ' ') AS _r FROM {source}
    ), marked AS (
      SELECT words.*, len(_r) AS _k, w1.dir AS _d1, w1.bare AS _bare1, w1.ordinal AS _o1, w2.ordinal AS _o2,
        w1.road AS _road1, w2.road AS _road2, w1.begins AS _begins1, w2.begins AS _begins2,
        CASE WHEN len(_r) > 1 THEN e1.dir END AS _de, e1.suffix AS _se1, coalesce(e1.bare, false) AS _bare_e1,
        e2.suffix AS _se2, coalesce(e2.bare, false) AS _bare_e2, coalesce(e2.ends, false) AS _ends
      FROM words LEFT JOIN addr_words_table w1 ON w1.word = _r[1] LEFT JOIN addr_words_table w2 ON w2.word = _r[2]
        LEFT JOIN addr_words_table e1 ON e1.word = _r[-1] LEFT JOIN addr_words_table e2 ON e2.word = _r[-2]
    ), pre AS (
      -- a directional is one only if a name is left beside it: 12 NORTH AVE is the avenue called North
      SELECT *, _d1 IS NOT NULL AND (_k > 2 OR _k = 2 AND NOT _bare_e1 AND _de IS NULL) AS _pre FROM marked
    ), bounds AS (
      SELECT *, CASE WHEN _pre THEN 2 ELSE 1 END AS _from, CASE WHEN _pre THEN _o2 ELSE _o1 END AS _o,
        CASE WHEN _pre THEN _road2 ELSE _road1 END AS _road_word,
        CASE WHEN CASE WHEN _pre THEN _begins2 ELSE _begins1 END THEN CASE WHEN _pre THEN _r[2] || ' ' || _r[3]
          ELSE _r[1] || ' ' || _r[2] END END AS _two,
        coalesce(_de IS NOT NULL AND _k > CASE WHEN _pre THEN 2 ELSE 1 END
          AND NOT (_k = 2 AND coalesce(_bare1, false)), false) AS _post FROM pre
    ), roads AS (
      SELECT bounds.*, coalesce(h2.standard, _road_word) AS _road,
        CASE WHEN h2.standard IS NOT NULL THEN _from + 2 ELSE _from + 1 END AS _road_at
      FROM bounds LEFT JOIN addr_highways h2 ON h2.written = _two
    ), routes AS (
      SELECT *, CASE WHEN _road IS NOT NULL THEN coalesce(regexp_full_match(_r[_road_at], '[0-9]+[A-Z]{{0,2}}')
          OR _road IN ('COUNTY ROAD', 'COUNTY HIGHWAY', 'HIGHWAY', 'STATE HIGHWAY') 
            AND regexp_full_match(_r[_road_at], '[A-Z]{{1,3}}'), false)
          AND _k - _road_at <= 2 ELSE false END AS _is_road FROM roads
    ), units AS (
      -- 200 CENTER ST A: the letter after the suffix is the unit
      SELECT *, CASE WHEN _ends AND NOT _is_road AND NOT _post AND _k - _from >= 2
        THEN regexp_full_match(_r[-1], '[A-Z]|[0-9]+-?[A-Z]?|[A-Z]-?[0-9]+') ELSE false END AS _loose FROM routes
    ), pieces AS (
      SELECT *, CASE WHEN _loose OR _post THEN _k - 1 ELSE _k END AS _to,
        CASE WHEN _loose OR _post THEN _se2 ELSE _se1 END AS _sfx,
        CASE WHEN _loose OR _post THEN _bare_e2 ELSE _bare_e1 END AS _bare FROM units
    ), named AS (
      SELECT *, _sfx IS NOT NULL AND _to > _from AS _has_suffix,
        list_slice(_r, _from + CASE WHEN _o IS NOT NULL THEN 1 ELSE 0 END,
          CASE WHEN _sfx IS NOT NULL AND _to > _from THEN _to - 1 ELSE _to END) AS _mid FROM pieces
    ), joined AS (
      SELECT *, CASE WHEN _is_road THEN concat_ws(' ', CASE WHEN _pre THEN _d1 END, _road,
        array_to_string(list_slice(_r, _road_at, CASE WHEN _post THEN _k - 1 ELSE _k END), ' '),
          CASE WHEN _post THEN _de END)
        ELSE concat_ws(' ', CASE WHEN _pre THEN _d1 END, _o, nullif(array_to_string(_mid, ' '), ''),
          CASE WHEN _has_suffix THEN _sfx END, CASE WHEN _post THEN _de END) END AS _full FROM named
    )
    SELECT * EXCLUDE (_r, _k, _d1, _o1, _o2, _o, _de, _se1, _se2, _pre, _from, _post, _road, _road_at, _is_road,
      _loose, _to, _sfx, _has_suffix, _mid, _full,
        _bare1, _bare_e1, _bare_e2, _ends, _bare, _road1, _road2, _begins1, _begins2, _road_word, _two),
      CASE WHEN _loose THEN _r[-1] END AS _loose_unit,
      CASE WHEN _k IS NULL OR _k > 9 OR NOT regexp_full_match(_full, '[A-Z0-9&/.-]+( [A-Z0-9&/.-]+)*') THEN NULL
        -- with a suffix or a directional a short or numbered name will do; without, a word is needed
        WHEN _k = 2 AND _d1 IS NOT NULL AND _de IS NOT NULL THEN NULL  -- SOUTHWEST NORTH names nothing
        WHEN _is_road OR _has_suffix AND (len(_mid) > 0 OR _o IS NOT NULL) THEN _full
        WHEN _has_suffix THEN NULL
        WHEN (_pre OR _post) AND NOT _bare AND (len(_mid) > 0 OR _o IS NOT NULL)
          AND regexp_matches(_full, '[A-Z]{{3}}|[0-9]') THEN _full
        WHEN (_k > 1 OR NOT _bare) AND regexp_matches(_rest, '(^| )[A-Z][A-Z&/-]+|[0-9](ST|ND|RD|TH)$')
          AND NOT coalesce(_k = 1 AND (_d1 IS NOT NULL OR _sfx IS NOT NULL), false) THEN _full END AS _name
    FROM joined"""
