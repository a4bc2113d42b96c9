"""The site: what waits, each batch and what its checkpoints found, as files that hold no value."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from expectations.base import signatures
from expectations.base.errors import BadInput, Usage
from expectations.gx.verdict import Result, Status, Verdict
from flows.batch.decisions import sign
from flows.batch.figures import Figure, Measure
from flows.batch.receive import receive
from flows.console import kept, pages, site, trends
from flows.console.rows import Rows
from flows.ledger.decisions import Decision
from flows.ledger.lifecycles.states import Checkpoint, State
from flows.reports.held import sentence
from tests.factories import installations, runs
from tests.factories.installations import Installation

CANARY = "Zebulon"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = installations.make(tmp_path_factory.mktemp("site") / "home")
    with installations.at_home(made.home):
        yield made


@pytest.fixture(scope="module")
def batches(installation: Installation) -> dict[str, str]:
    """One of each end, oldest first."""
    inbox = installation.home.inbox
    return {
        "released": runs.released(installation, inbox / "released", 1, 20),
        "rejected": runs.rejected(installation, inbox / "rejected"),
        "held": runs.held(installation, inbox / f"<b>{CANARY}</b>"),
    }


@pytest.fixture
def made(installation: Installation, batches: dict[str, str], tmp_path: Path) -> Path:
    return site.write(installation.home, tmp_path / "pages").parent


def text(path: Path) -> str:
    """What a reader reads: without tags, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", path.read_text())).split())


def test_the_first_page_says_what_waits_why_and_how_many_have_spoken(
    installation: Installation, batches: dict[str, str], tmp_path: Path
) -> None:
    page = text(site.write(installation.home, tmp_path / "before"))
    assert "1 thing waits for people" in page and "have spoken 0" in page
    assert "The batch is held at intake. Incomplete addresses: 100.0% of the rows against 10.0%" in page
    sign(installation.home, batches["held"], Decision.DROP, signatures.load(installation.home.keys / "operator-1"))
    page = text(site.write(installation.home, tmp_path / "after"))
    # blind: that one has spoken, and neither who nor what
    assert "have spoken 1" in page and "operator-1" not in page
    assert page.count("drop") == 1  # among what may be decided
    shown = text(tmp_path / "after" / "batches" / f"{batches['held']}-intake.html")
    assert "One operator has spoken." in shown and "operator-1" not in shown


def test_each_batch_has_a_page_and_each_checkpoint_that_it_reached(made: Path, batches: dict[str, str]) -> None:
    found = {path.stem for path in (made / "batches").glob("*.html")}
    whole = {f"{batches['released']}-{which}" for which in ("intake", "matching", "eligibility", "disclosure")}
    assert found == {*batches.values(), *whole, f"{batches['rejected']}-intake", f"{batches['held']}-intake"}
    page = text(made / "batches" / f"{batches['released']}.html")
    for said in (
        "submitted 22",
        "looked up 22",
        "matched 20",
        "released 20",
        "unmatched 2",
        "sandbox-2026 agreement 1",
    ):
        assert said in page, said
    page = text(made / "batches" / f"{batches['held']}.html")
    assert "looked up not yet" in page and "matching not reached" in page


def test_a_held_checkpoint_says_what_failed_against_which_limit_and_what_may_be_decided(
    made: Path, batches: dict[str, str]
) -> None:
    page = text(made / "batches" / f"{batches['held']}-intake.html")
    assert "authority.incomplete_share Too large a share of the rows has an incomplete address. 100.0% 10.0%" in page
    for decision, who in (("drop", "2 operators sign"), ("reject", "One operator signs")):
        assert f"{who}: sluicegate review decide {batches['held']} {decision} --key KEY" in page
    assert "confirm" not in page and "approve" not in page
    # over the requester's batches: this one, the one rejected before it, and the one that passed
    assert re.findall(r"b-[0-9a-f]{12} [-\d]{10} [:\d]{5} UTC \d+ (HOLD|PASS) (\d+\.\d%)", page) == [
        ("HOLD", "100.0%"),
        ("HOLD", "100.0%"),
        ("PASS", "0.0%"),
    ]


