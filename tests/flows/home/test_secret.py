"""Secrets of the configuration: read from where they lie, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.base.errors import Usage
from flows.home.secret import Secret

TOKEN = "s3cret-t0ken"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("OWN", TOKEN)
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o640)
    return path


def test_it_is_read_from_where_it_lies_and_shown_nowhere(file: Path) -> None:
    forms: dict[str, Any] = {
        "": TOKEN,
        f"file {file}": {"file": str(file)},
        "credential token": {"credential": "token"},
        "env OWN": {"env": "OWN"},
        "command sh": {"command": ["sh", "-c", f"echo {TOKEN}"]},
    }
    for place, said in forms.items():
        secret = Secret.model_validate(said)
        assert (secret.read("x"), secret.place) == (TOKEN, place)
        assert TOKEN not in repr(secret) and TOKEN not in str(secret)


@pytest.mark.parametrize(
    "said",
    [
        {"file": "/none"},
        {"credential": "none"},
        {"env": "NONE"},
        {"command": ["false", TOKEN]},
        {"command": ["/no/such/program", TOKEN]},
    ],
)
def test_what_cannot_be_read_is_named_by_its_key_and_place(file: Path, said: dict[str, Any]) -> None:
    with pytest.raises(Usage, match=r"NO_SECRET: .*\(notify.ping\)") as error:
        Secret.model_validate(said).read("notify.ping")
    assert TOKEN not in f"{error.value!r}" and error.value.__cause__ is None


def test_a_file_that_everybody_can_read_is_refused(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(Usage, match="SECRET_EXPOSED") as error:
        Secret.model_validate({"file": str(file)}).read("ledger")
    assert TOKEN not in f"{error.value!r}"
