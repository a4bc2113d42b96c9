"""The page of a row: what it says, that it holds no value, and that values are shown once, to who may see them and says
why, after the look was recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expectations.base.duck import session
from expectations.contracts.request import RAW_NAMES
from flows.cli import main
from flows.evidence.store import evidence_file
from flows.ledger import Ledger
from flows.ledger.facts import View
from flows.ledger.looks import LookReason, Why
from flows.ledger.roles import Role
from flows.replay.explain import explain
from flows.replay.opened import one_row
from flows.replay.values import Look
from pipelines.release.judged import NAME
from tests.factories import consoles, installations, runs
from tests.factories.consoles import Browser
from tests.factories.installations import SPOILED, Installation
from tests.factories.past import waved_through
from tests.flows.batch.test_persons import listed

GOOD = 6  # rows of the mixed batch that leave; then one for each way of spoiling, then these
NO_ID, PROTECTED = GOOD + len(SPOILED), GOOD + len(SPOILED) + 1
ROWS = PROTECTED + 1


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home with a batch whose rows ended in every way, one that is held, and one that was rejected."""
    made = installations.make(tmp_path_factory.mktemp("rows") / "home")
    rows = [*installations.mixed(GOOD), installations.request(60, request_id=""), installations.request(61)]
    with installations.at_home(made.home), listed(made, (61, "protected")):
        with waved_through():
            runs.run(made.home, made.submit(made.home.inbox / "mixed", rows))
        runs.held(made, made.home.inbox / "held")
        runs.rejected(made, made.home.inbox / "rejected")
    consoles.passwords_in(made.home)
    return made


@pytest.fixture(scope="module")
def batches(installation: Installation) -> dict[str, str]:
    with runs.ledger_of(installation.home) as ledger:
        found = {record.state.value: record.name for record in ledger.batches()}
    assert found.keys() == {"published", "held", "rejected"}
    return found


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)).replace(" .", ".")


def form(browser: Browser, place: str, **changes: str) -> dict[str, str]:
    """The form of a row's page, filled in."""
    found = re.search(r'name="nonce" value="([^"]+)"', browser.get(place).text)
    assert found
    return {"form": browser.token(), "nonce": found.group(1), "reason": "match_check", **changes}


def looks(browser: Browser) -> list[dict[str, Any]]:
    return [one["facts"] for one in browser.console.ledger.events() if one["kind"].startswith("view")]


def as_role(browser: Browser, role: Role, patch: pytest.MonkeyPatch) -> None:
    known = [replace(one, roles=(role,)) for one in browser.console.ledger.operators()]
    patch.setattr(browser.console.ledger, "operators", lambda: known)


def test_each_end_of_a_row_is_said_with_its_reason_first(ada: Browser, batches: dict[str, str]) -> None:
    place = f"/batches/{batches['published']}/rows"
    page = text(ada.get(f"{place}/0"))
    assert "It left, in the batch's package" in page.replace("&#39;", "'") and "It left at 20" in page
    assert "Nothing stands against this row." in page and "one candidate, tier A" in page and "in the package" in page
    for number, (_, outcome, code) in enumerate(SPOILED.values(), GOOD):
        page = text(ada.get(f"{place}/{number}"))
        assert f"It did not leave: {outcome}." in page, number
        assert "It left at" not in page and "not in a package" in page
        assert page.index(code or "NO_CANDIDATE") < page.index("rules that it met") < page.index("The match")
    page = text(ada.get(f"{place}/{NO_ID}"))
    assert "It did not leave: rejected." in page and "NO_REQUEST_ID" in page and "0 rules that it met" in page
    assert "It could not be read" in page and "nothing of it was kept" in page and "Show what was asked" not in page


def test_a_held_row_says_what_the_requester_can_do_and_one_of_a_rejected_batch_that_it_was(
    ada: Browser, batches: dict[str, str]
) -> None:
    page = text(ada.get(f"/batches/{batches['held']}/rows/1"))
    assert "It has not left: the batch is held." in page and "PLACEHOLDER address.placeholder" in page
    assert "the requester: Give the person" in page and "intake HOLD goes no further: held" in page
    assert "It was not looked up in the register." in page
    page = text(ada.get(f"/batches/{batches['rejected']}/rows/1"))
    assert "It did not leave: the batch is rejected." in page and "PLACEHOLDER address.placeholder" in page
    assert "TOO_MANY_INCOMPLETE" in page and "operators, on the batch" in page


def test_who_is_protected_reads_like_who_is_not_on_file(ada: Browser, batches: dict[str, str]) -> None:
    place = f"/batches/{batches['published']}/rows"
    secret, nobody = (text(ada.get(f"{place}/{n}")) for n in (PROTECTED, GOOD + list(SPOILED).index("unknown person")))
    assert "PROTECTED" not in secret and "protected" not in secret
    assert secret.replace(f"#{PROTECTED}", "#").replace(f" {PROTECTED} ", " ") == nobody.replace(
        f"#{NO_ID - 2}", "#"
    ).replace(f" {NO_ID - 2} ", " ")


