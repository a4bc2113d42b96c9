"""The closed list of codes: what each means, what the requester reads, and the source of law.

A code is shared by everything that says why: verdicts, GX results, accounting, return file, `explain`. Those that a
rule leads to stand with the rule (`expectations.rules`); here are the others, and all of them together. What the
requester sees of a phase is in READ_BY_REQUESTER (infra/docs/invariants.md, 9).
"""

from collections.abc import Iterable, Mapping

from expectations.base.duck import quote
from expectations.base.errors import Fault
from expectations.base.total import total
from expectations.code import EVIDENCE, INVARIANT, STATUTE, Code, CodePhase
from expectations.rules import address, authority, disclosure, elements, identity, limits, statutes
from expectations.rules.rule import Rule

NOT_CONFIRMED = "NOT_CONFIRMED"
# Whether the requester reads a code of a phase by its name; if not, it reads NOT_CONFIRMED.
READ_BY_REQUESTER = total(
    CodePhase,
    {
        CodePhase.SUBMISSION: True,
        CodePhase.READ: True,
        CodePhase.REQUEST: True,
        CodePhase.REGISTER: False,
        CodePhase.BATCH: True,
    },
)


def _codes(phase: CodePhase, source: str, *rows: tuple[str, ...]) -> list[Code]:
    """Codes from (name, message, fix), of that source; or (name, message, fix, source), of its own."""
    return [Code(name, phase, message, fix, *(own or (source,))) for name, message, fix, *own in rows]


def _of(*books: Mapping[str, Rule]) -> list[Code]:
    return [rule.says for book in books for rule in book.values()]


# An unreadable submission: the whole of it ends, as one accounting entry. Where it is wrong stands in the error.
_SUBMISSION = _codes(
    CodePhase.SUBMISSION,
    "contract",
    ("LETTER_MISSING", "The submission has no letter.", "Put letter.toml beside the data files.", f"{STATUTE}(B)"),
    ("SIGNATURE_MISSING", "The letter's signature is missing.", "Sign letter.toml.", f"{STATUTE}(A)"),
    ("LETTER_UNREADABLE", "The letter is not TOML in UTF-8.", "Correct its syntax."),
    ("LETTER_INVALID", "The letter lacks a field, or one has the wrong form.", "See sluicegate schema letter."),
    ("SUBMISSION_UNREADABLE", "The submission cannot be read.", "Send plain files, as the form of the letter says."),
    ("FILE_MISSING", "A data file of the letter is not there.", "Send it."),
    ("FILE_TWICE", "The letter lists a data file twice.", "List each once."),
    ("FILE_EMPTY", "A data file is empty.", "Leave it out of the letter."),
    ("FILE_CHANGED", "A data file changed while it was read.", "Finish writing before the signature is put in place."),
    ("FILE_UNREADABLE", "A data file cannot be read.", "Check its format."),
    ("PATH_OUTSIDE", "A data file's path is not a plain path inside the submission.", "Use a plain relative path."),
    ("NOT_A_FILE", "A data file is a link or a folder.", "Send regular files."),
    ("DIGEST_DIFFERS", "A data file is not the one that the letter names.", "Send the file that was signed for."),
    ("TOO_LARGE", "A file is larger than allowed.", "Split the batch."),
    ("COUNT_DIFFERS", "A data file has other than the letter's number of rows.", "Correct the letter."),
    ("NO_ROWS", "A data file has no rows.", "Leave it out of the letter."),
    ("COMPRESSED_BOMB", "A data file expands beyond reason.", "Send it uncompressed."),
    ("COMPRESSION_BROKEN", "A data file cannot be decompressed.", "Compress it again."),
    ("NOT_PARQUET", "A data file is not Parquet.", "Check the format in the letter."),
    ("HEADER_UNREADABLE", "A CSV file has no readable header.", "Write the column names in its first line."),
    ("MISSING_COLUMN", "A required column is missing.", "See sluicegate schema request."),
    ("UNKNOWN_COLUMN", "A column is none of the contract's.", "See sluicegate schema request."),
    ("DUPLICATE_COLUMN", "A column is a duplicate.", "Name each column once."),
    ("COLUMN_TYPE", "A column has a type that is no text, number or date.", "Write it as text."),
)
_READ = _codes(
    CodePhase.READ,
    "contract",
    ("RAGGED_ROW", "The row has more or fewer fields than the header.", "Quote fields that hold the delimiter."),
    ("BAD_ENCODING", "A field is not valid UTF-8.", "Export the file as UTF-8."),
    ("LINE_TOO_LONG", "The line is longer than 64 KiB.", "Check for a missing quote before this line."),
    ("FIELD_TOO_LONG", "A field is longer than 1,000 characters.", "Shorten the field."),
    ("BAD_JSON", "The line is not one JSON object.", "Write one JSON object a line."),
    ("NO_REQUEST_ID", "The request id is blank.", "Give each request an id of its own.", "5 USC 552a(c)"),
    ("CONTROL_CHARACTER", "A field holds a control character.", "Remove control characters."),
)
_REQUEST = _codes(
    CodePhase.REQUEST,
    "agreement",
    (
        "DUPLICATE_REQUEST_ID",
        "The request id is a duplicate: the submission uses it more than once.",
        "Give each request its own id.",
    ),
    ("ALREADY_DISCLOSED", "This request id was answered before.", "Use a new id for a new request."),
)
_REGISTER = _codes(
    CodePhase.REGISTER,
    EVIDENCE,
    ("NOT_UNIQUE", "More than one record may be meant.", ""),
    ("WEAK_EVIDENCE", "Name and address alone do not identify a person.", ""),
    ("NO_CANDIDATE", "No record was found.", ""),
    ("CLAIMED_TWICE", "Several requests with differing persons claim this record.", ""),
    ("RECORD_CORRECTED", "The record was corrected or removed after it was matched.", "", "26 CFR 301.6212-2"),
)
_OURS, _REVIEWED = "None: the holder's system is at fault.", "None: the holder reviews it."
_BATCH = _codes(
    CodePhase.BATCH,
    "agreement",
    ("UNKNOWN_AGREEMENT", "The letter names no enrolled agreement.", "Name an agreement in force.", STATUTE),
    (
        "AGREEMENT_TO_RENEW",
        "The agreement names no signatories with keys of their own, or more than the law allows.",
        "None: the holder has a new version of the agreement enrolled.",
        f"{STATUTE}(A)",
    ),
    ("COUNTS_DIFFER", "Rows were lost or doubled.", _OURS, f"{INVARIANT}, 1"),
    ("NOTHING_MAY_LEAVE", "No field is left that may be released.", "None while the instruments say so."),
    ("MATCH_RATE", "The match rate is out of its band.", _REVIEWED),
    ("TIER_MIX", "Too large a share of the matches rests on weak evidence.", _REVIEWED),
    ("DECOY_WRONG", "A control row did not end as it must.", _OURS, f"{INVARIANT}, 8"),
    ("VERDICT_DIFFERS", "A verdict could not be derived again.", _OURS, f"{INVARIANT}, 2"),
    ("PACKAGE_DIFFERS", "The sealed package is not what was checked.", _OURS, f"{INVARIANT}, 2"),
    (
        "HELD_TOO_LONG",
        "The batch was not decided within the time that the agreement allows.",
        "Send the requests again.",
    ),
    # batches of earlier versions were held for it; now such a batch goes on, and each row ends with its own code
    ("NOTHING_TO_DO", "No row is left to look at.", "Send at least one complete row.", f"{INVARIANT}, 8"),
    (
        "MAY_HAVE_LEFT",
        "The holder's records of a time were lost, in which requests under this agreement may have been answered.",
        "None: the holder agrees with the requester on what was answered, and has an agreement of another id enrolled.",
        f"{INVARIANT}, 3",
    ),
    ("HALTED", "Releases are halted.", _REVIEWED, "two operators (infra/docs/operations.md)"),
)
_ADDRESS = _of(address.RULES)
_ROWS = _of(identity.RULES, elements.RULES, *(one.rules for one in statutes.STATUTES.values()))


