"""Secrets of the configuration: as they stand, or where they lie, so that sluicegate.toml need not hold one."""

import stat
import subprocess
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from expectations.base.errors import Usage
from expectations.base.places import Exposed, Form, Place

FORMS = '{ file = "PATH" }, { credential = "NAME" } (systemd), { env = "NAME" } or { command = ["PROGRAM", …] }'


class Secret(BaseModel):
    """A text in the file is the secret itself; a table says where it lies."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    value: SecretStr | None = None
    file: str | None = None  # must not be readable by everybody
    credential: str | None = None  # of systemd: a file in $CREDENTIALS_DIRECTORY
    env: str | None = None
    command: tuple[str, ...] | None = Field(default=None, min_length=1, repr=False)  # no shell; what it prints

    @model_validator(mode="before")
    @classmethod
    def _one_place(cls, said: Any) -> Any:
        if isinstance(said, str):
            return {"value": said}
        if isinstance(said, dict) and len(said) == 1 and said.keys() <= cls.model_fields.keys():
            return said
        raise ValueError(f"write the secret itself, or one of {FORMS}")

    @property
    def lies(self) -> Place | None:
        """Where it lies; None if the file has the secret itself."""
        if self.command:
            return Place(Form.COMMAND, self.command)
        named = ((Form.FILE, self.file), (Form.CREDENTIAL, self.credential), (Form.ENV, self.env))
        return next((Place(form, (name,)) for form, name in named if name is not None), None)

    @property
    def place(self) -> str:
        """Where it lies, as it may be shown: of a command its program only, since arguments may be secret."""
        return self.lies.shown if self.lies else ""

    def read(self, key: str) -> str:
        """The secret; raises Usage, which names `key` and the place, never the secret, if it cannot be read or lies
        where everybody can read it."""
        if self.lies is None:
            return self.value.get_secret_value().strip() if self.value else ""
        try:
            return self.lies.read(closed_to=stat.S_IROTH).decode().strip()
        except Exposed:
            remedy = f"chmod o-r {self.lies.path}, and change the secret if others have been here."
            raise Usage(
                "SECRET_EXPOSED", "everybody on this machine can read the file", where=key, remedy=remedy
            ) from None
        except (OSError, KeyError, ValueError, subprocess.SubprocessError):
            what = f"its place cannot be read: {self.place}"
            raise Usage("NO_SECRET", what, where=key, remedy=f"Write it as one of {FORMS}.") from None


def _elsewhere(said: Secret) -> Secret:
    if said.lies is None:
        raise ValueError(f"a key never stands in the configuration itself: write one of {FORMS}")
    return said


KeyPlace = Annotated[Secret, AfterValidator(_elsewhere)]  # where a key of the holder lies