def test_the_command_says_of_both_the_same_too(
    batches: dict[str, str], installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether what was asked is shown beside it or not, to a reader or to a program."""
    home, which = runs.copy(installation.home, tmp_path / "home"), GOOD + list(SPOILED).index("unknown person")

    def told(row: int, *more: Look) -> dict[str, Any]:
        return explain(home, home.clock(), batches["published"], row, *more)

    look = Look("operator-1", View.VALUES, Why.of(LookReason.COMPLAINT, None))
    assert told(PROTECTED) == told(which) and told(which)["outcome"] == "unmatched"
    secret, nobody = ({k: v for k, v in told(n, look).items() if k != "values"} for n in (PROTECTED, which))
    assert secret == nobody
    with (
        runs.ledger_of(home) as ledger,
        one_row(home, ledger, batches["published"], PROTECTED) as relation,
        session(home.duck) as connection,
    ):
        assert connection.execute(f"SELECT verdict.codes FROM {relation}").fetchall() == [(["PROTECTED"],)]
    for options in ([], ["--json"]):
        shown = []
        for row in (PROTECTED, which):
            with installations.at_home(home):
                assert main.run(["explain", batches["published"], str(row), *options]) == 0
            shown.append(capsys.readouterr().out.replace(f"#{row}:", "#:"))
        assert shown[0] == shown[1] and "rules" in shown[0].lower() and "rotected" not in shown[0].lower()


def test_the_page_and_the_command_name_the_same_rules(
    ada: Browser, batches: dict[str, str], installation: Installation
) -> None:
    for batch, count in ((batches["published"], ROWS - 2), (batches["held"], 4)):
        for number in range(count):
            told = explain(installation.home, installation.home.clock(), batch, number)
            page = ada.get(f"/batches/{batch}/rows/{number}").text
            met = re.findall(r"<li>([a-z0-9_]+\.[a-z0-9_]+)</li>", page)
            failed = [f"<td>{one['rule']}</td>" in page for one in told["rules"] if one["verdict"] == "failed"]
            assert met == [one["rule"] for one in told["rules"] if one["verdict"] == "met"], number
            assert all(failed), number


@pytest.mark.parametrize("role", Role)
def test_no_page_holds_a_value_before_somebody_asks(
    ada: Browser, batches: dict[str, str], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_role(ada, role, monkeypatch)
    for number in (0, GOOD, PROTECTED):
        page = text(ada.get(f"/batches/{batches['published']}/rows/{number}"))
        asked = installations.request(number + 1)
        assert not [name for name in ("last_name", "street", "tin", "birth_date") if str(asked[name]) in page]
    assert ("Show what was asked" in page) is (role not in (Role.VIEWER, Role.INSTRUMENT_KEEPER))
    assert ("what the register has" in page) is (role is Role.AUDITOR)
    assert looks(ada) == []


def test_values_are_shown_once_and_recorded_before(
    ada: Browser, batches: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for state, number in (("published", 2), ("held", 2)):
        place = f"/batches/{batches[state]}/rows/{number}"
        sent = form(ada, place, reference="DSR-2026-17")
        seen = len(looks(ada))
        shown = ada.post(place, sent)
        assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
        page = text(shown)
        asked = installations.request(3)
        assert str(asked["last_name"]) in page and str(asked["birth_date"]) in page
        assert all(name in page for name in RAW_NAMES) and "What the register has" not in page
        said = {"ordinal": number, "what": "values", "who": "operator-1"}
        assert looks(ada)[seen:] == [{**said, "reason": "match_check", "reference": "DSR-2026-17"}]
        again = ada.post(place, sent)  # a reload, or the way back
        assert (again.status_code, again.headers["location"]) == (303, f"{place}?again=1")
        assert "Nothing was shown" in text(ada.get(f"{place}?again=1")) and len(looks(ada)) == seen + 1
        assert ada.get(f"{place}/register").status_code == 405
    # what cannot be recorded is not shown
    sent = form(ada, place)
    monkeypatch.setattr(ada.console.ledger, "append", lambda *_a, **_k: (_ for _ in ()).throw(OSError()))
    failed = ada.post(place, sent)
    assert failed.status_code == 500 and str(asked["last_name"]) not in failed.text


def test_what_the_register_has_is_shown_to_who_may_see_both(ada: Browser, batches: dict[str, str]) -> None:
    place = f"/batches/{batches['published']}/rows/{GOOD + list(SPOILED).index('another address')}"
    page = text(ada.post(f"{place}/register", form(ada, place)))
    assert "9 Quagmire Ave" in page and "What the register has" in page and "record_id" in page
    assert page.count("Addresses on file") == 1 and looks(ada)[-1]["what"] == "register"
    lost = f"/batches/{batches['published']}/rows/{GOOD + list(SPOILED).index('unknown person')}"
    assert "No one record was found" in text(ada.post(f"{lost}/register", form(ada, lost)))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": ""}, 400),
        ({"reason": "not_valid"}, 400),  # of a decision
        ({"reason": "curious"}, 400),
        ({"reference": "Abernathy"}, 422),
        ({"reference": "612-83-4907"}, 422),
        ({"nonce": ""}, 303),
        ({"nonce": "é"}, 303),
        ({"nonce": "A" * 43}, 303),
    ],
)
def test_what_no_form_of_ours_asks_shows_nothing(
    ada: Browser, batches: dict[str, str], fields: dict[str, str], status: int
) -> None:
    place = f"/batches/{batches['held']}/rows/2"
    answer = ada.post(place, form(ada, place, **fields))
    assert answer.status_code == status and looks(ada) == []
    assert str(installations.request(3)["last_name"]) not in answer.text
    assert not fields.get("reference") or fields["reference"] not in answer.text


def test_so_many_in_an_hour_and_no_more(ada: Browser, batches: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    config = ada.console.home.config.model_copy(update={"views_per_hour": 2})
    object.__setattr__(ada.console.home, "config", config)
    place = f"/batches/{batches['held']}/rows/2"
    assert [ada.post(place, form(ada, place)).status_code for _ in range(3)] == [200, 200, 409]
    assert looks(ada)[-1] == {"what": "values", "who": "operator-1"}
    page = text(ada.get("/views"))
    assert "refused: too many within the hour" in page and f"{batches['held']}#2" in page
    assert "to check whether a match" in page
    assert "Values were looked at 2 times in the last 7 days, by 1 operator" in text(ada.get("/"))
    as_role(ada, Role.OPERATOR, monkeypatch)
    assert ada.get("/views").status_code == 403 and "Values were looked at" not in text(ada.get("/"))


NONE = [
    "22",
    "99999999999999999",
    "9" * 400,
    "-1",
    "+1",
    "01",
    "1.0",
    "1e0",
    "٣",
    "%D9%A3",
    "0x1",
    "1%20",
    "%00",
    "x",
    "²",
]


@pytest.mark.parametrize("number", NONE)
def test_a_number_that_no_row_has_has_no_page(ada: Browser, batches: dict[str, str], number: str) -> None:
    for batch in batches.values():
        assert ada.get(f"/batches/{batch}/rows/{number}").status_code == 404, number
        found = ada.get(f"/batches/{batch}/rows?number={number}")
        assert found.status_code == 200 or number in ("01", "+1", "1%20"), number
        posted = ada.post(f"/batches/{batch}/rows/{number}", {"form": ada.token(), "reason": "complaint", "nonce": ""})
        assert posted.status_code in (303, 404)
    assert looks(ada) == []


def test_one_goes_from_a_batch_and_from_a_checkpoint_to_a_row(ada: Browser, batches: dict[str, str]) -> None:
    held = batches["held"]
    assert f'action="/batches/{held}/rows"' in ada.get(f"/batches/{held}").text
    assert f'href="/batches/{held}/rows/3"' in ada.get(f"/batches/{held}/intake").text
    found = ada.get(f"/batches/{held}/rows?number=3")
    assert (found.status_code, found.headers["location"]) == (303, f"/batches/{held}/rows/3")
    assert "There is no row with that number: they go from 0 to 3." in text(ada.get(f"/batches/{held}/rows?number=4"))
    ada.app.state.keeper.keep()
    pages = [e["facts"]["page"] for e in ada.console.ledger.events() if e["kind"] == "pages"]
    assert "batch" in pages and "checkpoint" in pages


def test_what_is_gone_is_said(ada: Browser, batches: dict[str, str], workers: Ledger) -> None:
    home, name = ada.console.home, batches["published"]
    place = f"/batches/{name}/rows/0"
    sent = form(ada, place)
    evidence_file(home, name, NAME).unlink()
    page = text(ada.get(place))
    assert "an older version ended this batch" in page.lower() and "See sluicegate explain." in page
    workers.begin_shredding(name, None, lambda _: [])
    page = text(ada.get(place))
    assert "The key of this evidence was destroyed" in page and "Show what was asked" not in page
    answer = ada.post(place, sent)
    assert answer.status_code == 409 and "was destroyed" in text(answer) and looks(ada) == []


def test_what_is_kept_of_each_row_holds_no_value(installation: Installation, tmp_path: Path) -> None:
    """Only what the page shows: numbers, codes, words of closed lists."""
    from flows.evidence import keys
    from pipelines import sealing

    with runs.ledger_of(installation.home) as ledger:
        (name,) = (one.name for one in ledger.batches() if one.state == "published")
    sealing.open_file(
        evidence_file(installation.home, name, NAME), tmp_path / NAME, keys.identity(installation.home, name)
    )
    plain = (tmp_path / NAME).read_bytes()
    for n in range(1, ROWS):
        asked = installations.request(n)
        assert not [one for one in ("last_name", "street", "tin", "request_id") if str(asked[one]).encode() in plain]
    with session() as connection:
        rows = connection.execute(f"SELECT ordinal FROM '{tmp_path / NAME}'").fetchall()
    assert [n for (n,) in rows] == list(range(ROWS))


def test_every_reason_is_offered(ada: Browser, batches: dict[str, str]) -> None:
    page = ada.get(f"/batches/{batches['held']}/rows/0").text
    assert re.findall(r'name="reason" value="([a-z_]+)"', page) == [one.value for one in LookReason]