def _by_name(codes: Iterable[Code]) -> dict[str, Code]:
    """Codes by name. Several rules may lead to one code, in the same words; raises Fault if in others."""
    found: dict[str, Code] = {}
    for one in codes:
        if found.setdefault(one.name, one) != one:
            raise Fault("CODE_TWICE", f"two codes are called {one.name}")
    return found


_OF_REQUEST, _OF_REGISTER = [*_REQUEST, *_ROWS, *_ADDRESS], [*_REGISTER, *_of(disclosure.RULES)]
_OF_BATCH = [*_of(authority.RULES, limits.RULES), *_BATCH]
CODES: dict[str, Code] = _by_name([*_SUBMISSION, *_READ, *_OF_REQUEST, *_OF_REGISTER, *_OF_BATCH])
ADDRESS_CODES: tuple[str, ...] = tuple(c.name for c in _ADDRESS)
BLOCKING_ADDRESS_CODES: tuple[str, ...] = tuple(c.name for c in _ADDRESS if c.blocking)
_SECRET = tuple(c.name for c in CODES.values() if not READ_BY_REQUESTER[c.phase])


def code(name: str) -> Code:
    """The code called `name`; a code outside the closed list is a fault of ours."""
    if name not in CODES:
        raise Fault("UNKNOWN_CODE", "a verdict carries a code that is not in the closed list")
    return CODES[name]


def shown(names: Iterable[str]) -> list[str]:
    """What the requester sees: its own mistakes by name, everything about the register as NOT_CONFIRMED."""
    return sorted({name if READ_BY_REQUESTER[code(name).phase] else NOT_CONFIRMED for name in names})


def sql_shown(codes: str) -> str:
    """SQL for `shown`, over a list column `codes`."""
    secret = ", ".join(quote(name) for name in _SECRET)
    seen = f"CASE WHEN c IN ({secret}) THEN '{NOT_CONFIRMED}' ELSE c END"
    return f"list_sort(list_distinct(list_transform({codes}, c -> {seen})))"


def words() -> list[tuple[str, str, str]]:
    """(code, message, fix) of everything that a requester may see."""
    known = [(c.name, c.message, c.fix) for c in CODES.values() if READ_BY_REQUESTER[c.phase]]
    unconfirmed = (NOT_CONFIRMED, "The request could not be confirmed.", "Check every field against your own records.")
    return [unconfirmed, *known]


def sql_words() -> str:
    """`words` as a SELECT of code, message, fix."""
    rows = ", ".join(f"({', '.join(quote(text) for text in row)})" for row in words())
    return f"SELECT * FROM (VALUES {rows}) shown(code, message, fix)"


def in_words(names: Iterable[str]) -> tuple[str, str]:
    """(message, fix) of several codes that the requester sees, each as one text."""
    known = {name: (message, fix) for name, message, fix in words()}
    found = [known[name] for name in names]
    return " ".join(message for message, _ in found), " ".join(fix for _, fix in found)
