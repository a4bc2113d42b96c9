"""What an operator signs in a browser: in plain words for the reader, in bytes for the key; and the answer."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expectations.base import signatures
from expectations.base.digests import of_bytes
from expectations.base.errors import BadInput, Usage
from expectations.base.total import total
from flows.batch.decisions import DEFAULT_REASON
from flows.cases.steps import WITHOUT_FILE, Proposed
from flows.console import instruments
from flows.console.recalls import WORDS, plain
from flows.ledger import Ledger, passkeys
from flows.ledger.core import BatchRecord
from flows.ledger.decisions import KEYS_NEEDED, Decision, Reason
from flows.ledger.lifecycles.states import State
from flows.ledger.passkeys import Assertion, Passkey

# What each decision does, in plain words.
DOES: Mapping[Decision, str] = total(
    Decision,
    {
        Decision.REJECT: "End the batch: nothing leaves, and the requester is told what to correct.",
        Decision.RETRY: "The cause is fixed: run the stage and this checkpoint again.",
        Decision.DROP: "Take the incomplete rows away for good; the rest is checked again, and none of it may fail.",
        Decision.CONFIRM: "The rate has an explanation: go on. Rows that fail a rule stay held all the same.",
        Decision.RESUME: "Batches that waited go on, and each is judged by what is enrolled by then.",
    },
)


# What each kind of signature does not do, for who may fear that, or hope for it.
_LIMITS: Mapping[str, str] = {
    signatures.DECISION: "Nothing here releases a row that fails.",
    signatures.COMPLIANCE: "The order stays as it is: what it forbids does not leave.",
    signatures.RECALL: "Nothing here gives the rows free: what was recalled leaves no second time.",
    signatures.INSTRUMENT: "Nothing leaves by this alone: every row and every batch is judged under it.",
    signatures.OPERATOR: "No role allows anybody to release a row that fails.",
}


@dataclass(frozen=True)
class Statement:
    """`says`: what is signed, for people; `text`: the same in bytes, for this use only; `needed`: how many different
    people; `command`: how an SSH key signs it; `reason`: which reason is most likely, where one is asked for; `note`:
    digest of what was written about it, which is in the text."""

    title: str
    says: tuple[str, ...]
    text: bytes = field(repr=False)
    needed: int
    command: str
    reason: Reason | None = None
    use: str = signatures.DECISION
    note: str | None = None

    @property
    def seen(self) -> str:
        """What the reader looks at, as one digest: the hold, the rows, and what was void by then are in the text."""
        return of_bytes(self.text)

    @property
    def who(self) -> str:
        """How many sign it."""
        if self.needed == 1:
            return "One operator signs."
        both = "What you sign is shown to the other only when both have spoken."
        return f"Two different operators sign{'. ' + both if self.use == signatures.DECISION else ' the same.'}"

    @property
    def limits(self) -> str:
        """What this signature does not do."""
        return _LIMITS[self.use]

    def check(self, form: Mapping[str, str]) -> None:
        """Raises Usage if what was looked at has changed since the page was made: a stale page signs nothing."""
        if form.get("seen") != self.seen:
            what = "what you looked at has changed since, and nothing was signed"
            raise Usage("STALE_PAGE", what, remedy="Look at it again, then decide.")


def decision(ledger: Ledger, record: BatchRecord, which: Decision, note: str | None = None) -> Statement:
    """A decision on a batch as it is held now. Raises Usage if it is not held, or the table does not allow it."""
    if record.state is not State.HELD or which not in ledger.allowed_decisions(record.name):
        what = f"the batch is {record.state}, and this decision is not open on it"
        raise Usage("NOT_OPEN", what, where=record.name, remedy="Look at the batch again.")
    rows = f"It is held at {record.checkpoint} with {record.rows:,} rows, content digest {record.content_digest}."
    text, title = ledger.decision_message(record.name, which, note), f"{which.capitalize()}: batch {record.name}"
    command = f"sluicegate review decide {record.name} {which} --content {record.content_digest} --key KEY"
    return Statement(title, (DOES[which], rows), text, KEYS_NEEDED[which], command, DEFAULT_REASON[which], note=note)


def withdrawal(ledger: Ledger, batch: str, operator: str, note: str | None = None) -> Statement:
    """That one takes back one's own decision. Raises Usage if none waits for another's signature."""
    text = ledger.withdrawal_message(ledger.waiting_decision(batch, operator), note)
    says = "Your decision counts no more. The batch stays held, and whoever else has signed on it signs again."
    title, command = f"Take back your decision on batch {batch}", f"sluicegate review withdraw {batch} --key KEY"
    return Statement(title, (says,), text, 1, command, note=note)


def resumption(ledger: Ledger, halt: int, note: str | None = None) -> Statement:
    """That releases go on after a halt. Raises Usage if it does not stand."""
    title, says = f"Let releases go on after halt {halt}", (DOES[Decision.RESUME],)
    needed, reason = KEYS_NEEDED[Decision.RESUME], DEFAULT_REASON[Decision.RESUME]
    text, command = ledger.halt_message(halt, note), f"sluicegate resume {halt} --key KEY"
    return Statement(title, says, text, needed, command, reason, note=note)


def compliance(ledger: Ledger, id: str, proof: str) -> Statement:
    """That the holder complies with an order as it is enrolled now, by what was filed: its digest is `proof`. Raises
    Usage if no court order of this id is enrolled."""
    newest, order = instruments.order(ledger, id)
    says = (
        f"The holder has confirmed to the court that it complies with version {newest.version:,} of this order"
        + (f". The last day for that is {order.confirm_by.isoformat()}." if order.confirm_by else "."),
        f"What was filed has the digest {proof}: this is kept, and nothing else of it.",
    )
    text, command = ledger.compliance_message(id, proof), f"sluicegate instruments confirm {id} --file FILED --key KEY"
    return Statement(f"Confirm compliance with {id}", says, text, 1, command, use=signatures.COMPLIANCE)


def recall_step(proposed: Proposed) -> Statement:
    """A step of a recall, as it was judged."""
    case, words, step = proposed.case, WORDS[proposed.step], proposed.step
    stays = f"; by this it comes to: {plain(proposed.end)}." if proposed.end is not case.state else "; it stays there."
    says = [words.does, f"The case stands at: {plain(case.state)}{stays}"]
    says += [f"{words.counts[name]}: {count:,}." for name, count in proposed.counts.items()]
    rests_on = "all its steps and documents" if step in WITHOUT_FILE else "the file that was handed in"
    says.append(f"It rests on {rests_on}, with the digest {proposed.rests_on}.")
    file = "" if step in WITHOUT_FILE else " --file FILE"
    command = f"sluicegate recall advance {case.id} {step}{file} --key KEY"
    title = f"{words.title}: case {case.id}"
    return Statement(title, tuple(says), proposed.text, proposed.needed, command, use=signatures.RECALL)


@dataclass(frozen=True)
class Asked:
    """What a browser is asked: by which nonce, and the options for its authenticator, as JSON."""

    nonce: str
    options: str


def keys_at(ledger: Ledger, origin: str, operator: str | None = None) -> dict[str, Passkey]:
    """The passkeys that a page of this origin may ask, by their lines: of an operator, or of all."""
    known = [o for o in ledger.operators() if o.revoked_at is None and operator in (None, o.name)]
    lines = [k.key_line for o in known for k in o.keys if k.removed_at is None]
    return {line: key for line in lines if (key := Passkey.of(line)) and key.origin == origin}


def ask(statement: Statement, keys: Mapping[str, Passkey]) -> Asked | None:
    """Asks one of these keys for a signature; None if there is none."""
    if not keys:
        return None
    nonce = passkeys.nonce()
    challenge = passkeys.challenge(statement.text, statement.use, nonce)
    first = next(iter(keys.values()))
    options: dict[str, Any] = {
        "challenge": to_text(challenge),
        "rpId": first.site,
        "allowCredentials": [{"type": "public-key", "id": to_text(key.id)} for key in keys.values()],
        "userVerification": "required",
        "timeout": 120_000,
    }
    return Asked(to_text(nonce), json.dumps(options))


def answered(statement: Statement, keys: Mapping[str, Passkey], form: Mapping[str, str]) -> tuple[str, str]:
    """The line of the key, and the signature, of what a browser answered. Whether it is good, the ledger says. Raises
    BadInput if it is no answer of one of these keys."""
    wrong = BadInput("NO_ANSWER", "your browser gave no signature of one of your passkeys", remedy="Try once more.")
    try:
        answer, nonce = json.loads(form.get("answer", "")), from_text(form.get("nonce", ""))
        line = next(line for line, key in keys.items() if answer["id"] == to_text(key.id))
        return line, Assertion.answered(answer, line, statement.use, nonce).text
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        raise wrong from None


def to_text(data: bytes) -> str:
    """As browsers write bytes: base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes:
    """The bytes; raises ValueError if it is no base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
