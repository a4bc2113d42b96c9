"""Whether a batch may be answered at all: what its letter, its agreement and court orders say (26 USC 6103(i)(2)).

These read the one-row table of `expectations.facts`.
"""

from datetime import date

from expectations.code import POLICY, STATUTE
from expectations.rules.rule import Disposition, Head, Rule, Words, batch_rule, registry


def _flag(head: Head, words: Words) -> Rule:
    """The fact of that name is true."""
    return batch_rule(head, head[0], {head[0]: False}, words)


# Dates of a poison are clear of the limits under any threshold.
_EARLY, _LATE = date(2000, 1, 1), date(2999, 1, 1)
RULES = registry(
    _flag(
        ("letter_signed", "LETTER_UNSIGNED", f"{STATUTE}(A)"),
        ("The letter has no signature that fits it.", "Sign letter.toml as it is sent, as a letter."),
    ),
    batch_rule(
        ("letter_key", "LETTER_KEY_UNKNOWN", f"{STATUTE}(A)"),
        "letter_key_named OR NOT letter_signed",  # without a signature it is unsigned, and no more
        {"letter_key_named": False},
        (
            "The letter is signed, but with a key that the agreement does not name.",
            "Sign it with the key of the signatory, or have the holder enrol an agreement that names this key.",
        ),
        inputs=("letter_key_named", "letter_signed"),
    ),
    _flag(
        ("agreement_in_force", "AGREEMENT_NOT_IN_FORCE", "agreement"),
        ("The agreement is not in force on the decision date.", "Submit under an agreement in force."),
    ),
    batch_rule(
        ("not_superseded", "AGREEMENT_SUPERSEDED", "agreement"),
        "len(superseded_by) = 0",
        {"superseded_by": ["an-agreement"]},
        ("Another agreement has taken the place of this one.", "Submit under the agreement in force."),
    ),
    batch_rule(
        ("no_court_order", "COURT_ORDER", "court order"),
        "len(orders_against) = 0",
        {"orders_against": ["an-order"]},
        ("A court order forbids disclosure under this agreement.", "None while the order stands."),
    ),
    batch_rule(
        ("no_order_to_hold", "COURT_ORDER_HOLDS", "court order"),
        "len(orders_holding) = 0",
        {"orders_holding": ["an-order"]},
        ("A court order makes batches under this agreement wait.", "None while the order stands."),
        disposition=Disposition.HOLD_BATCH,
    ),
    _flag(
        ("requester_is_party", "REQUESTER_NOT_PARTY", "agreement"),
        ("The requester is not the agreement's.", "Submit under an agreement of your own."),
    ),
    _flag(
        ("office_may_sign", "OFFICE_MAY_NOT_SIGN", f"{STATUTE}(A)"),
        ("The signatory's office may not make this request.", "Have it signed by the head of the agency."),
    ),
    _flag(
        ("signatory_may_sign", "SIGNATORY_NOT_AUTHORISED", f"{STATUTE}(A)"),
        (
            "The signatory may not sign for this office on the letter's date, or the letter has another person's key.",
            "Have it signed by someone who may, with their own key, and name them.",
        ),
    ),
    _flag(
        ("statute_designated", "STATUTE_NOT_DESIGNATED", f"{STATUTE}(A)(i)"),
        ("The statute is not a designated criminal statute of the agreement.", "Name one that is."),
    ),
    _flag(
        ("purpose_allowed", "PURPOSE_NOT_ALLOWED", f"{STATUTE}(A)"),
        ("The purpose is not one of the agreement's.", "Name one that is."),
    ),
    _flag(
        ("solely", "NOT_SOLELY", f"{POLICY}: {STATUTE}(A)"),
        ("The attestation of sole use is missing.", "Attest it in the letter."),
    ),
    # the holder's own determination, of which the requester attests nothing
    batch_rule(
        ("clearance", "NO_CLEARANCE", "26 USC 6103(i)(6); DOJ Criminal Resource Manual 511"),
        "clearance",
        {"clearance": False},
        (
            "The holder's determination under (i)(6) is missing, or older than the agreement allows.",
            "None: the holder records a new one, and goes on.",
        ),
        disposition=Disposition.HOLD_BATCH,
    ),
    batch_rule(
        ("officers_named", "NO_OFFICERS", f"{STATUTE}(A)"),
        "len(officers) > 0",
        {"officers": []},
        ("The letter names no engaged officer.", "Name them."),
    ),
    _flag(
        ("safeguards_in_force", "SAFEGUARDS_OPEN", "26 USC 6103(p)(4)"),
        ("The requester's safeguards are not in force.", "Close the findings or file a corrective plan."),
    ),
    batch_rule(
        ("letter_dated", "LETTER_IN_FUTURE", "agreement"),
        "letter_date <= received_on",
        {"letter_date": _LATE},
        ("The letter is dated after its receipt.", "Correct the date."),
        inputs=("letter_date", "received_on"),
    ),
    batch_rule(
        ("letter_fresh", "LETTER_TOO_OLD", "agreement"),
        "received_on - letter_date <= letter_age_days",
        {"letter_date": _EARLY, "attested_on": _EARLY},
        ("The letter is older than the agreement allows.", "Send a new letter."),
        inputs=("letter_date", "received_on", "letter_age_days"),
    ),
    batch_rule(
        ("attested", "ATTESTED_AFTER_LETTER", "agreement"),
        "attested_on <= letter_date",
        {"attested_on": _LATE},
        ("The attestations are dated after the letter that holds them.", "Correct the date."),
        inputs=("attested_on", "letter_date"),
    ),
    batch_rule(
        ("attestation_fresh", "ATTESTATION_EXPIRED", f"agreement; {STATUTE}(A)"),
        "attested_on = letter_date OR received_on - attested_on <= attestation_days",
        {"attested_on": _EARLY},
        ("The attestations are older than the agreement allows.", "Attest anew."),
        inputs=("attested_on", "letter_date", "received_on", "attestation_days"),
    ),
)
