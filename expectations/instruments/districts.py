"""Federal judicial districts (28 USC 81 to 131), as courts abbreviate them, and the state each lies in."""

import re

# each state with its abbreviation in citations, and its districts where it has more than one
_STATES = """
AL Ala. (N M S); AK Alaska; AZ Ariz.; AR Ark. (E W); CA Cal. (N E C S); CO Colo.; CT Conn.; DE Del.; DC D.C.;
FL Fla. (N M S); GA Ga. (N M S); GU Guam; HI Haw.; ID Idaho; IL Ill. (N C S); IN Ind. (N S); IA Iowa (N S);
KS Kan.; KY Ky. (E W); LA La. (E M W); ME Me.; MD Md.; MA Mass.; MI Mich. (E W); MN Minn.; MS Miss. (N S);
MO Mo. (E W); MP N. Mar. I.; MT Mont.; NE Neb.; NV Nev.; NH N.H.; NJ N.J.; NM N.M.; NY N.Y. (N S E W);
NC N.C. (E M W); ND N.D.; OH Ohio (N S); OK Okla. (N E W); OR Or.; PA Pa. (E M W); PR P.R.; RI R.I.; SC S.C.;
SD S.D.; TN Tenn. (E M W); TX Tex. (N S E W); UT Utah; VT Vt.; VA Va. (E W); VI V.I.; WA Wash. (E W);
WV W. Va. (N S); WI Wis. (E W); WY Wyo.
"""


def _plain(name: str) -> str:
    return re.sub(r"[\s.]", "", name).upper()


_DISTRICTS = {
    _plain(f"{part}.D. {short}" if part else f"D. {short}"): state
    for state, short, parts in re.findall(r"([A-Z]{2}) ([^(;]+?)(?: \(([A-Z ]+)\))?(?:;|\n$)", _STATES)
    for part in parts.split() or [""]
}


def state_of(district: str) -> str | None:
    """The state (two letters) of a district written like D. Mass. or N.D. Cal.; None if there is no such district."""
    return _DISTRICTS.get(_plain(district))
