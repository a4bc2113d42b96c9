"""Letter facts: what the letter, the agreement and the court orders say on the day of the decision.

A threshold of the agreement is a fact under its own name as soon as it is a field of `Thresholds`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, get_type_hints

from expectations.base import signatures
from expectations.facts.band import Learnt, learnt
from expectations.facts.earlier import Earlier, Period
from expectations.facts.officers import alike
from expectations.instruments import (
    Agreement,
    CourtOrder,
    Determination,
    Letter,
    Purpose,
    Standing,
    Thresholds,
    cleared,
    standing,
)
from expectations.instruments.law import may_ask
from expectations.instruments.standing import superseded
from expectations.rules.statutes import STATUTES


class Source(StrEnum):
    """Whose word a fact is: what a verdict that rests on it cites."""

    LETTER = "letter"
    AGREEMENT = "agreement"
    ORDERS = "court orders"
    HOLDER = "holder"  # its clock, its ledger and what it works out: cited by nobody


@dataclass(frozen=True)
class Cites:
    """What a verdict that rests on a fact cites: stands beside the fact's type.

    source       whose word it is
    orders       the part of `Standing` that names the orders behind it
    ids_behind   the code of the batch to which the instruments lead whose ids it holds
    """

    source: Source
    orders: str = ""
    ids_behind: str = ""


@dataclass(frozen=True, kw_only=True)
class RegisterFacts:
    """What is to be known of the agreement and the orders against it, to judge a row against the facts on file.

    thresholds                the agreement's, with what holds for those that it leaves out
    earlier_addresses_count   an address on file that has ended counts as well, if not before `earliest_address_end`
    lists_required            lists of persons on all of which a person must be; lists_barred: on none of which
    lists_on_file             lists that somebody is on: a barred one that is not among them is not known
    states_withheld           states (two letters) whose rows are held
    """

    thresholds: Annotated[Thresholds, Cites(Source.AGREEMENT)]
    decided_on: Annotated[date, Cites(Source.HOLDER)]
    earlier_addresses_count: Annotated[bool, Cites(Source.AGREEMENT)]
    earliest_address_end: Annotated[date, Cites(Source.AGREEMENT)]
    lists_required: Annotated[tuple[str, ...], Cites(Source.ORDERS, orders="persons")]
    lists_barred: Annotated[tuple[str, ...], Cites(Source.ORDERS, orders="barred")]
    lists_on_file: Annotated[tuple[str, ...], Cites(Source.HOLDER)]
    states_withheld: Annotated[tuple[str, ...], Cites(Source.ORDERS, orders="states")]

    def flat(self) -> dict[str, Any]:
        """Every fact that SQL can hold, and every threshold, by its name."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NO_SQL}
        return {**own, **dict(self.thresholds)}


@dataclass(frozen=True, kw_only=True)
class LetterFacts(RegisterFacts):
    """All that is known of a letter. What does not hold is a False, judged by `rules.authority` and `rules.limits`.

    Sources: 26 USC 6103(i)(2)(A) and (B), (i)(6), (p)(4), and the agreement. Dates are legal dates in its zone.

    letter_signed  by whoever has some key; `letter_key_named`: by a key of a signatory of the agreement
    officers       ids; `officers_alike`: ids under which the letter lists somebody again → the id that counts
    earlier_rows   of its requester's batches that passed `intake` in the 30 days before; so `earlier_incomplete_rows`
    period_requests, period_officer, period_reason   of its requester within the period: see `Period`
    learnt         what the match rates of its earlier batches show
    """

    letter_signed: Annotated[bool, Cites(Source.LETTER)]
    letter_key_named: Annotated[bool, Cites(Source.AGREEMENT)]
    agreement_in_force: Annotated[bool, Cites(Source.AGREEMENT)]
    orders_against: Annotated[tuple[str, ...], Cites(Source.ORDERS, ids_behind="COURT_ORDER")]
    orders_holding: Annotated[tuple[str, ...], Cites(Source.ORDERS, ids_behind="COURT_ORDER_HOLDS")]
    superseded_by: Annotated[tuple[str, ...], Cites(Source.AGREEMENT, ids_behind="AGREEMENT_SUPERSEDED")]
    requester_is_party: Annotated[bool, Cites(Source.LETTER)]
    office_may_sign: Annotated[bool, Cites(Source.LETTER)]
    signatory_may_sign: Annotated[bool, Cites(Source.LETTER)]
    statute: Annotated[str, Cites(Source.LETTER)]
    statute_known: Annotated[bool, Cites(Source.LETTER)]
    statute_designated: Annotated[bool, Cites(Source.LETTER)]
    purpose_allowed: Annotated[bool, Cites(Source.LETTER)]
    solely: Annotated[bool, Cites(Source.LETTER)]
    clearance: Annotated[bool, Cites(Source.HOLDER)]
    officers: Annotated[tuple[str, ...], Cites(Source.LETTER)]
    officers_alike: Annotated[Mapping[str, str], Cites(Source.LETTER)]
    safeguards_in_force: Annotated[bool, Cites(Source.AGREEMENT)]
    tiers: Annotated[tuple[str, ...], Cites(Source.AGREEMENT)]
    letter_date: Annotated[date, Cites(Source.LETTER)]
    attested_on: Annotated[date, Cites(Source.LETTER)]
    received_on: Annotated[date, Cites(Source.HOLDER)]
    rows_in_letter: Annotated[int, Cites(Source.LETTER)]
    earlier_rows: Annotated[int, Cites(Source.HOLDER)]
    earlier_incomplete_rows: Annotated[int, Cites(Source.HOLDER)]
    period_requests: Annotated[int, Cites(Source.HOLDER)]
    period_officer: Annotated[int, Cites(Source.HOLDER)]
    period_reason: Annotated[int, Cites(Source.HOLDER)]
    learnt: Annotated[Learnt, Cites(Source.HOLDER)]

    def ids_behind(self, codes: Collection[str]) -> list[str]:
        """Ids of the instruments that lead to these codes of the batch, each once."""
        facts = (name for name, cites in _CITED.items() if cites.ids_behind in codes)
        return list(dict.fromkeys(instrument for fact in facts for instrument in getattr(self, fact)))


