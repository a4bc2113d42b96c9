"""The parties of an agreement, and who signs for the requester with which key."""

from __future__ import annotations

from datetime import date

from pydantic import field_validator

from expectations.base.forms import Strict, entry
from expectations.instruments.terms import Key


class Party(Strict):
    """The holder, or the requester. For the accounting: 5 USC 552a(c) asks for the recipient's name and address."""

    id: Key = entry("short name, the one that letters and orders use", "department-of-examples")
    name: str = entry("full name", "Department of Examples")
    address: str = entry("its address", "1000 Example Ave, Washington DC 20001")
    premises: tuple[str, ...] = entry(
        "its own addresses, one line each: never a person's address",
        ["1000 Example Ave, Washington DC 20001"],
        default=(),
    )


class Requester(Party):
    """Who may ask."""

    justice: bool = entry(
        "it is the Department of Justice, for which the officers that 26 USC 6103(i)(2)(A) lists may sign as well",
        True,
        default=False,
    )


class Signer(Strict):
    """A person who may sign letters for an office with keys of their own, from a day to a day (both included)."""

    name: str = entry("the person, as letters name the signatory", "A. Head")
    office: str = entry("one of offices", "Head of agency")
    keys: tuple[str, ...] = entry(
        "OpenSSH public keys with which this person, and nobody else, signs letters",
        ["ssh-ed25519 AAAA..."],
        default=(),
    )
    valid_from: date = entry("first day", date(2026, 1, 1))
    valid_to: date | None = entry("last day; left out: no last day", date(2027, 12, 31), default=None)

    @field_validator("keys")
    @classmethod
    def _plain(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Without comments, so that a key is the same however it is written."""
        return tuple(" ".join(key.split()[:2]) for key in value)

    def on(self, day: date) -> bool:
        """Whether the person may sign on that day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Keys(Strict):
    """Who else signs for the requester, and to whom packages are sealed."""

    signing: tuple[str, ...] = entry(
        "OpenSSH public keys that may sign the attestation of a recall, beside those of the signatories; no letter",
        ["ssh-ed25519 AAAA..."],
        default=(),
    )
    recipient: str = entry("the age recipient to whom packages are sealed", "age1...")