def test_each_failed_check_is_shown_over_the_requesters_batches(made: Path, batches: dict[str, str]) -> None:
    """Also where it was met: the figure stands with the batch that passed, as picture and in the table."""
    path = made / "batches" / f"{batches['held']}-intake.html"
    checks = ("authority.incomplete_share", "authority.incomplete_share_per_file", "authority.incomplete_share_30_days")
    table = path.read_text().partition("This checkpoint over the batches")[2].partition("</table>")[0]
    assert re.findall(r'<th scope="col" class="n">(authority[a-z0-9_.]+)</th>', table) == list(checks)
    lines = re.findall(r"<tr><th.*", table)
    held, passed = (re.findall(r'<td class="n">([^<]*)</td>', line)[1:] for line in (lines[1], lines[-1]))
    assert held[:2] == ["100.0%", "100.0%"] and passed[:2] == ["0.0%", "0.0%"] and all(held + passed)
    drawn = re.findall(r'<svg class="columns".*?</svg>', path.read_text())
    assert len(drawn) == len(checks) and all(one.count("<rect") == 3 and "<line" in one for one in drawn)
    assert "dashed: the limit, 10.0%" in text(path)
    alone = text(made / "batches" / f"{batches['released']}-intake.html")  # its first: nothing to compare
    assert "This checkpoint over the batches" not in alone


def test_a_check_that_judges_rows_has_their_share_over_the_batches() -> None:
    result = Result("r.x", "t", False, 200, 5, "NO_NUMBER", "s", "hold")
    stored = {"suite": "eligibility", "declared": 1, "evaluated": 1, "rows": 200, "status": "HOLD"}
    found = kept._kept("b", Checkpoint.ELIGIBILITY, {**stored, "results": [vars(result)]})
    assert trends._share(found, "r.x") == 0.025
    assert trends._share(found, "r.unknown") is None and trends._share(found, Measure.MATCHED) is None


def test_a_picture_leaves_out_what_is_not_known_and_shows_the_limit() -> None:
    drawn = pages.columns([0.1, None, 0.4], "over time <b>", 0.2)
    assert drawn.count("<rect") == 2 and 'height="90"' in drawn and '<line x1="0" y1="45"' in drawn
    assert "<b>" not in drawn and pages.columns([], "nothing").count("<rect") == 0
    assert 'height="1"' in pages.columns([0, 1000], "a night without any")


def test_a_batch_that_waits_says_when_it_expires_and_what_then(made: Path, batches: dict[str, str]) -> None:
    said = "it expires with the next night: nothing of it leaves"
    assert said in text(made / "batches" / f"{batches['held']}.html")
    assert said not in text(made / "batches" / f"{batches['rejected']}.html")


def test_what_was_measured_outlives_the_rows(made: Path, batches: dict[str, str]) -> None:
    page = text(made / "batches" / f"{batches['rejected']}-intake.html")
    assert "100.0% of the rows against 10.0%" in page and "What may be decided" not in page
    assert "as CSV" not in page  # its rows are gone


def test_distributions_stand_beside_their_limits_and_outlive_the_rows(made: Path, batches: dict[str, str]) -> None:
    for name in ("held", "rejected"):
        page = text(made / "batches" / f"{batches[name]}-intake.html")
        assert "incomplete addresses, of all rows 100.0% 10.0% not within" in page, name
        assert "PLACEHOLDER 4 100.0%" in page and "file 1 4 100.0% 15.0%" in page, name
        assert "most matters of one officer 2 5,000 within" in page, name
        assert re.search(r"matters officers 1 to 500 2 501 to 1,250 0 .* 5,001 or more: above the limit 0", page), name
    page = text(made / "batches" / f"{batches['released']}-matching.html")
    assert "matched, of the rows looked up 90.9% 0.5% to 98.0% within" in page
    assert "matched 20 90.9% unmatched 2 9.1%" in page and "A 20 100.0% B 0 0.0%" in page
    page = text(made / "batches" / f"{batches['released']}-eligibility.html")
    assert "eligible 20 100.0%" in page and "Rows held, by code None." in page


def test_where_nothing_was_kept_the_page_says_so(
    installation: Installation, batches: dict[str, str], tmp_path: Path
) -> None:
    path = installation.home.verdicts / batches["rejected"] / "intake.json"
    whole = path.read_text()
    stored = json.loads(whole)
    for name in ("spreads", "letter"):
        del stored[name]
    try:
        path.write_text(json.dumps(stored))
        made = site.write(installation.home, tmp_path / "pages", batches["rejected"]).parent
    finally:
        path.write_text(whole)
    assert "None was kept: an older version" in text(made / "batches" / f"{batches['rejected']}-intake.html")
    assert "Nothing was kept of what it says" in text(made / "batches" / f"{batches['rejected']}.html")


def test_a_batch_shows_its_checkpoints_at_a_glance_and_what_its_letter_says(
    made: Path, batches: dict[str, str]
) -> None:
    held, released = (text(made / "batches" / f"{batches[name]}.html") for name in ("held", "released"))
    assert "intake HOLD matching not reached eligibility not reached disclosure not reached" in held
    assert "intake PASS matching PASS eligibility PASS disclosure PASS" in released
    for page, rows in ((held, 4), (released, 22)):
        for said in (
            "statute 8 USC 1253(a)(1) allowed",
            "purpose Criminal proceeding allowed",
            "office that signs Head of agency allowed",
            f"rows declared {rows} data files declared 1 of them csv 1 officers listed 2",
        ):
            assert said in page, said


