"""How requesters write: nicknames, typing errors, letter case, abbreviations, unit forms. SQL over a row's columns."""

from expectations.base.duck import quote
from pipelines.simulate.chance import Chance
from pipelines.simulate.reference import NICKNAMES

LONG = {"ST": "Street", "AVE": "Avenue", "DR": "Drive", "LN": "Lane", "RD": "Road", "CT": "Court", "PL": "Place"}
LONG |= {"BLVD": "Boulevard", "CIR": "Circle", "TER": "Terrace", "PKWY": "Parkway", "TRL": "Trail"}
COMPASS = {"N": "North", "S": "South", "E": "East", "W": "West"}
COMPASS |= {"NE": "Northeast", "NW": "Northwest", "SE": "Southeast"}


def nicknames() -> str:
    """SELECT of (name, nickname), one nickname a name, in capitals."""
    columns = "{'name': 'VARCHAR', 'nickname': 'VARCHAR'}"
    listed = f"read_csv({quote(str(NICKNAMES))}, skip = 2, header = true, columns = {columns})"
    return f"SELECT name, min(nickname) AS nickname FROM {listed} GROUP BY name"


def typo(c: Chance, text: str, purpose: str) -> str:
    """`text` with a letter doubled, left out or (two) swapped, never the first; another text if it has 3 letters."""
    at = f"(2 + {c.below('i', purpose + ' at', f'greatest(length({text}) - 2, 1)')})"
    swapped = f"substr({text}, {at} + 1, 1) || substr({text}, {at}, 1) || substr({text}, {at} + 2)"
    same = f"substr({text}, {at} + 1, 1) = substr({text}, {at}, 1)"
    return f"""left({text}, {at} - 1) || CASE {c.below("i", purpose + " kind", 3)}
          WHEN 0 THEN substr({text}, {at}, 1) || substr({text}, {at})
          WHEN 1 THEN CASE WHEN {same} THEN substr({text}, {at} + 1) ELSE {swapped} END
          ELSE substr({text}, {at} + 1) END"""


def titled(when: str, *names: str) -> str:
    """These columns, from capitals to title case word by word where `when` holds (ordinals become 45th)."""
    title = "array_to_string(list_transform(string_split({0}, ' '), w -> w[1] || lower(w[2:])), ' ')"
    return ", ".join(f"CASE WHEN {when} THEN {title.format(name)} ELSE {name} END AS {name}" for name in names)


def suffixed(c: Chance) -> str:
    """`street` with its suffix in full, now and then."""
    longer = _word("regexp_extract(street, '[A-Z]+$')", LONG)
    return f"""CASE WHEN {c.happens("i", "long suffix", 0.35)} AND {longer} IS NOT NULL
          THEN regexp_replace(street, '[A-Z]+$', upper({longer})) ELSE street END"""


def directed(c: Chance) -> str:
    """`street` with its direction in full, now and then, and PO BOX with points."""
    direction = _word("regexp_extract(street, '^[0-9]+ (N|S|E|W|NE|NW|SE) ', 1)", COMPASS)
    return (
        f"CASE WHEN street LIKE 'PO BOX %' AND {c.happens('i', 'points', 0.5)} THEN 'P.O. Box' || street[7:]"
        f" WHEN {c.happens('i', 'long direction', 0.3)} AND {direction} IS NOT NULL"
        f" THEN regexp_replace(street, '^([0-9]+) [NSEW]+ ', '\\1 ' || upper({direction}) || ' ') ELSE street END"
    )


def unit(c: Chance) -> str:
    """A unit as someone types it: APT 4, # 4, #4, Apt. 4, Apartment 4."""
    number = "regexp_extract(unit, '[^ ]+$')"
    return f"""CASE WHEN unit IS NULL THEN NULL WHEN unit LIKE 'APT %' THEN CASE {c.below("i", "unit form", 6)}
      WHEN 0 THEN '#' || {number} WHEN 1 THEN 'Apt. ' || {number} WHEN 2 THEN 'Apartment ' || {number}
      WHEN 3 THEN '# ' || {number} ELSE unit END
      ELSE CASE {c.below("i", "unit form", 3)}
      WHEN 0 THEN 'Unit ' || {number} WHEN 1 THEN '#' || {number} ELSE unit END END"""


def _word(text: str, words: dict[str, str]) -> str:
    return f"CASE {text} {' '.join(f'''WHEN '{k}' THEN '{v}' ''' for k, v in words.items())} END"
