"""Reports made of the ledger alone: the declaration of a batch, the annual report per agency."""

from enum import StrEnum


class Format(StrEnum):
    """How a report is written."""

    MD = "md"
    HTML = "html"
    JSON = "json"
