"""Errors for people: what is wrong, where, what to do; never a value of a row.

Each class has its own exit code, because an unattended run shows its operator an exit code before anything else.
"""

from functools import partial


class SluicegateError(Exception):
    """Base of every error that a person is meant to read.

    `code` is from a closed list, `where` names file, row number and field, `remedy` says what to do. None of the three
    may hold a value of a row: they are printed, logged and stored.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(code, message, where, remedy)
        self.code, self.message, self.where, self.remedy = code, message, where, remedy

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        fix = f" {self.remedy}" if self.remedy else ""
        return f"{self.code}: {self.message}{place}.{fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only arguments do not survive pickling by default, and errors cross process boundaries
        return (partial(type(self), where=self.where, remedy=self.remedy), (self.code, self.message))


class Fault(SluicegateError):
    """The system is at fault: an invariant is broken. Nothing is released."""

    exit_code = 1


class Transient(Fault):
    """A fault that a retry may fix (a busy database, a full disk): the only kind that flows retry."""


class Usage(SluicegateError):
    """The command or the configuration is wrong."""

    exit_code = 2


class BadInput(SluicegateError):
    """The submission, an instrument or a register cannot be read as what it says it is."""

    exit_code = 5


class Forbidden(SluicegateError):
    """An instrument in force forbids it; `where` cites the instrument."""

    exit_code = 4


# Exit codes of results that are no errors.
DONE, HELD, REFUSED = 0, 3, 4
