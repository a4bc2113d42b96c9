"""Words and phrases that readers stumbled over, and what is written instead. One list, for documents and help texts.

`DATA` are names of columns, codes, outcomes and checks that programs and stored verdicts know: they stay.
"""

from __future__ import annotations

import re

DATA = (
    *("`mend`", '"decoy"', "`decoy`", "DECOY_WRONG", "requester_mends", "cause_mended"),
    *("matching.decoys", "eligibility.decoys"),
)
INSTEAD: dict[str, str] = {
    r"mend(s|ed|ing)?": "fix",
    r"in clear": "plaintext",
    r"stands? twice": "duplicate",
    r"(is|are|was|were|be|been) told": "what the requester sees",
    r"forsaken": "abandoned",
    r"this is no folder and no batch": "neither a folder nor a known batch",
    r"as far as (it|they) (goes?|can)": "until released, held or refused",
    r"fails? on (its|their) poison": "fails on its known-bad row",
    r"failed_as_expected": "can fail",
    r"decoys?": "control row",
    r"came out wrong": "had the wrong result",
    r"vouch for it": "signed heads confirm it",
    r"may leave: nothing": "may be released: nothing",
    r"without end": "never ends; no end date",
    r"not said": "not stated; not set",
    r"at work end": "batches that are running finish first",
    r"(takes?|taken|took) up": "starts; reads",
    r"goes with the next": "is deleted by the next run",
    r"for those who study": "for evaluation",
    r"deciding again": "replay",
    r"prefect says when": "Prefect schedules",
    r"looks? whether": "checks whether",
    r"the one of the package": "the list that comes with the package",
    r"hand copies out|hand out copies": "give copies to others",
    r"to be had": "available",
    r"not settled yet": "not decided yet",
    r"ask again later\.": "send the request after the 90 days",
    r"give both\.": "name the fields",
    r"without a word": "silently",
    r"goes by it": "depends on it",
}


def odd(text: str) -> list[str]:
    """Each phrase of the list that `text` has, as it stands there, with what to write instead."""
    for name in DATA:
        text = text.replace(name, "")
    plain = re.sub(r"\s+", " ", text)
    return [
        f"{found.group()} → {instead}"
        for phrase, instead in INSTEAD.items()
        for found in re.finditer(rf"(?<!\w)({phrase})(?!\w)", plain, re.IGNORECASE)
    ]
