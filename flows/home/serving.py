"""What sluicegate.toml says of the console: where it is, and how long a session lasts."""

from pydantic import BaseModel, ConfigDict, Field

ORIGIN = r"^https?://[a-z0-9.-]+(:[1-9][0-9]{0,4})?$"


class Console(BaseModel):
    """`[console]`. Without a certificate it is served at localhost only."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    origin: str = Field(default="http://localhost:8765", pattern=ORIGIN)  # as browsers write it
    certificate: str | None = None  # a PEM file, with the chain
    key: str | None = None  # its private key
    idle_minutes: int = Field(default=30, ge=1, le=720)  # unused for so long, a session ends
    hours: int = Field(default=10, ge=1, le=24)  # after so many it ends in any case
