"""A state or a city left out: whether the ZIP implies it, and whether the agreement allows that (`may_be_left_out`).

Left out means that nothing stands there. A placeholder, or what cannot be read, was not left out: it stays NO_STATE or
NO_CITY.
"""

from __future__ import annotations

from collections.abc import Collection

STATE, CITY = "state", "city"
# In one line nothing may stand between city and ZIP, so that the city must be one of the ZIP's, or be left out as well.
_NO_STATE = (
    "_state IS NULL AND _state_text IS NULL AND coalesce(z_active, false) "
    " AND (_listed OR _city IS NULL OR _city_text IS NOT NULL)"
)


def stage(source: str, allowed: Collection[str]) -> str:
    """Adds _state_left_out and _city_let: a code for the first, none for the second. Fills _state from the ZIP where
    the agreement lets it be left out, so that the delivery line is read, and compared with the addresses on file, as of
    that state."""
    implied = f"CASE WHEN {_NO_STATE} THEN z_state ELSE _state END" if STATE in allowed else "_state"
    left = "false" if STATE in allowed else f"coalesce({_NO_STATE}, false)"
    city = "_city IS NULL" if CITY in allowed else "false"
    return f"SELECT * REPLACE ({implied} AS _state), {left} AS _state_left_out, {city} AS _city_let FROM {source}"
