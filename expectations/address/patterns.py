"""The shapes of a delivery line, as regular expressions over plain text (Publication 28; DMM 602).

Each is anchored and says what must be there: positive proof. Groups: see each.
"""

from expectations.address import reference

# PO Box and what normalizes to it (Publication 28, 281-286). An explicit box may follow a name or a street.
_PO = r"(?:P ?O ?(?:BOX|BX|DRAWER|CALLER|BIN|B)|POST OFFICE (?:BOX|DRAWER)|LOCK ?BOX|APARTADO(?: POSTAL)?)"
_PO_BARE = r"(?:(?:FIRM )?CALLER|DRAWER|BIN|BOX)"
_BOX_NO = r"(?: (?:NO|NUMBER|NUM))? ?#? ?"
_BOX_ID = r"([A-Z]?0*[1-9][0-9]*(?:-?[A-Z0-9]+)?|[A-Z])"
# what follows an explicit box (a department, a substation) does not unsay it
PO_BOX = rf"^(?:.* )?{_PO}{_BOX_NO}{_BOX_ID}(?: [A-Z#].*)?$|^(?:[^0-9]* )?{_PO_BARE}{_BOX_NO}{_BOX_ID}$"  # 1 or 2: box
PO_WORD = rf"(?:^|.* ){_PO}(?:{_BOX_NO}0*)?$|^{_PO_BARE}(?:{_BOX_NO}0*)?$|^{_PO} .*"

# Rural and highway contract routes: route and box (Publication 28, 24-25).
_RR = r"(?:RR|R R|RURAL (?:ROUTE|RTE|RT)|RFD(?: (?:ROUTE|RTE|RT))?|R F D|RD|ROUTE|RTE|RT)"
_HC = r"(?:HC|H C|HCR|(?:HIGHWAY|HWY) CONTRACT(?: (?:ROUTE|RTE|RT))?|STAR (?:ROUTE|RTE|RT))"
_ROUTE_ID = r" ?(?:NO )?#? ?0*([1-9][0-9]*[A-Z]?)"
_ROUTE_BOX = r",? (?:BOX|BX|#)(?: NO)? ?#? ?([A-Z]?0*[1-9][0-9]*(?:-[0-9A-Z]+|[A-Z])?(?: [A-Z])?)(?: [A-Z][A-Z ]*)?"
RURAL = rf"^(?:[^0-9]* )?{_RR}{_ROUTE_ID}{_ROUTE_BOX}$"  # 1: route, 2: box
HIGHWAY_CONTRACT = rf"^(?:[^0-9]* )?{_HC}{_ROUTE_ID}{_ROUTE_BOX}$"
ROUTE_WORD = rf"^(?:(?:RR|R R|RURAL (?:ROUTE|RTE|RT)|RFD|R F D)|{_HC})(?: ?#? ?[0-9]*[A-Z]?)?(?: (?:BOX|BX|#).*)?$"

# Military: number and box; a civil line may hold UNIT too, so that UNIT must come first (Publication 28, 225 and 236).
MILITARY = r"^(?:[^0-9]* )?(PSC|CMR|OMC|UMR|UNIT) ?#? ?0*([0-9]+[A-Z]?) BOX ?#? ?([0-9]+[A-Z]?)$"
MILITARY_WORD = r"^(?:PSC|CMR|OMC|UMR)( ?#? ?[0-9].*)?$|^UNIT ?#? ?[0-9]+[A-Z]?( BOX.*)?$"
GENERAL = r"^(?:GENERAL DEL(?:IVERY)?|GENL? DEL(?:IVERY)?|G ?D|LISTA DE CORREOS|ENTREGA GENERAL)$"
# One look that tells most street lines from all the above.
SPECIAL = (
    r"(?:^| )(?:P ?O ?B|POST|BOX|BX|CALLER|LOCK ?BOX|DRAWER|BIN|APARTADO|RR|R R|RURAL|RFD|R F D|HC|H C|HCR|STAR|PSC|CMR"
    r"|OMC|UMR|GENERAL|GENL?|GD|G D|LISTA|ENTREGA|HIGHWAY CONTRACT|HWY CONTRACT|UNIT|R[RT] ?#)"
)

# House numbers: plain, lettered, hyphenated, fractional, decimal, ranges, grid (Publication 28, appendix D and E).
NUMBER = (
    r"(?:[0-9]+[A-Z]?(?:-[0-9]+[A-Z]?|-[A-Z])?(?:[ -][0-9]/[0-9]+)?|[0-9]+[.][0-9]+|[0-9]+/[0-9]+"
    r"|[NSEW] ?[0-9]+ ?[NSEW] ?[0-9]+|[A-HJ-Z][0-9]{3,6})"
)
STREET = rf"^(?:# ?|NO )?({NUMBER}) (.+)$"  # 1: number, 2: the rest
# Puerto Rico (Publication 28, 29): block and house before CALLE, or the number after the street, or kilometre of a road
_CALLE = "CALLE|AVENIDA|AVE|PASEO|CAMINO|VEREDA|CALLEJON"
CALLE = rf"^([A-Z]{{1,2}}[ -]?[0-9]+[A-Z]?|[0-9]+[A-Z]?(?:-[0-9]+)?) ((?:{_CALLE}) .+)$"
CALLE_LAST = rf"^((?:{_CALLE}) [A-Z0-9 ]*[A-Z0-9]) (?:# ?|NUM )?([A-Z]{{0,2}}-?[0-9]+[A-Z]?(?:-[0-9]+)?)$"
CARR = r"^(CARR(?:ETERA)? [0-9]+) (KM [0-9]+(?:[.][0-9]+)?)(?: .*)?$"
URBANIZATION = r"^URB(?:ANIZACION)? ([A-Z][A-Z ]*?) ((?:[A-Z]{0,2}-?[0-9]|CALLE |AVENIDA ).*)$"  # 1: name, 2: the rest
NUMBER_ONLY = rf"^(?:# ?|NO )?{NUMBER}$"


