"""The closed list of codes: what each means, what the requester is told, and the source of law.

A code is shared by everything that says why: verdicts, GX results, accounting, return file, `explain`. Phase `submission` and
`read` codes end what cannot be read. Phase `request` codes speak of the requester's own data and are told to it, with what to mend. Phase `register` codes would reveal what the
register holds: the requester reads NOT_CONFIRMED for all of them (infra/docs/invariants.md, 9). `batch` codes stop a batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from expectations.duck import quote
from expectations.errors import Fault

NOT_CONFIRMED = "NOT_CONFIRMED"
STATUTE = "26 USC 6103(i)(2)"
PUB28 = "USPS Publication 28"
DMM = "USPS DMM 602 1.3"
REVIEW = "holder's review of the 2025 release (infra/docs/incident.md)"
STAY = "stay of 21 November 2025, Center for Taxpayer Rights v. IRS (D.D.C.)"
EVIDENCE = "the evidence that a match needs (infra/docs/matching.md)"
INVARIANT = "infra/docs/invariants.md"


@dataclass(frozen=True)
class Code:
    """One reason. `message`: what is wrong. `mend`: what the requester can do. `source`: where the rule comes from."""

    name: str
    phase: str  # submission, read, request, register, batch
    message: str
    mend: str
    source: str
    blocking: bool = True  # address codes only: blocking means not complete; others are for a person


def _codes(phase: str, *rows: tuple[str, str, str, str], blocking: bool = True) -> list[Code]:
    return [Code(name, phase, message, mend, source, blocking) for name, message, mend, source in rows]


# An unreadable submission: the whole of it ends, as one accounting entry. Where it is wrong stands in the error.
_SUBMISSION = _codes(
    "submission",
    ("LETTER_MISSING", "The submission has no letter.", "Put letter.toml beside the data files.", f"{STATUTE}(B)"),
    ("SIGNATURE_MISSING", "The letter's signature is missing.", "Sign letter.toml.", f"{STATUTE}(A)"),
    ("LETTER_UNREADABLE", "The letter is not TOML in UTF-8.", "Correct its syntax.", "contract"),
    ("LETTER_INVALID", "The letter lacks a field, or one has the wrong form.", "See sluicegate schema letter.", "contract"),
    ("FILE_MISSING", "A data file of the letter is not there.", "Send it.", "contract"),
    ("FILE_TWICE", "The letter lists a data file twice.", "List each once.", "contract"),
    ("FILE_EMPTY", "A data file is empty.", "Leave it out of the letter.", "contract"),
    ("FILE_CHANGED", "A data file changed while it was read.", "Finish writing before the signature is put in place.", "contract"),
    ("FILE_UNREADABLE", "A data file cannot be read.", "Check its format.", "contract"),
    ("PATH_OUTSIDE", "A data file's path is not a plain path inside the submission.", "Use a plain relative path.", "contract"),
    ("NOT_A_FILE", "A data file is a link or a folder.", "Send regular files.", "contract"),
    ("DIGEST_DIFFERS", "A data file is not the one that the letter names.", "Send the file that was signed for.", "contract"),
    ("TOO_LARGE", "A file is larger than allowed.", "Split the batch.", "contract"),
    ("COUNT_DIFFERS", "A data file has other than the letter's number of rows.", "Correct the letter.", "contract"),
    ("NO_ROWS", "A data file has no rows.", "Leave it out of the letter.", "contract"),
    ("COMPRESSED_BOMB", "A data file expands beyond reason.", "Send it uncompressed.", "contract"),
    ("COMPRESSION_BROKEN", "A data file cannot be decompressed.", "Compress it again.", "contract"),
    ("NOT_PARQUET", "A data file is not Parquet.", "Check the format in the letter.", "contract"),
    ("HEADER_UNREADABLE", "A CSV file has no readable header.", "Write the column names in its first line.", "contract"),
    ("MISSING_COLUMN", "A required column is missing.", "See sluicegate schema request.", "contract"),
    ("UNKNOWN_COLUMN", "A column is none of the contract's.", "See sluicegate schema request.", "contract"),
    ("DUPLICATE_COLUMN", "A column stands twice.", "Name each column once.", "contract"),
    ("COLUMN_TYPE", "A column has a type that is no text, number or date.", "Write it as text.", "contract"),
)  # fmt: skip
_READ = _codes(
    "read",
    (
        "RAGGED_ROW",
        "The row has more or fewer fields than the header.",
        "Quote fields that hold the delimiter.",
        "contract",
    ),
    ("BAD_ENCODING", "A field is not valid UTF-8.", "Export the file as UTF-8.", "contract"),
    ("LINE_TOO_LONG", "The line is longer than 64 KiB.", "Check for a missing quote before this line.", "contract"),
    ("FIELD_TOO_LONG", "A field is longer than 1,000 characters.", "Shorten the field.", "contract"),
    ("BAD_JSON", "The line is not one JSON object.", "Write one JSON object a line.", "contract"),
    ("NO_REQUEST_ID", "The request id is blank.", "Give each request an id of its own.", "5 USC 552a(c)"),
    ("CONTROL_CHARACTER", "A field holds a control character.", "Remove control characters.", "contract"),
)
_ROW = _codes(
    "request",
    ("DUPLICATE_REQUEST_ID", "The request id stands more than once in the submission.", "Give each request its own id.", "agreement"),
    ("ALREADY_DISCLOSED", "This request id was answered before.", "Use a new id for a new request.", "agreement"),
    ("NO_NAME", "A given name and a surname are needed.", "Give both names.", f"{STATUTE}(B)(i)"),
    ("BAD_BIRTH_DATE", "The birth date is not a possible date (YYYY-MM-DD).", "Write it as YYYY-MM-DD, or leave it out.", "agreement"),
    ("BAD_TIN", "The TIN is not nine digits that can be an SSN, ITIN or ATIN.", "Correct it, or leave it out.", "agreement"),
    ("NO_TAXABLE_PERIOD", "No taxable period is given.", "Write YYYY or YYYY-YYYY.", f"{STATUTE}(B)(ii)"),
    ("BAD_TAXABLE_PERIOD", "The taxable period is not a year or a span of years up to this one.", "Write YYYY or YYYY-YYYY.", f"{STATUTE}(B)(ii)"),
    ("NO_REASON", "No specific reason is given.", "Say why this disclosure is or may be relevant.", f"{STATUTE}(B)(iv)"),
    ("NO_OFFICER", "No engaged officer is named.", "Name an officer of the letter's list.", f"{STATUTE}(A)"),
    ("OFFICER_NOT_IN_LETTER", "The officer is not in the letter's list.", "Name an officer of the letter's list.", f"{STATUTE}(A)"),
    ("STATUTE_UNKNOWN", "The letter's statute is none whose elements are laid down.", "Name a statute of the agreement.", f"{STATUTE}(A)(i)"),
    ("NO_FINAL_ORDER", "The date and the case of the final order are needed.", "Give both.", "8 USC 1253(a)(1)"),
    ("BAD_FINAL_ORDER_DATE", "The final-order date is not a possible date (YYYY-MM-DD).", "Write it as YYYY-MM-DD.", "8 USC 1253(a)(1)"),
    ("FINAL_ORDER_IN_FUTURE", "The final-order date lies after the letter's date.", "Correct the date.", "8 USC 1253(a)(1)"),
    ("FINAL_ORDER_TOO_RECENT", "No more than the 90 days (or what the agreement asks) have passed from the final order, or the reviewing court's, to the letter.", "Ask again later.", "8 USC 1253(a)(1)"),
    ("NO_REMOVAL_GROUND", "The ground of removal is not given.", "Give the paragraph of 8 USC 1227(a).", "8 USC 1253(a)(1)"),
    ("BAD_REMOVAL_GROUND", "The ground of removal is no class of deportable aliens of 8 USC 1227(a).", "Write it as 1227(a)(1)(B).", "8 USC 1253(a)(1)"),
    ("NO_JUDICIAL_REVIEW_SAID", "It is not said whether a court reviewed the order.", "Give the date of the court's final order, or none.", "8 USC 1253(a)(1)"),
    ("BAD_JUDICIAL_ORDER_DATE", "The date of the court's final order is not a date (YYYY-MM-DD).", "Write it as YYYY-MM-DD, or none if no court reviewed the order.", "8 USC 1253(a)(1)"),
    ("JUDICIAL_ORDER_TOO_EARLY", "The court's final order is dated before the order that it reviews.", "Correct the dates.", "8 USC 1253(a)(1)"),
    ("JUDICIAL_ORDER_IN_FUTURE", "The court's final order is dated after the letter.", "Correct the date.", "8 USC 1253(a)(1)"),
)  # fmt: skip
_ADDRESS = _codes(
    "request",
    ("NO_ADDRESS", "There is no address.", "Give street and number, city, state and ZIP.", f"{STATUTE}(B)(i)"),
    ("PLACEHOLDER", "The address is a placeholder, not a place.", "Give the person's address.", f"{REVIEW}; {DMM}"),
    ("NOT_PARSED", "The address cannot be read as a delivery address.", "Write it in the form of Publication 28.", PUB28),
    ("NO_NUMBER", "The house number is missing.", "Give the house number.", f"{DMM}; {PUB28} 231"),
    ("NO_STREET", "The street is missing.", "Give the street with its suffix.", f"{DMM}; {PUB28} 231"),
    ("NO_BOX", "The box number is missing.", "Give the box number.", f"{PUB28} 241, 281"),
    ("NO_CITY", "The city is left out or cannot be read.", "Give the city.", f"{DMM}; agreement"),
    ("NO_STATE", "The state cannot be read, or is missing and no ZIP implies it.", "Give the state.", DMM),
    ("STATE_LEFT_OUT", "The state is left out, though the ZIP implies it.", "Give the state.", f"{DMM}; agreement"),
    ("NO_ZIP", "The ZIP is missing or not five (or nine) digits.", "Give the ZIP.", DMM),
    ("ZIP_UNKNOWN", "There is no such ZIP, or it is not in use.", "Correct the ZIP.", "USPS City State file"),
    ("ZIP_NOT_IN_STATE", "The ZIP lies in another state.", "Correct the ZIP or the state.", "USPS City State file"),
    ("FACILITY", "The address is a detention facility, a shelter or an office, not a residence.", "Give the person's address.", REVIEW),
    ("REQUESTER_ADDRESS", "The address is the requester's own.", "Give the person's address.", "agreement"),
    ("CROWDED", "More persons than the agreement allows share this address in the batch.", "Check these addresses.", "agreement"),
)  # fmt: skip
_FOR_A_PERSON = _codes(
    "request",
    (
        "GENERAL_DELIVERY",
        "General delivery names no place of residence.",
        "Give a street address or a box.",
        f"{PUB28} 26",
    ),
    ("UNIQUE_ZIP", "The ZIP belongs to one organisation.", "Give the person's own ZIP.", "USPS City State file"),
    (
        "CITY_NOT_IN_ZIP",
        "The city is not among those of the ZIP.",
        "Correct the city or the ZIP.",
        "USPS City State file",
    ),
    (
        "PRIVATE_MAILBOX",
        "A private mailbox at a commercial agent is not a residence.",
        "Give a street address.",
        f"{PUB28} 284",
    ),
    blocking=False,
)
_REGISTER = _codes(
    "register",
    ("NOT_UNIQUE", "More than one record may be meant.", "", EVIDENCE),
    ("WEAK_EVIDENCE", "Name and address alone do not identify a person.", "", EVIDENCE),
    ("NO_CANDIDATE", "No record was found.", "", EVIDENCE),
    ("CLAIMED_TWICE", "Several requests with differing persons claim this record.", "", EVIDENCE),
    ("UNIT_NEEDED", "The building has several units on file and the request names none.", "", "USPS delivery point validation: secondary number"),
    ("NOT_CORROBORATED", "The request's address equals no address on file.", "", STAY),
    ("TOO_MANY_TRIES", "Too many different addresses were tried for this person.", "", "agreement"),
    ("PROTECTED", "The holder protects this person's record.", "", "26 USC 6103(i)(6)"),
    ("COURT_ORDER_PERSON", "A court order allows disclosure of certain persons only.", "", "court order"),
    ("COURT_ORDER_PLACE", "A court order forbids disclosure in this district.", "", "court order"),
    ("NO_ADDRESS_ON_FILE", "There is no last known address to give.", "", "26 CFR 301.6212-2"),
)  # fmt: skip
_BATCH = _codes(
    "batch",
    ("LETTER_UNSIGNED", "The letter is not signed by a key of the agreement.", "Sign letter.toml with the enrolled key.", f"{STATUTE}(A)"),
    ("UNKNOWN_AGREEMENT", "The letter names no enrolled agreement.", "Name an agreement in force.", f"{STATUTE}"),
    ("AGREEMENT_NOT_IN_FORCE", "The agreement is not in force on the decision date.", "Submit under an agreement in force.", "agreement"),
    ("AGREEMENT_SUPERSEDED", "Another agreement has taken the place of this one.", "Submit under the agreement in force.", "agreement"),
    ("COURT_ORDER_HOLDS", "A court order makes batches under this agreement wait.", "None while the order stands.", "court order"),
    ("COURT_ORDER", "A court order forbids disclosure under this agreement.", "None while the order stands.", "court order"),
    ("REQUESTER_NOT_PARTY", "The requester is not the agreement's.", "Submit under an agreement of your own.", "agreement"),
    ("OFFICE_MAY_NOT_SIGN", "The signatory's office may not make this request.", "Have it signed by the head of the agency.", f"{STATUTE}(A)"),
    ("SIGNATORY_NOT_AUTHORISED", "The signatory may not sign for this office on the letter's date.", "Have it signed by someone who may.", f"{STATUTE}(A)"),
    ("STATUTE_NOT_DESIGNATED", "The statute is not a designated criminal statute of the agreement.", "Name one that is.", f"{STATUTE}(A)(i)"),
    ("PURPOSE_NOT_ALLOWED", "The purpose is not one of the agreement's.", "Name one that is.", f"{STATUTE}(A)"),
    ("NOT_SOLELY", "The attestation of sole use is missing.", "Attest it in the letter.", f"{STATUTE}(A)"),
    ("NO_CLEARANCE", "The attestation under (i)(6) is missing.", "Attest it in the letter.", "26 USC 6103(i)(6)"),
    ("NO_OFFICERS", "The letter names no engaged officer.", "Name them.", f"{STATUTE}(A)"),
    ("SAFEGUARDS_OPEN", "The requester's safeguards are not in force.", "Close the findings or file a corrective plan.", "26 USC 6103(p)(4)"),
    ("LETTER_IN_FUTURE", "The letter is dated after its receipt.", "Correct the date.", "agreement"),
    ("LETTER_TOO_OLD", "The letter is older than the agreement allows.", "Send a new letter.", "agreement"),
    ("ATTESTED_AFTER_LETTER", "The attestations are dated after the letter that holds them.", "Correct the date.", "agreement"),
    ("ATTESTATION_EXPIRED", "The attestations are older than the agreement allows.", "Attest anew.", f"agreement; {STATUTE}(A)"),
    ("TOO_MANY_ROWS_30_DAYS", "More rows within 30 days than the agreement allows.", "Wait, or send fewer rows.", "agreement"),
    ("BOILERPLATE_REASONS", "Too large a share of the rows gives one identical reason.", "Give reasons specific to each record.", f"{STATUTE}(B)(iv)"),
    ("OFFICER_OVERLOADED", "An officer is named for more matters than is plausible.", "Name the officers personally engaged.", f"{STATUTE}(A)"),
    ("TOO_MANY_ROWS", "The batch is larger than the agreement allows.", "Split it, within the volume cap.", "agreement"),
    ("TOO_MANY_INCOMPLETE", "Too large a share of the rows has an incomplete address.", "Mend them; pre-flight lists each.", f"agreement; {REVIEW}"),
    ("COUNTS_DIFFER", "Rows were lost or doubled.", "None: the holder's system is at fault.", f"{INVARIANT}, 1"),
    ("NOTHING_TO_DO", "No row is left to look at.", "Send at least one complete row.", f"{INVARIANT}, 8"),
    ("MATCH_RATE", "The match rate left its band.", "None: the holder reviews it.", "agreement"),
    ("TIER_MIX", "Too large a share of the matches rests on weak evidence.", "None: the holder reviews it.", "agreement"),
    ("DECOY_WRONG", "A decoy did not end as it must.", "None: the holder's system is at fault.", f"{INVARIANT}, 8"),
    ("VERDICT_DIFFERS", "A verdict could not be derived again.", "None: the holder's system is at fault.", f"{INVARIANT}, 2"),
    ("PACKAGE_DIFFERS", "The sealed package is not what was checked.", "None: the holder's system is at fault.", f"{INVARIANT}, 2"),
    ("HELD_TOO_LONG", "The batch was not decided within the time that the agreement allows.", "Send the requests again.", "agreement"),
    ("HALTED", "Releases are halted.", "None: the holder reviews it.", "two operators (infra/docs/operations.md)"),
)  # fmt: skip

CODES: dict[str, Code] = {
    c.name: c for c in [*_SUBMISSION, *_READ, *_ROW, *_ADDRESS, *_FOR_A_PERSON, *_REGISTER, *_BATCH]
}
ADDRESS_CODES: tuple[str, ...] = tuple(c.name for c in [*_ADDRESS, *_FOR_A_PERSON])
BLOCKING_ADDRESS_CODES: tuple[str, ...] = tuple(c.name for c in _ADDRESS)


def code(name: str) -> Code:
    """The code called `name`; a code outside the closed list is a fault of ours."""
    if name not in CODES:
        raise Fault("UNKNOWN_CODE", "a verdict carries a code that is not in the closed list")
    return CODES[name]


def told(names: Iterable[str]) -> list[str]:
    """What the requester is told: its own mistakes by name, everything about the register as NOT_CONFIRMED."""
    return sorted({NOT_CONFIRMED if code(n).phase == "register" else n for n in names})


def sql_told(codes: str) -> str:
    """SQL for `told`, over a list column `codes`."""
    secret = ", ".join(f"'{c.name}'" for c in CODES.values() if c.phase == "register")
    return f"list_sort(list_distinct(list_transform({codes}, c -> CASE WHEN c IN ({secret}) THEN '{NOT_CONFIRMED}' ELSE c END)))"


def words() -> list[tuple[str, str, str]]:
    """(code, message, mend) of everything that a requester may be told."""
    known = [(c.name, c.message, c.mend) for c in CODES.values() if c.phase != "register"]
    return [
        (NOT_CONFIRMED, "The request could not be confirmed.", "Check every field against your own records."),
        *known,
    ]


def sql_words() -> str:
    """`words` as a SELECT of code, message, mend."""
    rows = ", ".join(f"({', '.join(quote(text) for text in row)})" for row in words())
    return f"SELECT * FROM (VALUES {rows}) told(code, message, mend)"


def said(names: Iterable[str]) -> tuple[str, str]:
    """(message, mend) of several codes that are told, each as one text."""
    known = {name: (message, mend) for name, message, mend in words()}
    found = [known[name] for name in names]
    return " ".join(message for message, _ in found), " ".join(mend for _, mend in found)