_NO_SQL = ("thresholds", "learnt")
_CITED: dict[str, Cites] = {
    name: next(one for one in hint.__metadata__ if isinstance(one, Cites))
    for name, hint in get_type_hints(LetterFacts, include_extras=True).items()
}
# Each fact that a rule can read, and each threshold, by its name.
LETTER_FACTS: dict[str, Cites] = {
    **{name: cites for name, cites in _CITED.items() if name not in _NO_SQL},
    **dict.fromkeys(Thresholds.model_fields, Cites(Source.AGREEMENT)),
}


def letter_facts(
    letter: Letter,
    letter_bytes: bytes,
    signature: str,
    agreement: Agreement,
    orders: Sequence[CourtOrder],
    decided_on: date,
    received_on: date,
    earlier: Earlier | None = None,
    successors: Sequence[Agreement] = (),
    determinations: Sequence[Determination] = (),
) -> LetterFacts:
    """What the letter and the instruments say.

    `earlier`: this requester's batches before; `successors`: agreements that supersede this one, in force or not;
    `determinations`: the holder's, under (i)(6).
    Raises nothing: what does not hold is a False.
    """
    signed_by = signatures.signer(letter_bytes, signature, list(agreement.letter_keys), signatures.LETTER)
    stands = standing(agreement, orders, letter.statute, letter.purpose, decided_on)
    before, signatory = earlier or Earlier(), letter.signatory
    period = before.period or Period()
    return LetterFacts(
        **vars(register_facts(agreement, stands, decided_on, before.lists)),
        requester_is_party=letter.requester == agreement.requester.id and letter.agreement == agreement.id,
        office_may_sign=signatory.office in agreement.offices
        and may_ask(signatory.office, justice=agreement.requester.justice),
        signatory_may_sign=agreement.may_sign(signatory.name, signatory.office, letter.date, signed_by),
        statute=letter.statute,
        statute_known=letter.statute in STATUTES,
        statute_designated=letter.statute in agreement.statutes,
        purpose_allowed=letter.purpose in agreement.purposes and letter.purpose in list(Purpose),
        solely=letter.attestations.solely,
        clearance=cleared(agreement, determinations, decided_on),
        officers=tuple(sorted({o.id for o in letter.officers})),
        officers_alike=alike(letter.officers),
        letter_date=letter.date,
        attested_on=letter.attested_on,
        rows_in_letter=sum(f.rows for f in letter.files),
        letter_signed=signatures.made_by(letter_bytes, signature, signatures.LETTER) is not None,
        letter_key_named=signed_by is not None,
        agreement_in_force=agreement.in_force(decided_on),
        superseded_by=superseded(agreement, successors, decided_on),
        orders_against=stands.forbid,
        orders_holding=stands.hold,
        safeguards_in_force=agreement.safeguards.in_force(decided_on),
        tiers=tuple(sorted(set(agreement.tiers))),
        received_on=received_on,
        earlier_rows=before.rows,
        earlier_incomplete_rows=before.incomplete,
        period_requests=period.requests,
        period_officer=period.officer,
        period_reason=period.reason,
        learnt=learnt(before.batches),
    )


def register_facts(
    agreement: Agreement, stands: Standing, decided_on: date, lists: Collection[str] = ()
) -> RegisterFacts:
    """What the agreement, and the orders that stand against it, say of rows that were matched. `lists`: the holder's
    lists of persons that somebody is on."""
    return RegisterFacts(
        thresholds=agreement.thresholds.complete(),
        decided_on=decided_on,
        earlier_addresses_count=agreement.addresses_that_corroborate == "current_and_earlier",
        earliest_address_end=_years_before(decided_on, agreement.earlier_addresses_years),
        lists_required=tuple(sorted({which for _, which in stands.persons})),
        lists_barred=tuple(sorted({which for _, which in stands.barred})),
        lists_on_file=tuple(sorted(lists)),
        states_withheld=tuple(sorted({state for _, some in stands.states for state in some})),
    )


def _years_before(day: date, years: int) -> date:
    """The same day that many years before; 28 February for a 29th that is not there."""
    year = max(day.year - years, 1)
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