def _units(column: str, value: str) -> str:
    rows = [r for r in reference.read(reference.DATA / "units.csv") if r[column] == value]
    return "|".join(sorted((r["written"] for r in rows), key=len, reverse=True))


UNIT_WORDS = "|".join(sorted(reference.standard("units"), key=len, reverse=True))
_NUMBERED, _ALONE = _units("needs_number", "yes"), _units("needs_number", "no")
_UNIT_ID = r"(?:[A-Z]{0,2}-?[0-9]+[0-9A-Z]*(?:-[0-9A-Z]+)?|[A-Z](?:-[A-Z0-9]+)?)"
_UNIT = (
    rf"(?:(?:{_NUMBERED}|BOX|MSC)(?: NO)? ?#* ?{_UNIT_ID}|#+ ?(?:(?:{UNIT_WORDS}) ?)?{_UNIT_ID}(?: [A-Z0-9]{{1,3}})?"
    rf"|[0-9]+(?:ST|ND|RD|TH) (?:FLOOR|FLR|FL)|(?:{_ALONE})(?: ?#? ?[0-9]+)?)"
)
UNIT_HINT = rf"#|(?:^| )(?:{UNIT_WORDS}|BOX|MSC)(?: |$|[0-9])"
UNIT_TAIL = rf"^(.+?)((?: {_UNIT})+|#.*)$"  # 1: before, 2: units; what follows a # belongs to it
UNIT_HEAD = rf"^((?:{UNIT_WORDS}) ?#? ?{_UNIT_ID}) ([0-9].*)$"  # 1: unit, 2: the rest
# What a unit is called without the designators that any sender writes as it likes (APT, UNIT, STE, #)
UNIT_DROP = rf"\b(?:{_units('kept', 'no')}|BOX|MSC|NO)(?:\b|([0-9]))"
UNIT_NUMBERED = "FL|BLDG"  # kept, and nothing without a number
UNIT_KEPT = rf"\b(?:{_units('kept', 'yes')})(?:\b|[0-9])"
# Most units: a designator that is dropped, and a number that stays as it is (group 1)
UNIT_PLAIN = r"^(?:(?:#|APT|UNIT|STE|LOT|TRLR|SPC|RM) ?#? ?)?([1-9][0-9]*[A-Z]?|[A-Z][1-9][0-9]*|[A-Z])$"


def spaced(phrase: str) -> str:
    """A phrase under tricks: separators between its letters, digits that look like its letters."""
    like = {"O": "[O0]", "I": "[I1L]", "L": "[L1I]", "S": "[S5]", "E": "[E3]", "A": "[A4]"}
    return "[^A-Z0-9]*".join(like.get(c, c) for c in phrase.replace(" ", ""))


def kept_units() -> list[tuple[str, str]]:
    """(pattern, replacement): each designator that is kept, in its standard form, and 4TH FL as FL 4."""
    found: dict[str, list[str]] = {}
    for row in reference.read(reference.DATA / "units.csv"):
        if row["kept"] == "yes":
            found.setdefault(row["standard"], []).append(row["written"])
    words = [
        (rf"\b(?:{'|'.join(sorted(w, key=len, reverse=True))})(?:\b|([0-9]))", rf"{s} \1") for s, w in found.items()
    ]
    return [*words, (r"\b([0-9]+)(?:ST|ND|RD|TH) FL\b", r"FL \1")]


def placeholder_within() -> str:
    """Matches plain text that holds a phrase of the deny-list anywhere."""
    found = reference.phrases("placeholders", "where", "within")
    # several words need their edges, or CASINO ADDRESS would read NO ADDRESS; a single word is one wherever it stands
    return "|".join(rf"(?:^|[^A-Z]){spaced(p)}(?:$|[^A-Z])" if " " in p else spaced(p) for p in found)


def placeholder_whole() -> str:
    """Full-matches plain text that consists of deny-list words, single repeated characters and digits only."""
    words = [spaced(p) for p in reference.phrases("placeholders", "where", "whole")]
    repeated = [f"{c}(?:[^A-Z0-9]*{c}){{2,}}" for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    any_of = "|".join([*words, *repeated, "X+", "Z+", "Q+"])
    alone = "|".join(spaced(p) for p in reference.phrases("placeholders", "where", "alone"))
    return rf"[^A-Z]*(?:(?:{any_of})(?:[^A-Z]+(?:{any_of}))*|{alone})[^A-Z]*"


def facility(extra: tuple[str, ...] = ()) -> str:
    """Matches plain text that names a detention facility, a shelter or an office, as whole words."""
    return rf"(?:^|[ #/-])(?:{'|'.join([*reference.phrases('facilities'), *extra])})(?:$|[ #/-])"