def test_the_letter_of_a_batch_that_no_checkpoint_has_seen_is_read_from_its_own_copy(
    installation: Installation, tmp_path: Path
) -> None:
    folder = installation.submit(tmp_path / "early", [installations.request(1, request_id="EARLY")])
    with runs.ledger_of(installation.home) as ledger:
        name = receive(installation.home, ledger, ledger.clock, folder)
    try:
        page = text(site.write(installation.home, tmp_path / "pages", name).parent / "batches" / f"{name}.html")
        assert "rows declared 1 data files declared 1" in page
    finally:
        runs.run(installation.home, name)


def test_the_rows_that_go_no_further_are_numbers_and_codes(made: Path, batches: dict[str, str]) -> None:
    with (made / "batches" / f"{batches['held']}-intake-rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(r["number"], r["file"], r["row"]) for r in rows} == {(str(n), "1", str(n + 1)) for n in range(4)}
    assert {tuple(r) for r in rows} == {("code", "number", "file", "row")}
    assert "PLACEHOLDER" in {r["code"] for r in rows} and {r["file"] for r in rows} == {"1"}
    assert all(r[name].isdigit() for r in rows for name in ("number", "file", "row"))
    page = text(made / "batches" / f"{batches['held']}-intake.html")
    assert f"All {len(rows)} as CSV" in page and f"{batches['held']}#{rows[0]['number']} {rows[0]['code']}" in page


def test_no_page_names_what_another_chose(made: Path) -> None:
    for path in made.rglob("*"):
        assert CANARY not in path.name and (path.is_dir() or CANARY.encode() not in path.read_bytes())


def test_pages_ask_for_nothing_from_elsewhere(made: Path) -> None:
    for path in [made / "index.html", *(made / "batches").glob("*.html")]:
        assert re.findall(r'(?:href|src|url\()[="( ]*(?:https?:)?//', path.read_text()) == []
        for link in re.findall(r'(?:href|src)="([^"#]+)"', path.read_text()):
            assert (path.parent / link).is_file(), (path.name, link)


def test_a_site_of_one_batch_has_no_link_that_leads_nowhere(
    installation: Installation, batches: dict[str, str], tmp_path: Path
) -> None:
    made = site.write(installation.home, tmp_path / "one", batches["held"]).parent
    assert {p.name.partition(".")[0] for p in (made / "batches").iterdir()} == {
        batches["held"],
        f"{batches['held']}-intake",
        f"{batches['held']}-intake-rows",
    }
    test_pages_ask_for_nothing_from_elsewhere(made)
    assert batches["released"] in text(made / "index.html")
    with pytest.raises(Usage, match="UNKNOWN_BATCH"):
        site.write(installation.home, tmp_path / "two", "b-000000000000")


def test_a_site_is_replaced_and_another_folder_is_left_alone(
    installation: Installation, batches: dict[str, str], tmp_path: Path
) -> None:
    made = site.write(installation.home, tmp_path / "pages", batches["held"]).parent
    site.write(installation.home, tmp_path / "pages", batches["released"])
    assert not (made / "batches" / f"{batches['held']}.html").exists()
    assert {p.name for p in tmp_path.iterdir()} == {"pages"}  # nothing is left of the work
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    (tmp_path / "other" / "console.css").write_text("mine, too")
    with pytest.raises(BadInput, match="DOCS_TARGET"):
        site.write(installation.home, tmp_path / "other")
    assert (tmp_path / "other" / "mine.txt").exists()


def test_a_result_that_cannot_be_read_is_named_and_hides_no_other(
    installation: Installation, batches: dict[str, str], tmp_path: Path
) -> None:
    path = installation.home.verdicts / batches["rejected"] / "intake.json"
    whole = path.read_text()
    assert [one.checkpoint for one in kept.read(installation.home, batches["rejected"])] == ["intake"]
    stored = json.loads(whole)
    try:
        for broken in ("", "{", "[]", "7", json.dumps({**stored, "status": "MAYBE"}), json.dumps({"suite": "intake"})):
            path.write_text(broken)
            assert kept.reached(installation.home, batches["rejected"]) == {"intake": None}
        made = site.write(installation.home, tmp_path / "pages").parent
        assert "intake what was kept of it cannot be read: sluicegate ledger verify matching not reached" in text(
            made / "batches" / f"{batches['rejected']}.html"
        )
        assert (made / "batches" / f"{batches['held']}-intake.html").exists()
        path.write_text(json.dumps({n: v for n, v in stored.items() if n != "figures"}))  # of an earlier version
        (older,) = kept.read(installation.home, batches["rejected"])
        assert older.figures == () and older.sentence.startswith("The batch is held at intake. Too large a share")
    finally:
        path.write_text(whole)


def test_a_batch_that_ends_while_the_site_is_written_is_shown_as_ended(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = runs.held(installation, installation.home.inbox / "ends", "E")
    page = Rows.page

    def ends(self: Rows, number: int) -> Any:
        """Between the look at its manifest and that at its rows, the batch is rejected."""
        monkeypatch.setattr(Rows, "page", page)
        sign(installation.home, name, Decision.REJECT, signatures.load(installation.home.keys / "operator-1"))
        assert runs.run(installation.home, name)[1] is State.REJECTED
        return page(self, number)

    monkeypatch.setattr(Rows, "page", ends)
    made = site.write(installation.home, tmp_path / "pages", name).parent
    assert {p.name for p in (made / "batches").iterdir()} == {f"{name}.html", f"{name}-intake.html"}
    assert f"{name} rejected" in text(made / "batches" / f"{name}.html")
    assert "What may be decided" not in text(made / "batches" / f"{name}-intake.html")


def result(check: str, code: str, ok: bool | None = False) -> Result:
    return Result(check, "facts", ok, 1, None if ok is None else 1, code, "law", "hold the batch")


SENTENCES = {
    "passed": (Status.PASS, [result("a.b", "NO_ZIP", ok=True)], (), "It passed matching: 1 checks on 1,000 rows."),
    "error": (
        Status.ERROR,
        [result("a.b", "NO_ZIP", ok=None)],
        (),
        "The batch is held at matching, which could not be judged: 1 of 1 checks were not evaluated.",
    ),
    "refused": (
        Status.REFUSE,
        [result("a.b", "UNKNOWN_AGREEMENT")],
        (),
        "The batch was refused at matching. The letter names no enrolled agreement.",
    ),
    "band": (
        Status.HOLD,
        [result(Measure.MATCHED, "MATCH_RATE")],
        (Figure(Measure.MATCHED, 0.25, 0.6, 0.95),),
        "The batch is held at matching. 25.0% of the rows looked up were matched against 60.0% to 95.0%.",
    ),
    "one code": (
        Status.HOLD,
        [result(Measure.INCOMPLETE_CODE, "TOO_MANY_INCOMPLETE")],
        (Figure(Measure.INCOMPLETE_CODE, 0.031, None, 0.02, "PLACEHOLDER"),),
        "The batch is held at matching. Incomplete addresses: 3.1% of the rows with PLACEHOLDER against 2.0%.",
    ),
}


@pytest.mark.parametrize(("status", "results", "figures", "said"), SENTENCES.values(), ids=SENTENCES)
def test_a_verdict_is_one_sentence(
    status: Status, results: list[Result], figures: tuple[Figure, ...], said: str
) -> None:
    evaluated = sum(one.ok is not None for one in results)
    assert sentence(Verdict("matching", status, len(results), evaluated, 1000, tuple(results)), figures) == said


def test_what_stands_in_a_page_or_a_picture_is_escaped() -> None:
    drawn = pages.bars({"<script>": 1_200, "none": 0, "later": None}, 'a "title"')
    assert "<script>" not in drawn and "&lt;script&gt;" in drawn and "1,200" in drawn
    assert drawn.count("<rect") == 3 and "not yet" in drawn and 'aria-label="a &#34;title&#34;"' in drawn
    with pytest.raises(Exception, match="undefined"):
        pages.page("queue.html")


def test_the_held_batch_is_still_held(installation: Installation, batches: dict[str, str]) -> None:
    """A look changes nothing."""
    with runs.ledger_of(installation.home) as ledger:
        assert ledger.known_batch(batches["held"]).state is State.HELD


@pytest.mark.parametrize("part", ["letter", "spreads"])
@pytest.mark.parametrize("broken", [7, "x", {}, [7], [{"spread": "codes"}], {"statute": []}])
def test_what_is_only_shown_hides_no_verdict_where_it_cannot_be_read(
    installation: Installation, batches: dict[str, str], tmp_path: Path, part: str, broken: Any
) -> None:
    stored = json.loads((installation.home.verdicts / batches["held"] / "intake.json").read_text())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "intake.json").write_text(json.dumps({**stored, part: broken}))
    found = kept.at(tmp_path, "b", Checkpoint.INTAKE)
    assert found is not None and found.failed and getattr(found, part) in (None, ())
