"""The documents of a case: rendered from counts, digests, dates and ids only, so that none can name a person. Which are
issued with a step is decided under the ledger's lock, with the digests that the event records. `templates` has their
text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.base import algorithms, digests
from expectations.base.algorithms import FIRST, WORDS
from expectations.base.clock import Clock
from expectations.base.forms import Strict
from expectations.base.total import total
from flows.cases import deadlines, forms, places
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.case_records import ATTESTATION, CaseRecord
from flows.ledger.core import BatchRecord
from flows.ledger.events import seals
from flows.ledger.lifecycles.cases import CaseReason, CaseState
from flows.ledger.lifecycles.states import State
from flows.registry import enrolled
from pipelines.lake import durable

FREEZE, INCIDENT, COPIES = "freeze_notice.md", "incident_report.md", "copies.csv"
DISPOSE, DISPOSALS, PRESERVE = "disposal_notice.md", "disposal_log.csv", "preservation_notice.md"
CLOSING, AFFECTED, PERSONS = "closing_record.md", seals.AFFECTED, "persons.csv"
# What is handed back in a form, by the name of the form.
FORMS: Mapping[str, type[Strict]] = {COPIES: forms.Copy, DISPOSALS: forms.Disposal, PERSONS: forms.Persons}
HOW: Mapping[CaseReason, str] = total(
    CaseReason,
    {
        CaseReason.LOOKBACK: "Rows were released that today's rules would withhold; a lookback found them.",
        CaseReason.INCOMPLETE_ADDRESS: "Rows were released whose request had an incomplete address.",
        CaseReason.NOT_CORROBORATED: "Rows were released whose address was not compared with an address on file.",
        CaseReason.NO_AUTHORITY: "Rows were released without the authority that the law asks for.",
        CaseReason.COURT_ORDER: "A court has ordered that what was disclosed be recalled.",
        CaseReason.REGISTER_CORRECTED: "The register was wrong when the rows were released; it has been corrected.",
        CaseReason.SYSTEM_FAULT: "A fault of the holder's system released rows that it should have withheld.",
    },
)


@dataclass(frozen=True)
class Setting:
    """What documents are made from beside the case: its batches, when each was published, its recall list's digest."""

    home: Home
    clock: Clock
    batches: Sequence[BatchRecord]
    published: Mapping[str, datetime]
    recall_list: str

    @classmethod
    def of(cls, home: Home, ledger: Ledger, case: CaseRecord, recall_list: str = "") -> Setting:
        """Read before the ledger is locked; none of it changes any more."""
        batches = [ledger.known_batch(name) for name in case.batches]
        when = {
            name: datetime.fromisoformat(event["at"])
            for name in case.batches
            for event in ledger.events(name)
            if event["kind"] == State.PUBLISHED.value
        }
        frozen = next((s.rests_on for s in case.steps if s.state is CaseState.FROZEN), None)
        return cls(home, ledger.clock, batches, when, recall_list or frozen or "")


def needed(case: CaseRecord, state: CaseState, keeps: Sequence[str]) -> list[str]:
    """The documents to issue with the case in `state`. `keeps`: orders under which nothing may be disposed of."""
    if state is CaseState.FROZEN and FREEZE not in case.documents:
        return [FREEZE, COPIES, INCIDENT]
    if state is CaseState.ENUMERATED:
        issued = [n for step in case.steps for n in (DISPOSE, PRESERVE) if n in step.documents]
        now = [PRESERVE] if keeps else [DISPOSE, DISPOSALS]
        return now if issued[-1:] != now[:1] else []
    if state in (CaseState.DISPOSED, CaseState.RETURNED) and case.state is not state:
        return [ATTESTATION]
    if state is CaseState.CLOSED and CLOSING not in case.documents:
        return [CLOSING]
    return []


def issue(
    setting: Setting, case: CaseRecord, state: CaseState, bodies: Sequence[bytes], logs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Writes the documents that are needed with `state` into the case's folder; gives what the event says of them.
    logs: of a disposal, `copies` and the digests of the list of copies and of the logs."""
    known = enrolled.read(bodies)
    agreement, keeps = known.agreements[case.agreement], deadlines.keeping(known, case.agreement, setting.clock)
    names, folder = needed(case, state, keeps), places.folder(setting.home, case.id)
    times = sorted(setting.published.values())
    content = {
        "case": case,
        "agreement": agreement,
        "keeps": keeps,
        "logs": logs or {},
        "how": HOW[case.reason],
        "now": setting.clock.now(),
        "by": WORDS[FIRST] if algorithms.in_force() is FIRST else "as it was made",
        "first": times[0],
        "last": times[-1],
        "packages": [(b.name, b.package_digest, case.batches[b.name]) for b in setting.batches],
        "registers": sorted({b.register for b in setting.batches}),
        "recall_list": setting.recall_list,
        "contact": setting.home.config.contact,
        "due": {d.name: d.at for d in deadlines.due(case, agreement, ())},
        "attested": case.documents.get(ATTESTATION),
    }
    for name in names:
        durable.write(folder / name, forms.blank(FORMS[name]) if name in FORMS else render(name, content))
    written = {name: digests.of_file(folder / name) for name in names}
    return {"documents": written, **({"cites": list(keeps)} if PRESERVE in names else {})}


def render(name: str, content: Mapping[str, Any]) -> bytes:
    """A document from its template; a fact that is missing is an error, never a blank."""
    # the documents are plain text, and nothing in them comes from a row: there is no markup to escape
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["utc"] = lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC"
    environment.filters["number"] = lambda count: f"{count:,}"
    return environment.get_template(f"{name}.j2").render(content).encode()


def check(home: Home, case: CaseRecord) -> list[tuple[str, str, str, str]]:
    """Of each document: name, state in which it was issued, digest, and whether it is unchanged, changed or missing."""
    issued = {name: (step.state.value, digest) for step in case.steps for name, digest in step.documents.items()}
    return [
        (name, state, digest, _lies(places.folder(home, case.id) / name, digest))
        for name, (state, digest) in issued.items()
    ]


def _lies(path: Path, digest: str) -> str:
    if not path.is_file():
        return "missing"
    return "unchanged" if digests.file_matches(path, digest) else "changed"
