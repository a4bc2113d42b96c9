"""The letter and the agreement of the made batch (`made`): in good order, signed with a key that is made now."""

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.facts import letter as facts
from expectations.instruments import Agreement, Determination, Letter, parse_instrument, parse_letter

DAY = date(2026, 6, 1)
_PARTIES = """
[holder]
id = "made-holder"
name = "Made holder"
address = "1 Made Way"
[requester]
id = "made-requester"
name = "Made requester"
address = "2 Made Way"
[thresholds]
incomplete_share = 0.1
incomplete_share_per_file = 0.15
match_rate_floor = 0.0
match_rate_ceiling = 1.0
letter_age_days = 30
rows_per_batch = 1000
matters_per_officer = 1000
identical_reason_share = 0.5
persons_per_address = 5
tries_per_person = 3
held_days = 30
[safeguards]
reviewed_on = 2026-01-01
"""
_LETTER = """
requester = "made-requester"
agreement = "made-agreement"
statute = "8 USC 1253(a)(1)"
purpose = "Criminal proceeding"
date = 2026-05-30
signatory = {name = "Made", office = "Head of agency"}
officers = [{id = "officer-1", name = "Made"}]
attestations = {solely = true, no_informant_or_investigation_harmed = true}
[[files]]
path = "made.csv"
format = "csv"
rows = 2
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"""


def letter_facts() -> facts.LetterFacts:
    """Facts of a letter in good order, under an agreement in force, signed with a key made now."""
    key = Ed25519PrivateKey.generate()
    signed = _LETTER.encode()
    letter: Letter = parse_letter(signed)
    signature = signatures.sign(signed, key, signatures.LETTER)
    determined = Determination(
        kind="determination",
        id="made-determination",
        title="Made",
        source="made for the self-test",
        agreements=("made-agreement",),
        determined_by="Made",
        determined_on=DAY,
    )
    agreement = _agreement(key)
    return facts.letter_facts(letter, signed, signature, agreement, [], DAY, DAY, determinations=[determined])


def _agreement(key: Ed25519PrivateKey) -> Agreement:
    head = f"""
kind = "agreement"
id = "made-agreement"
title = "Made"
source = "made for the self-test"
valid_from = 2026-01-01
valid_to = 2026-12-31
received_on = 2026-01-01
zone = "UTC"
statutes = ["8 USC 1253(a)(1)"]
offices = ["Head of agency"]
purposes = ["Criminal proceeding"]
fields = ["street", "unit", "city", "state", "zip"]
keys = {{recipient = "nobody"}}
[[signatories]]
name = "Made"
office = "Head of agency"
keys = ["{signatures.public_line(key)}"]
valid_from = 2026-01-01
"""
    made = parse_instrument((head + _PARTIES).encode(), "made-agreement")
    assert isinstance(made, Agreement)
    return made
