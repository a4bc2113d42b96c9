"""What agreements, orders and letters have in common: ids, shares, the fields that an instrument may speak of."""

from typing import Annotated

from pydantic import AfterValidator, Field

from expectations.contracts.package import RELEASE

Share = Annotated[float, Field(ge=0, le=1)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")]
RELEASABLE = tuple(n for n in RELEASE.names if n != "request_id")


def _releasable(value: str) -> str:
    if value not in RELEASABLE:
        raise ValueError(f"fields that may be released are {', '.join(RELEASABLE)}")
    return value


ReleaseField = Annotated[str, AfterValidator(_releasable), Field(json_schema_extra={"enum": list(RELEASABLE)})]
