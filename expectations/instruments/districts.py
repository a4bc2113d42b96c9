"""Federal judicial districts (28 USC 81 to 131), as courts abbreviate them, and the state each lies in."""

from __future__ import annotations

import re

# state → (its abbreviation in citations, its districts)
_STATES = {
    "AL": ("Ala.", "N M S"),
    "AK": ("Alaska", "D"),
    "AZ": ("Ariz.", "D"),
    "AR": ("Ark.", "E W"),
    "CA": ("Cal.", "N E C S"),
    "CO": ("Colo.", "D"),
    "CT": ("Conn.", "D"),
    "DE": ("Del.", "D"),
    "DC": ("D.C.", "D"),
    "FL": ("Fla.", "N M S"),
    "GA": ("Ga.", "N M S"),
    "GU": ("Guam", "D"),
    "HI": ("Haw.", "D"),
    "ID": ("Idaho", "D"),
    "IL": ("Ill.", "N C S"),
    "IN": ("Ind.", "N S"),
    "IA": ("Iowa", "N S"),
    "KS": ("Kan.", "D"),
    "KY": ("Ky.", "E W"),
    "LA": ("La.", "E M W"),
    "ME": ("Me.", "D"),
    "MD": ("Md.", "D"),
    "MA": ("Mass.", "D"),
    "MI": ("Mich.", "E W"),
    "MN": ("Minn.", "D"),
    "MS": ("Miss.", "N S"),
    "MO": ("Mo.", "E W"),
    "MP": ("N. Mar. I.", "D"),
    "MT": ("Mont.", "D"),
    "NE": ("Neb.", "D"),
    "NV": ("Nev.", "D"),
    "NH": ("N.H.", "D"),
    "NJ": ("N.J.", "D"),
    "NM": ("N.M.", "D"),
    "NY": ("N.Y.", "N S E W"),
    "NC": ("N.C.", "E M W"),
    "ND": ("N.D.", "D"),
    "OH": ("Ohio", "N S"),
    "OK": ("Okla.", "N E W"),
    "OR": ("Or.", "D"),
    "PA": ("Pa.", "E M W"),
    "PR": ("P.R.", "D"),
    "RI": ("R.I.", "D"),
    "SC": ("S.C.", "D"),
    "SD": ("S.D.", "D"),
    "TN": ("Tenn.", "E M W"),
    "TX": ("Tex.", "N S E W"),
    "UT": ("Utah", "D"),
    "VT": ("Vt.", "D"),
    "VA": ("Va.", "E W"),
    "VI": ("V.I.", "D"),
    "WA": ("Wash.", "E W"),
    "WV": ("W. Va.", "N S"),
    "WI": ("Wis.", "E W"),
    "WY": ("Wyo.", "D"),
}


def _plain(name: str) -> str:
    return re.sub(r"[\s.]", "", name).upper()


_DISTRICTS = {
    _plain(f"{'D' if part == 'D' else part + 'D'}{short}"): state
    for state, (short, parts) in _STATES.items()
    for part in parts.split()
}


def state_of(district: str) -> str | None:
    """The state (two letters) of a district written like D. Mass. or N.D. Cal.; None if there is no such district."""
    return _DISTRICTS.get(_plain(district))
