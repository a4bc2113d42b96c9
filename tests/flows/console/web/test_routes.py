"""Every route: what it needs, what its answers carry, and what is refused before it is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from expectations.base.errors import Fault, Transient
from flows.console import checkpoint, rows
from flows.console.web import routes, views
from flows.console.web.app import make
from flows.console.web.needs import ANYBODY, Route
from flows.console.web.rate import Rate
from flows.console.web.routes import ROUTES
from flows.console.web.shield import HEADERS, POLICY
from flows.ledger.roles import ACTS, Role
from tests.factories.consoles import ORIGIN, Browser

ORDER = "stay-2025-11-21-ddc"  # an order of every installation
LOOKBACK = "20260101T000000000000Z"  # none of this name
GETS = [route for route in ROUTES if route.method == "GET"]
POSTS = [route for route in ROUTES if route.method == "POST"]
SIGNED = [route for route in ROUTES if route.need.signed_in]
ENDS = ("/sign-out", "/me/end-all")  # the forms that end one's own session


def url(route: Route, batches: dict[str, str]) -> str:
    numbers = {"halt": 1, "proposal": 1, "number": 0}
    known = {"batch": batches["held"], "checkpoint": "intake", "name": "console.css", **numbers}
    recall = {"case": batches["case"], "document": "freeze_notice.md", "form": "copies.csv", "digest": "0" * 64}
    return route.path.format(**known, **recall, id=ORDER, proof="0" * 64, thing="0" * 64, lookback=LOOKBACK)


def ask(browser: Browser, route: Route, batches: dict[str, str], **fields: str) -> Any:
    path = url(route, batches)
    return browser.get(path) if route.method == "GET" else browser.post(path, fields)


def ids(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_every_route_of_the_app_is_in_the_table(app: FastAPI) -> None:
    routes.check(app)
    made = {(method, r.path) for r in app.routes for method in r.methods - {"HEAD"}}  # type: ignore[attr-defined]
    assert made == {(route.method, route.path) for route in ROUTES}


def test_a_route_without_a_need_is_not_made(app: FastAPI) -> None:
    with pytest.raises(TypeError, match="need"):
        Route("GET", "/more", views.waiting)  # type: ignore[call-arg]
    app.add_route("/more", lambda _request: Response(), methods=["GET"])
    with pytest.raises(Fault, match=r"ROUTE_WITHOUT_NEED.*more"):
        routes.check(app)


def test_a_table_whose_need_is_nothing_is_not_taken(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = Route("GET", "/more", views.waiting, None)  # type: ignore[arg-type]
    monkeypatch.setattr(routes, "ROUTES", (*ROUTES, spoilt))
    with pytest.raises(Fault, match="ROUTE_WITHOUT_NEED"):
        routes.add(FastAPI(), app.state.console)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/favicon.ico", "/batches", "/batches/", "/me/"])
def test_there_is_no_other_page(ada: Browser, path: str) -> None:
    answer = ada.get(path)
    assert answer.status_code == 404 and "There is no such page" in answer.text


def answers(browser: Browser, batches: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """One of each kind of answer."""
    for route in ROUTES:
        yield ids(route), ask(browser, route, batches)
    yield "404", browser.get("/nowhere")
    yield "405", browser.client.delete("/")
    yield "400", browser.client.post("/sign-in", content=b"{}", headers={"Content-Type": "application/json"})
    yield "413", browser.post("/sign-in", {"name": "x" * 70_000})
    yield "host", browser.get("/", headers={"Host": "evil.example"})


@pytest.mark.parametrize("signed_in", [False, True])
def test_every_answer_carries_the_headers(browser: Browser, batches: dict[str, str], signed_in: bool) -> None:
    for name, answer in answers(browser, batches):
        if signed_in and not browser.cookie:
            browser.sign_in()
        assert {k: answer.headers.get(k) for k in HEADERS} == dict(HEADERS), name
        static = "static" in name and answer.status_code == 200
        assert answer.headers["cache-control"] == ("max-age=600" if static else "no-store"), name
        assert "server" not in answer.headers and "strict-transport-security" not in answer.headers
    assert "unsafe" not in POLICY and "default-src 'none'" in POLICY


def test_no_page_holds_a_script_or_style_of_its_own(ada: Browser, batches: dict[str, str]) -> None:
    looked = 0
    for route in GETS:
        answer = ask(ada, route, batches)
        if answer.status_code == 200 and "html" in answer.headers["content-type"]:
            own = re.findall(r"<script(?! src=\"/static/)|<style| style=| on[a-z]+=|javascript:", answer.text)
            assert own == [] and re.findall(r"(?:src|href|action)=\"(?!/|#)[^\"]*\"", answer.text) == [], ids(route)
            looked += 1
    assert looked > len(GETS) / 2


def test_who_is_not_signed_in_is_sent_to_the_door(browser: Browser, batches: dict[str, str]) -> None:
    for route in SIGNED:
        answer = ask(browser, route, batches)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), ids(route)


def test_whose_roles_were_taken_is_refused_at_the_next_request_and_it_is_an_event(
    ada: Browser, batches: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, form = ada.console.ledger, ada.token()
    known = [replace(one, roles=()) for one in ledger.operators()]
    monkeypatch.setattr(ledger, "operators", lambda: known)
    object.__setattr__(ada.console, "readers", Rate(10_000, 1))
    said: list[dict[str, Any]] = []
    for route in (one for one in SIGNED if one.path not in ENDS):
        answer = ask(ada, route, batches, form=form)
        assert (answer.status_code == 403) is (route.need.act is not None), ids(route)
        ada.app.state.keeper.keep()
        denied = [e["facts"] for e in ledger.events() if e["kind"] == "denied"]
        if act := route.need.act:
            said.append({"by": "operator-1", "act": act.value, "count": 1})
        assert denied == said, ids(route)
    assert ledger.verify() == []


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_what_the_table_of_roles_says(
    ada: Browser, batches: dict[str, str], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ada.console.ledger
    known = [replace(one, roles=(role,)) for one in ledger.operators()]
    monkeypatch.setattr(ledger, "operators", lambda: known)
    for route in (r for r in GETS if r.need.act):
        answer = ask(ada, route, batches)
        assert (answer.status_code == 403) is (route.need.act not in ACTS[role]), ids(route)
        assert answer.status_code in (200, 403, 409), ids(route)  # 409: nothing is open to be decided
    assert role.replace("_", " ") in ada.get("/me").text


FORMS = ["", "x", "0" * 64, "é" * 64]


@pytest.mark.parametrize("route", [r for r in POSTS if r.need.signed_in], ids=ids)
def test_a_form_without_the_sessions_own_token_does_nothing(
    ada: Browser, batches: dict[str, str], route: Route
) -> None:
    ben = Browser(ada.app)
    ben.sign_in("operator-2")
    other = Browser(ada.app)
    other.sign_in()  # the same operator, another session
    for fields in [{}, *({"form": form} for form in [*FORMS, ben.token(), other.token(), ada.cookie])]:
        assert ask(ada, route, batches, **fields).status_code == 403
        assert ada.get("/me").status_code == 200
    assert ask(ada, route, batches, form=ada.token()).status_code != 403
    assert ada.get("/me").status_code == (303 if route.path in ENDS else 200)


ELSEWHERE: list[dict[str, str]] = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost:8766"},
    {"Origin": "https://localhost:8765"},
    {"Origin": "http://localhost:8765.evil.example"},
    {"Origin": "null"},
    {},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_a_form_from_elsewhere_does_nothing(ada: Browser, batches: dict[str, str], headers: dict[str, str]) -> None:
    fields = {"form": ada.token(), "name": "operator-2", "password": "correct horse battery staple"}
    before = ada.console.ledger.newest_change()
    for route in POSTS:
        answer = ada.client.post(url(route, batches), data=fields, headers=headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers, ids(route)
    assert ada.get("/me").status_code == 200 and ada.console.ledger.newest_change() == before


def test_a_form_of_an_older_browser_says_where_it_comes_from(browser: Browser) -> None:
    fields = {"name": "operator-1", "password": "correct horse battery staple"}
    answer = browser.client.post("/sign-in", data=fields, headers={"Origin": ORIGIN})
    assert answer.headers["location"] == "/sign-in/key"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:8766", "127.0.0.1:8765", "localhost:8765.evil.example", ""]
)
def test_another_host_name_is_not_answered(ada: Browser, host: str) -> None:
    answer = ada.get("/", headers={"Host": host})
    assert answer.status_code == 400 and "thing waits" not in answer.text


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"name=" + b"x" * 65_536, {}, 413),
        (b"name=a", {"Content-Length": "70000"}, 413),
        (b"name=a", {"Content-Length": "-1"}, 400),
        (b"name=a", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
        (b"name=a", {"Content-Type": "text/plain"}, 400),
        (b"name=\xff", {}, 400),
        (b"name=%ff", {}, 400),
        (b"&".join(b"a%d=b" % n for n in range(40)), {}, 400),
    ],
)
def test_a_body_that_no_form_of_ours_sends_is_not_read(
    browser: Browser, content: bytes, headers: dict[str, str], status: int
) -> None:
    usual = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    assert browser.client.post("/sign-in", content=content, headers=usual | headers).status_code == status


def test_a_body_that_does_not_say_how_long_it_is_is_read_so_far_and_no_further(browser: Browser) -> None:
    read = []

    def endless() -> Iterator[bytes]:
        for n in range(64):
            read.append(n)
            yield b"x" * 8192

    usual = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    assert browser.client.post("/sign-in", content=endless(), headers=usual).status_code == 413


def names(held: str) -> list[str]:
    return [
        "/batches/no-such-batch",
        f"/batches/{held}x",
        f"/batches/{held.upper()}",
        "/batches/%2e%2e",
        "/batches/..%2f..%2fledger.db",
        "/batches/%00",
        "/batches/%F0%9F%98%80",
        "/batches/<script>alert(1)</script>",
        "/batches/' OR 1=1 --",
        f"/batches/{held}/nowhere",
        f"/batches/{held}/matching",  # not reached
        f"/batches/{held}/%2e%2e%2fintake",
        f"/batches/{held}/INTAKE",
        f"/batches/{held}/outcomes",  # a file that lies beside the verdicts
        f"/batches/{held}/nowhere/rows.csv",
        f"/batches/{held}/matching/rows.csv",
        "/static/..%2f..%2fpages.py",
        "/static/console.html",
        "/static/%2fetc%2fpasswd",
        "/static/",
        "/recalls/c-0000000000000000",
        "/recalls/%2e%2e",
        "/recalls/..%2f..%2fkeys",
        "/recalls/c-0000000000000000/notified",
        "/recalls/c-0000000000000000/documents/freeze_notice.md",
        "/forms/none.csv",
        "/forms/..%2fforms.py",
    ]


def test_a_name_that_is_none_of_ours_has_no_page(ada: Browser, batches: dict[str, str]) -> None:
    for path in names(batches["held"]):
        answer = ada.get(f"{ORIGIN}{path}")
        assert answer.status_code in (303, 404), path
        assert answer.status_code == 404 or answer.headers["location"] == "/sign-in", path
        assert "alert(1)" not in answer.text and "/work" not in answer.text
    assert ada.get(f"/batches/{batches['published']}/intake/rows.csv").status_code == 404  # it has ended
    assert ada.get("/me").status_code == 200


def test_pages_lead_to_each_other_and_the_file_has_the_rows(ada: Browser, batches: dict[str, str]) -> None:
    held = batches["held"]
    assert f'href="/batches/{held}/intake"' in ada.get("/").text
    assert f'href="/batches/{held}/intake"' in ada.get(f"/batches/{held}").text
    page = ada.get(f"/batches/{held}/intake")
    assert f'href="/batches/{held}/intake/rows.csv"' in page.text and "Failed checks" in page.text
    file = ada.get(f"/batches/{held}/intake/rows.csv")
    assert file.headers["content-disposition"] == f'attachment; filename="{held}-intake-rows.csv"'
    assert file.text.splitlines()[0] == "code,number,file,row" and len(file.text.splitlines()) >= 5
    assert file.headers["content-type"].startswith("text/csv")
    for which in ("intake", "matching", "eligibility", "disclosure"):
        assert ada.get(f"/batches/{batches['published']}/{which}").status_code == 200


def test_pages_of_rows_hold_each_row_once(
    ada: Browser, batches: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = f"/batches/{batches['held']}/intake"
    everything = [line.split(",") for line in ada.get(f"{held}/rows.csv").text.splitlines()[1:]]
    for module in (rows, checkpoint):
        monkeypatch.setattr(module, "PAGE", 3)
    last = -(-len(everything) // 3)
    assert last > 1
    found = []
    for number in range(1, last + 1):
        page = ada.get(held, params={"page": number}).text
        assert f"Page {number} of {last}" in page
        assert (f'href="{held}?page={number + 1}#rows"' in page) is (number < last)
        assert (f'href="{held}?page={number - 1}#rows"' in page) is (number > 1)
        found += re.findall(r"#(\d+)</a></th><td>(\w+)</td>", page)
    assert [(number, code) for code, number, _, _ in everything] == found
    for wrong in ("0", "-1", str(last + 1), "1.5", "x", "\u0661", "9" * 9, ""):
        assert ada.get(held, params={"page": wrong}).status_code == 404, wrong


def test_looks_are_counted_by_page_and_batch(ada: Browser, batches: dict[str, str]) -> None:
    held = batches["held"]
    for path in ("/", "/", f"/batches/{held}", f"/batches/{held}/intake", f"/batches/{held}/intake/rows.csv"):
        assert ada.get(path).status_code == 200
    ada.get("/batches/none")
    ledger = ada.console.ledger
    before = ledger.events(held)
    ada.app.state.keeper.keep()
    looked = [e["facts"] for e in ledger.events() if e["kind"] == "pages"]
    assert sorted((e["page"], e.get("batch"), e["count"]) for e in looked) == [
        ("batch", held, 1),
        ("checkpoint", held, 1),
        ("queue", None, 2),
        ("rows", held, 1),
    ]
    assert ledger.events(held) == before and ledger.verify() == []


def test_no_page_waits_for_a_publication(ada: Browser, batches: dict[str, str]) -> None:
    """Which holds the ledger's lock for a minute, on SQLite that of its file."""
    with ada.console.ledger.transaction(), ThreadPoolExecutor(1) as elsewhere:
        for route in GETS:
            answer = elsewhere.submit(ask, ada, route, batches).result(timeout=20)
            assert answer.status_code in (200, 303, 409, 410), ids(route)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("Zebulon Quartermain"), 500, "ValueError"),
        (Fault("LEDGER_BROKEN", "Zebulon Quartermain"), 500, "LEDGER_BROKEN"),
        (Transient("LEDGER_BUSY", "Zebulon Quartermain"), 503, ""),
    ],
)
def test_a_fault_shows_a_number_and_logs_its_type_and_nothing_that_it_says(
    ada: Browser,
    error: Exception,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(views.queue, "queue", fails)
    answer = ada.get("/")
    logged = "".join(capfd.readouterr())
    assert answer.status_code == status and "Zebulon" not in answer.text + logged
    assert "Traceback" not in answer.text + logged and ".py" not in answer.text + logged
    number = re.search(r"<code>([0-9a-f]{8})</code>", answer.text)
    assert logged == (f"console: fault {number.group(1)}: {said}\n" if number else "")
    assert (number is not None) is (status == 500)


def test_a_fault_before_any_route_is_a_plain_page_as_well(browser: Browser, capfd: pytest.CaptureFixture[str]) -> None:
    async def fails(_request: Request, _error: Exception) -> Response:
        raise RuntimeError("Zebulon")

    browser.app.add_exception_handler(HTTPException, fails)
    answer = browser.get("/nowhere")
    assert answer.status_code == 500 and "Number" in answer.text and answer.headers["content-security-policy"] == POLICY
    logged = "".join(capfd.readouterr())
    assert "RuntimeError" in logged and "Zebulon" not in logged + answer.text


def test_a_template_that_lacks_a_name_shows_nothing_of_it(
    ada: Browser, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(views.queue, "queue", lambda *_, **__: {"now": None, "waiting": []})
    answer = ada.get("/")
    assert answer.status_code == 500 and "undefined" not in answer.text
    assert "UndefinedError" in capfd.readouterr().err


def test_nobody_else_is_told_of_requests(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI would send what exceptions say, and what was asked, to whatever a variable names."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setattr("fastapi.telemetry._asgi._unconfigured", lambda _provider: False)
    said = make(app.state.console.home)
    assert FastAPI()._native_telemetry.enabled() and not said._native_telemetry.enabled()
    assert FastAPI()._telemetry["auto_configure"] and not said._telemetry["auto_configure"]
    said.state.console.ledger.close()


def test_the_door_needs_nobody(app: FastAPI) -> None:
    assert {ids(r) for r in ROUTES if r.need == ANYBODY} == {
        "GET /sign-in",
        "POST /sign-in",
        "POST /sign-in/passkey",
        "GET /sign-in/oidc",
        "POST /sign-in/oidc",
        "GET /sign-in/oidc/back",
        "GET /invitation",
        "POST /invitation",
        "GET /static/{name}",
        "GET /passkey",
        "POST /passkey",
    }


def test_a_double_click_is_one_halt(ada: Browser) -> None:
    form = ada.token()
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: ada.post("/halt", {"form": form, "reason": "suspected_fault"}), range(2)))
    assert [a.headers["location"] for a in answers] == ["/", "/"]
    assert [h.operator for h in ada.console.ledger.halts()] == ["operator-1"]
    ada.post("/halt", {"form": form, "reason": "court_or_counsel"})
    assert len(ada.console.ledger.halts()) == 2
