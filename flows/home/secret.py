"""Secrets of the configuration: as they stand, or where they lie, so that sluicegate.toml need not hold one. The one
place that knows the four ways, and that reads them."""

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from expectations.base.errors import Usage

FORMS = '{ file = "PATH" }, { credential = "NAME" } (systemd), { env = "NAME" } or { command = ["PROGRAM", …] }'
_SECONDS = 30  # for a command


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
    def place(self) -> str:
        """Where it lies, as it may be shown: of a command its program only, since arguments may be secret."""
        if self.command:
            return f"command {self.command[0]}"
        for form, name in (("file", self.file), ("credential", self.credential), ("env", self.env)):
            if name is not None:
                return f"{form} {name}"
        return ""

    def read(self, key: str) -> str:
        """The secret; raises Usage, which names `key` and the place, never the secret, if it cannot be read or lies
        where everybody can read it."""
        try:
            return self._read(key).strip()
        except (OSError, KeyError, ValueError, subprocess.SubprocessError):
            what = f"its place cannot be read: {self.place}"
            raise Usage("NO_SECRET", what, where=key, remedy=f"Write it as one of {FORMS}.") from None

    def _read(self, key: str) -> str:
        if self.file is not None:
            return _private(Path(self.file), key)
        if self.credential is not None:
            return (Path(os.environ["CREDENTIALS_DIRECTORY"]) / self.credential).read_text()
        if self.env is not None:
            return os.environ[self.env]
        if self.command is not None:
            return subprocess.run(self.command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
        return self.value.get_secret_value() if self.value else ""


def _private(path: Path, key: str) -> str:
    with path.open() as stream:
        if os.fstat(stream.fileno()).st_mode & stat.S_IROTH:
            remedy = f"chmod o-r {path}, and change the secret if others have been here."
            raise Usage("SECRET_EXPOSED", "everybody on this machine can read the file", where=key, remedy=remedy)
        return stream.read()
