"""The first page: all that waits by kind, a part of it for whoever asks, the last night, and what was decided."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.errors import Usage
from flows.batch.decisions import sign
from flows.console import pages, queue, site
from flows.console.links import Links, ServedLinks, SiteLinks, anchor
from flows.ledger.decisions import Decision, Reason
from flows.ledger.lifecycles.states import State
from flows.schedule import summary
from flows.schedule.things import Kind
from tests.factories import installations, runs
from tests.factories.installations import Installation

CANARY = "Zebulon"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = installations.make(tmp_path_factory.mktemp("queue") / "home")
    with installations.at_home(made.home):
        yield made


@pytest.fixture(scope="module")
def morning(installation: Installation) -> dict[str, str]:
    """A held batch, a rejected one, a folder that no run has read, a halt, and a night."""
    inbox = installation.home.inbox
    names = {"rejected": runs.rejected(installation, inbox / "rejected"), "held": runs.held(installation, inbox / "h")}
    installation.submit(inbox / f"{CANARY}-1", [installations.request(1, request_id="NOT-READ")])
    with runs.ledger_of(installation.home) as ledger:
        ledger.halt("operator-1", Reason.SUSPECTED_FAULT)
    did = [[f"{CANARY}-1", names["held"], "held", ["TOO_MANY_INCOMPLETE"]], [f"{CANARY}-3", None, "failed", []]]
    did += [["x", f"b-{n:012}", "published", []] for n in range(1234)]
    night = {"at": "2026-11-26T02:00:00+00:00", "selftest": summary.PASSED, "batches": did, "waiting": []}
    summary.store(installation.home, night)
    return names


def text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def shown(installation: Installation, links: Links, **chosen: Any) -> str:
    with runs.ledger_of(installation.home) as ledger:
        found = queue.queue(installation.home, ledger, **chosen)
    return pages.page("queue.html", made=found["now"], links=links, **found)


def test_what_waits_stands_by_kind_under_a_list_of_contents(
    installation: Installation, morning: dict[str, str], tmp_path: Path
) -> None:
    page = site.write(installation.home, tmp_path / "pages").read_text()
    kinds = re.findall(r'<section aria-labelledby="([a-z-]+)">', page)
    order = [anchor(kind) for kind in Kind]
    assert {"held", "not-read", "releases-halted"} == set(kinds) and kinds == sorted(kinds, key=order.index)
    contents = re.findall(r'<li><a href="#([a-z-]+)">[^<]+</a> (\d+)', page)
    assert [name for name, _ in contents] == kinds
    for name, count in contents:
        section = page.partition(f'<section aria-labelledby="{name}">')[2].partition("</section>")[0]
        assert f'id="{name}"' in section and section.count("<h3>") == int(count)
    assert "<form" not in page  # nobody would answer it
    assert CANARY not in page


def test_a_server_shows_a_part_and_says_of_how_much(installation: Installation, morning: dict[str, str]) -> None:
    links = ServedLinks()
    whole = shown(installation, links)
    waits = int(re.findall(r"<h1>(\d+) things wait", whole)[0])
    assert 'href="/?kind=not+read"' in whole and '<form method="get"' in whole
    part = shown(installation, links, **queue.asked({"kind": "held", "agreement": ""}))
    assert f"1 of {waits} things that wait" in text(part)
    assert re.findall(r'<section aria-labelledby="([a-z-]+)">', part) == ["held"]
    assert "<option selected>held</option>" in part and f'<a href="/">all</a> {waits}' in part
    none = shown(installation, links, agreement="<another>")
    assert f"0 of {waits} things that wait" in text(none) and "<another>" not in none and "Nothing waits" not in none


def test_filters_keep_the_order_and_take_both_conditions() -> None:
    waiting = [
        {"kind": kind, "agreement": under, "id": n}
        for n, (kind, under) in enumerate([("failed", "a"), ("held", "b"), ("held", "a"), ("unsigned", None)])
    ]
    assert [one["id"] for one in queue.filtered(waiting)] == [0, 1, 2, 3]
    assert [one["id"] for one in queue.filtered(waiting, Kind.HELD)] == [1, 2]
    assert [one["id"] for one in queue.filtered(waiting, agreement="a")] == [0, 2]
    assert [one["id"] for one in queue.filtered(waiting, Kind.HELD, "a")] == [2]
    assert list(queue.grouped(waiting)) == ["failed", "held", "unsigned"]


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_can_be_asked_for(kind: Kind) -> None:
    assert queue.asked({"kind": kind.value}) == {"kind": kind, "agreement": None}


def test_a_kind_that_there_is_not_is_refused() -> None:
    assert queue.asked({}) == {"kind": None, "agreement": None}
    with pytest.raises(Usage, match="UNKNOWN_FILTER"):
        queue.asked({"kind": "<script>"})


def test_the_last_night_has_its_counts_with_separators_and_no_folder(
    installation: Installation, morning: dict[str, str]
) -> None:
    page = text(shown(installation, SiteLinks(frozenset())))
    assert "released 1,234 held 1 refused 0 other 1 waits 0 end failed" in page
    assert f"{morning['held']}: held (TOO_MANY_INCOMPLETE)" in page and "a submission: failed" in page
    assert "What became of its 1,236 submissions" in page and "and 1,136 more" in page
    assert CANARY not in page


def test_what_was_decided_is_shown_once_it_counts(installation: Installation, morning: dict[str, str]) -> None:
    links = SiteLinks(frozenset([morning["rejected"]]))
    page = text(shown(installation, links))
    assert f"{morning['rejected']} reject 1 of 1" in page
    held = morning["held"]
    sign(installation.home, held, Decision.DROP, signatures.load(installation.home.keys / "operator-1"))
    page = text(shown(installation, links))
    assert f"{held} drop" not in page and "have spoken 1" in page and "operator-1" not in page
    with runs.ledger_of(installation.home) as ledger:
        (one,) = queue.decided(ledger, ledger.clock.now() - timedelta(days=7))
        later = one["at"] + timedelta(microseconds=1)
        assert queue.decided(ledger, later) == []
    assert "Nothing was decided." in text(shown(installation, links, since=later))


def test_why_a_batch_is_held_follows_its_result(installation: Installation, morning: dict[str, str]) -> None:
    path = installation.home.verdicts / morning["held"] / "intake.json"
    whole = path.read_text()
    assert "100.0% of the rows against 10.0%" in text(shown(installation, SiteLinks(frozenset())))
    try:
        path.write_text("{")
        page = text(shown(installation, SiteLinks(frozenset())))
        assert "100.0% of the rows" not in page and "Too large a share" in page  # as the ledger's codes say
    finally:
        path.write_text(whole)
    assert "100.0% of the rows against 10.0%" in text(shown(installation, SiteLinks(frozenset())))
    with runs.ledger_of(installation.home) as ledger:
        assert ledger.known_batch(morning["held"]).state is State.HELD
