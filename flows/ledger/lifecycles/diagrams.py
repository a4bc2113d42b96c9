"""infra/docs/lifecycles.md, made from the life cycles: `python -m flows.ledger.lifecycles.diagrams >
infra/docs/lifecycles.md`."""

from flows.ledger.lifecycles.cases import CASE, DEADLINES, KEYS_NEEDED, Deadline
from flows.ledger.lifecycles.states import BATCH

_SIGNS = {0: "", 1: " (one operator)", 2: " (two operators)"}


def document() -> str:
    """The whole document."""
    signed = CASE.mermaid(lambda proof: f"{proof}{_SIGNS[KEYS_NEEDED[proof]]}")
    return (
        "# Life cycles\n\nMade from `flows/ledger/lifecycles/states.py` and `flows/ledger/lifecycles/cases.py`, and"
        " compared with them by a test. The ledger refuses every other step.\n\n## The life of a"
        f" batch\n\n```mermaid\n{BATCH.mermaid()}\n```\n\n## The life of a recall case\n\nEach step rests on a proof."
        f" [Recalls](recall.md) says what an operator does.\n\n```mermaid\n{signed}\n```\n\n| deadline |"
        " counted from | met by | source |\n|---|---|---|---|\n" + "\n".join(map(_row, DEADLINES)) + "\n"
    )


def _row(deadline: Deadline) -> str:
    since = "discovery" if deadline.from_discovery else ", ".join(sorted(deadline.since))
    return f"| {deadline.name} | {since} | {', '.join(sorted(deadline.by))} | {deadline.source} |"


if __name__ == "__main__":
    print(document(), end="")
