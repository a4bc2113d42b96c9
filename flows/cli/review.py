"""`sluicegate review`: what waits for people, why, and what they decide."""

from typing import Annotated, Any

from typer import Argument, Option

from expectations.base import signatures
from flows.cli.batches import print_summary, print_tries
from flows.cli.command import WHY, Batch, Json, Key, Note, at_home, group, looker, one_of, show
from flows.home.tree import open_home
from flows.ledger.calling import CALL_MEANINGS, CallReason
from flows.ledger.decisions import KEYS_NEEDED, Decision, Reason
from flows.ledger.lifecycles.states import State
from flows.ledger.snoozing import MOST, SNOOZE_MEANINGS, SnoozeReason
from flows.operations.printing import flat, print_table
from flows.schedule.things import Kind

app = group(name="review", help="Held batches, and signed decisions on them.")
Decided = Annotated[Decision, Argument(metavar="DECISION", help=one_of(Decision))]
Content = Annotated[str | None, Option(help="Content digest that you looked at; if left out, the batch's present one.")]
Thing = Annotated[str, Argument(help="What waits: its id, as status shows it.")]
Aside = Annotated[
    SnoozeReason,
    Option(metavar="REASON", help=f"Why: {'; '.join(f'{word}: {said}' for word, said in SNOOZE_MEANINGS.items())}."),
]
Calling = Annotated[
    CallReason,
    Option(metavar="REASON", help=f"Why: {'; '.join(f'{word}: {said}' for word, said in CALL_MEANINGS.items())}."),
]
Hours = Annotated[int, Option(help="For how long.", min=1, max=int(MOST.total_seconds() // 3600))]


@app.command("list")
def list_(json: Json = False) -> int:
    """Batches that wait for people."""
    from flows.reports.review import waiting

    with at_home() as (_, ledger):
        return show(waiting(ledger), json, _print_waiting)


def _print_waiting(held: list[dict[str, Any]]) -> None:
    rows = [[flat(value) for value in batch.values()] for batch in held]
    print_table("Held", ["batch", "checkpoint", "codes", "open decisions"], rows)


@app.command("show")
def show_(batch: Batch, json: Json = False) -> int:
    """Why a batch is held, what may be decided, and by whom.

    Each failed check is shown with its counts, rule id and source of law.
    """
    from flows.reports.review import review

    with at_home() as (home, ledger):
        return show(review(home, ledger, batch), json, _print_held)


def _print_held(summary: dict[str, Any]) -> None:
    print_summary(summary)
    columns = ("checkpoint", "check", "failed", "rows", "code", "source")
    titles = ["checkpoint", "check", "failed", "of", "code", "source"]
    print_table("Failed checks", titles, [[failed[c] for c in columns] for failed in summary["failed"]])
    if summary["incomplete"]:
        shares = [[code, file, rows, f"{share:.1%}"] for code, file, rows, share in summary["incomplete"]]
        print_table("Incomplete addresses by code and file", ["code", "file", "rows", "share of the file"], shares)
    print_tries(summary["tries"])
    if summary["matches"]:
        _print_matches(summary["matches"])
    if summary["decisions"]:
        print_table("Decisions", ["at", "decision", "reason", "operator", "granted"], summary["decisions"])
    if summary["spoken"]:
        print(f"{summary['spoken']} operator has signed; what, shows when another has.")
    for name in summary["allowed"]:
        keys = KEYS_NEEDED[Decision(name)]
        signs = "one operator signs" if keys == 1 else f"{keys} operators sign"
        print(f"  {name}: {signs}: sluicegate review decide {summary['batch']} {name} --key KEY")
        if summary["deciders"]:
            print(f"    who may, under its agreement: {', '.join(summary['deciders'][name]) or 'nobody'}")


def _print_matches(m: dict[str, Any]) -> None:
    weak = m["tier_c"] + m["tier_d"]
    rate, weak_share = m["matched"] / max(m["looked_up"], 1), weak / max(m["matched"], 1)
    rows = [
        ["looked up", m["looked_up"], "", "", ""],
        ["matched", m["matched"], f"{rate:.1%}", f"{m['min_match_rate']:.1%}", f"{m['max_match_rate']:.1%}"],
        *([f"tier {t}", m[f"tier_{t.lower()}"], "", "", ""] for t in "ABCD"),
        ["tiers C and D", weak, f"{weak_share:.1%}", "", f"{m['max_weak_tiers']:.1%}"],
    ]
    if m["pooled_rows"] != m["looked_up"]:  # too small to show a rate
        pooled, bounds = m["pooled_matched"] / m["pooled_rows"], (m["match_rate_floor"], m["match_rate_ceiling"])
        of = f"{m['pooled_matched']} of {m['pooled_rows']}"
        rows.append(["matched, with small batches before", of, f"{pooled:.1%}", *(f"{b:.1%}" for b in bounds)])
    print_table("Matches", ["", "rows", "share", "at least", "at most"], rows)


@app.command()
def decide(
    batch: Batch,
    decision: Decided,
    key: Key,
    reason: Annotated[Reason | None, WHY] = None,
    content: Content = None,
    note: Note = None,
) -> None:
    """Sign a decision on a held batch.

    What needs two keys waits for the second. Then run the batch again.
    """
    from flows.batch.decisions import sign

    state = sign(open_home(), batch, decision, signatures.load(key), reason, content, note)
    waits, goes_on = "waits for a second, different operator.", f"is {state}. Next: sluicegate run {batch}"
    print(f"Signed. {batch} {waits if state is State.HELD else goes_on}")


@app.command()
def withdraw(batch: Batch, key: Key, note: Note = None) -> None:
    """Take back your own decision on a held batch, while it waits for another operator."""
    from flows.batch.decisions import withdraw as take_back
    from flows.evidence import notes

    private = signatures.load(key)
    with at_home() as (home, ledger):
        me = ledger.operator_of(signatures.public_line(private))
        signed = ledger.waiting_decision(batch, me)
        take_back(ledger, signed, private, None if note is None else notes.store(home, note, batch))
    print(f"Taken back. {batch} is held as before; whoever else had signed signs again.")


@app.command()
def reasons(
    key: Key,
    batch: Annotated[
        str | None, Argument(help="The batch; if left out, what was written on halts and the like.")
    ] = None,
    json: Json = False,
) -> int:
    """Show what people wrote about why they decided; an audit event.

    What another has signed, and still waits for a signature, is not shown.
    """
    from flows.reports.notes import read

    who = looker(key)
    with at_home() as (home, ledger):
        return show(read(home, ledger, batch, who), json, _print_notes)


def _print_notes(found: list[dict[str, Any]]) -> None:
    for one in found:
        print(f"{one['at']} {one['by']}, {one['on']} ({one['reason'] or 'no reason given'}):")
        text = one["text"] or "(it cannot be opened any more)"
        print("\n".join(f"  {line}" for line in text.splitlines()))
    if not found:
        print("Nothing was written that you may read now.")


@app.command()
def snooze(
    id: Thing,
    key: Key,
    reason: Aside,
    hours: Hours = 8,
    kind: Annotated[Kind | None, Option(help=one_of(Kind))] = None,
    note: Note = None,
) -> None:
    """Set something that waits aside for a while; it stays listed and counted.

    It comes back by itself after that time, a day before its deadline, or once anything about it changes.
    """
    from flows.evidence import notes
    from flows.schedule.snooze import batch_of, find
    from flows.schedule.snooze import snooze as set_aside

    who = looker(key)
    with at_home() as (home, ledger):
        one = find(home, ledger, id, kind)
        set_aside(ledger, one, who, reason, hours, None if note is None else notes.store(home, note, batch_of(one)))
    print(f"Set aside for {hours} hours. Before that: sluicegate review unsnooze {id} --key KEY")


@app.command()
def unsnooze(id: Thing, key: Key, kind: Annotated[Kind | None, Option(help=one_of(Kind))] = None) -> None:
    """Take back that something is set aside: it waits like all else again."""
    from flows.schedule.snooze import find
    from flows.schedule.snooze import unsnooze as take_back

    who = looker(key)
    with at_home() as (home, ledger):
        take_back(ledger, find(home, ledger, id, kind), who)
    print("Taken back. It waits like all else again.")


@app.command()
def call(
    id: Thing,
    key: Key,
    reason: Calling,
    kind: Annotated[Kind | None, Option(help=one_of(Kind))] = None,
    note: Note = None,
) -> None:
    """Ask others to look at something that waits: word goes out, and nothing else comes of it."""
    from flows.evidence import notes
    from flows.schedule.snooze import batch_of, find
    from flows.schedule.snooze import call as ask

    who = looker(key)
    with at_home() as (home, ledger):
        one = find(home, ledger, id, kind)
        ask(ledger, one, who, reason, None if note is None else notes.store(home, note, batch_of(one)))
    print("Others are asked: by Prefect's server or sluicegate watch at once, and by each night while it waits.")
