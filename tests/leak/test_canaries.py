"""No value of a row, in clear, anywhere but where rows may lie: canary values in every field, then a search of
everything that the system writes or prints (infra/docs/invariants.md, 6)."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from expectations.contracts.register import REGISTER_PERSON
from expectations.contracts.request import RAW_NAMES
from flows.cases import Step
from flows.cli import main
from flows.console.web.app import make
from flows.home.tree import open_home
from flows.ledger.case_records import CaseRecord
from flows.ledger.lifecycles.states import Checkpoint
from flows.ledger.proposed import Asked, Proposed
from flows.operations.telemetry import meter_provider
from flows.sandbox.home import REQUESTER_AGE
from flows.schedule.metrics import Looks
from pipelines import sealing
from tests.factories import consoles, installations, observed, recalls, submissions
from tests.factories.receiver import Receiver, receiver
from tests.test_readme import OURS, ROOT

CANARY = "quxzaz"  # in no word of any language or library
DIGITS = ("612834907", "612-83-4907", "48613")  # a TIN and a house number
# Where rows may lie in clear: the register, submissions not yet taken in, and batches in flight.
IN_CLEAR = ("register", "inbox", "lake")


def spoilt(number: int) -> dict[str, str]:
    """A row with a canary in every field, most of which then cannot be read."""
    return {name: f"{CANARY} {name} {number} {DIGITS[1]}" for name in RAW_NAMES if name not in ("full_name", "address")}


def good(n: int) -> dict[str, str | None]:
    """A row that is released, with canaries where it can have them."""
    return installations.request(
        n,
        request_id=f"{CANARY}-id-{n}",
        first_name=f"{CANARY}a",
        tin=None,
        case_number=f"{CANARY}-case-{n}",
        reason=f"{CANARY} because of matter {n} of {DIGITS[1]}",
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leak")


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    """Who gets traces and lineage."""
    with receiver() as got:
        yield got


@pytest.fixture(scope="module")
def printed(place: Path, listening: Receiver) -> Iterator[bytes]:
    """Everything printed by a nightly run over batches that end in every way, then by the commands that look at
    them."""
    installation = installations.make(place / "home")
    with (place / "home" / "sluicegate.toml").open("a") as settings:
        settings.write(f'[telemetry]\notlp = "{listening.url}"\n[lineage]\nurl = "{listening.url}"\n')
    _rename_persons(installation.home.register / "persons" / "part-0000.parquet")
    inbox, under = installation.home.inbox, installation.agreement
    installation.submit(
        inbox / "released",
        [good(n) for n in range(1, 21)] + [spoilt(1), installations.request(79, tin=None, birth_date=None)],
    )
    installation.submit(inbox / "held", [good(n) for n in range(21, 30)] + [spoilt(n) for n in range(10)])
    installation.submit(inbox / "refused", [good(30), spoilt(2)], installations.agreement(installation, "irs-ice-2025"))
    _raw(installation, inbox / "unknown-column", f"request_id,{CANARY}_column\n1,{CANARY}\n".encode())
    _raw(installation, inbox / "ragged", f"request_id,last_name\n{CANARY},a,b,c\n".encode())
    _raw(
        installation,
        inbox / "encoding",
        submissions.encode([good(32)]).replace(CANARY.encode(), CANARY.encode() + b"\xff"),
    )
    _raw(installation, inbox / "not-parquet", f"PAR1 {CANARY} PAR1".encode(), "parquet")
    letter = installation.submit(inbox / "letter", [good(33)], purpose=under.purposes[0])
    (letter / "letter.toml").write_text(f'requester = ["{CANARY}"\n')
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PREFECT_") and k not in OURS},
        "SLUICEGATE_HOME": str(installation.home.root),
        "TMPDIR": str(place / "tmp"),
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_SERVER_LOGGING_LEVEL": "DEBUG",
    }
    (place / "tmp").mkdir()
    said = _printed(environment, [["nightly"]])
    yield said + _printed(environment, _looks(place)) + _recall(place, environment)


def _looks(place: Path) -> list[list[str]]:
    """Commands that look at what the nightly run did."""
    return [
        ["config"],
        [*("review", "call", _held(place), "--key", str(place / "home" / "keys" / "operator-1")), *_CALL],
        [*("review", "snooze", _held(place), "--key", str(place / "home" / "keys" / "operator-1")), *_NOTE],
        ["status"],
        ["review", "list"],
        ["docs", "--out", str(place / "docs")],
        ["ledger", "sign-head"],
        ["ledger", "export", "--out", str(place / "chain.jsonl")],
        ["ledger", "verify", "--deep"],
        ["ledger", "verify", "--export", str(place / "chain.jsonl")],
        ["lookback"],
        ["backup", "--out", str(place / "backups"), "--to", sealing.new_identity().recipient],
        ["restored", "show"],
        ["replay", _published(place), "--as-of", "2040-01-01", "--out", str(place / "replayed.csv")],
    ]


def _printed(environment: dict[str, str], commands: list[list[str]], cwd: Path | None = None) -> bytes:
    """What these commands print, one after the other in one process; the last line has their exit codes."""
    program = "import sys, json; from flows.cli import main; print(*[main.run(c) for c in json.loads(sys.argv[1])])"
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(commands)],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=280,
        check=False,
    )
    return done.stderr + done.stdout


def _recall(place: Path, environment: dict[str, str]) -> bytes:
    """A recall of what was released, with canaries in all that the recipient hands back, in one process."""
    released = sqlite3.connect(place / "home" / "ledger.db").execute(
        "SELECT name FROM batches WHERE state = 'published'"
    )
    (batch,) = released.fetchone()
    handed = place / "home" / "inbox"
    (handed / "receipts").write_text(f"received by {CANARY}")
    (handed / "copies").write_bytes(recalls.COPIES.replace(b"case system", f"{CANARY} {DIGITS[1]}".encode()))
    (handed / "log").write_bytes(recalls.log("db-1").replace(b"C. Custodian", CANARY.encode()))
    (handed / "torn").write_bytes(recalls.log("package-1").replace(b"purge", CANARY.encode()))
    (handed / "ordinals").write_text(f"{CANARY}\n")
    done = subprocess.run(
        [sys.executable, "-c", _RECALL, batch, str(handed), str(place / "home" / "keys" / "operator-1")],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done.stdout + done.stderr


_RECALL = """
import sys, json, io, contextlib
from pathlib import Path
from flows.cli import main
batch, handed, key = sys.argv[1:]
opening = ["recall", "open", "--batch", batch, "--reason", "lookback", "--operator", "operator-1"]
out = io.StringIO()
assert main.run([*opening, "--rows", handed + "/ordinals"]) == 5
with contextlib.redirect_stdout(out):
    assert main.run([*opening, "--all", "--json"]) == 0
print(out.getvalue())
case = json.loads(out.getvalue())[0]["case"]
steps = [("notified", "receipts", 0), ("copies", "log", 5), ("copies", "copies", 0), ("disposed", "torn", 5),
  ("disposed", "log", 0)]
for step, file, code in steps:
    assert main.run(["recall", "advance", case, step, "--file", handed + "/" + file, "--key", key]) == code, step
for command in (["list"], ["show", case], ["show", case, "--json"], ["documents", case]):
    assert main.run(["recall", *command]) == 0
assert main.run(["keys", "reseal", "--all", "--operator", "operator-1"]) == 0
assert main.run(["ledger", "verify"]) == 0
"""


_CALL = ("--reason", "law_unclear", "--note", f"{CANARY} asks for {DIGITS[1]}")
_NOTE = ("--reason", "planned", "--note", f"{CANARY} wrote of {DIGITS[1]}")


def _held(place: Path) -> str:
    query = "SELECT name FROM batches WHERE state = 'held' AND checkpoint IS NOT NULL"
    return str(sqlite3.connect(place / "home" / "ledger.db").execute(query).fetchone()[0])


def _published(place: Path) -> str:
    query = "SELECT name FROM batches WHERE state = 'published'"
    return str(sqlite3.connect(place / "home" / "ledger.db").execute(query).fetchone()[0])


def _rename_persons(path: Path) -> None:
    table = pq.read_table(path).to_pylist()
    pq.write_table(
        pa.Table.from_pylist([{**r, "first_name": f"{CANARY}a"} for r in table], schema=REGISTER_PERSON), path
    )


def _raw(installation: installations.Installation, folder: Path, data: bytes, kind: str = "csv") -> None:
    from expectations.base import signatures
    from expectations.base.clock import Clock
    from flows.sandbox.home import REQUESTER_SIGNING

    key = signatures.load(installation.home.keys / REQUESTER_SIGNING)
    file = submissions.DataFile(f"requests.{kind}", data, 1, kind)
    submissions.write_files(
        folder, [file], key, installation.agreement, date=Clock().today(installation.agreement.zone)
    )


def leaks(data: bytes) -> list[str]:
    lower = data.lower()
    return [c for c in (CANARY, *DIGITS[:2]) if c.encode() in lower or c.encode("utf-16-le") in lower]


def test_the_run_did_what_the_search_needs(place: Path, printed: bytes) -> None:
    ledger = sqlite3.connect(place / "home" / "ledger.db")
    states = sorted(row[0] for row in ledger.execute("SELECT state FROM batches"))
    assert states.count("unreadable") >= 3, printed.decode()[-4000:]
    assert {"published", "held", "refused"} <= set(states), printed.decode()[-4000:]
    kinds = [row[0] for row in ledger.execute("SELECT kind FROM events")]
    assert kinds.count("accounted") >= 2 and kinds.count("resealed") >= 3
    assert list((place / "home" / "checkpoints").glob("*.json")) and (place / "chain.jsonl").stat().st_size > 1000
    assert printed.decode().count("0 problems;") == 3, printed.decode()[-4000:]
    assert len((place / "replayed.csv").read_text().splitlines()) > 20 and list((place / "home" / "lookback").iterdir())
    assert [p.stat().st_size > 10_000 for p in (place / "backups").iterdir()] == [True]
    prefect = sqlite3.connect(place / "home" / "prefect" / "prefect.db")
    assert len(list((place / "home" / "recalls").rglob("*"))) > 8  # documents, and sealed proofs
    assert prefect.execute("SELECT count(*) FROM task_run").fetchone()[0] > 10


def test_nothing_printed_holds_a_value(printed: bytes) -> None:
    assert leaks(printed) == []


def test_traces_and_lineage_and_what_is_measured_hold_no_value(
    place: Path, printed: bytes, listening: Receiver
) -> None:
    spans, events = observed.spans(listening), observed.lineage(listening)
    states = {observed.attributes(span).get("sluicegate.state") for span in spans if span.name == "batch"}
    assert {"published", "held", "refused", "unreadable"} <= states
    assert {(one["job"]["name"], one["eventType"]) for one in events} >= {
        ("batch", "COMPLETE"),
        ("batch.intake", "FAIL"),
    }
    assert [leaks(body) for _, body in listening.raw if leaks(body)] == []
    looks, registry = Looks(open_home(place / "home")), CollectorRegistry()
    provider = meter_provider(looks.home, looks.look, registry)
    shown = generate_latest(registry)
    provider.shutdown(1_000)
    assert b"sluicegate_readable 1.0" in shown and b'sluicegate_waiting{kind="held"} 1.0' in shown
    assert leaks(shown) == [] and [leaks(body) for _, body in listening.raw if leaks(body)] == []
    assert len(observed.metrics(listening)) > 20


def test_no_file_outside_the_register_and_batches_in_flight_holds_a_value(place: Path, printed: bytes) -> None:
    found = {}
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place).parts
        if inside[0] == "home" and len(inside) > 1 and inside[1] in IN_CLEAR:
            continue
        assert leaks(str(path.name).encode()) == [], "a file name"
        if path.is_file() and (hit := leaks(path.read_bytes())):
            found[str(path.relative_to(place))] = hit
    assert found == {}


def test_no_page_of_the_console_holds_a_value(place: Path, printed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page of every batch, as somebody sees them whose roles allow all."""
    consoles.quick(monkeypatch)
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    browser = consoles.Browser(make(open_home(place / "home")))
    consoles.password_for(browser.console, "operator-1")
    browser.sign_in()
    ledger = browser.console.ledger
    number = ledger.propose(Proposed.REVOKE_OPERATOR, "operator-2", Asked().body, "operator-1")
    mine = ("/", "/me", "/instruments", "/enrol", "/operators", "/operators/propose/enrol", "/passkey")
    shown = {path: browser.get(path) for path in (*mine, "/proposals", f"/proposals/{number}")}
    shown |= {path: browser.get(path) for path in (f"/instruments/{id}" for id, _, _ in ledger.instruments())}
    shown |= {"/views": browser.get("/views")}
    for name in (record.name for record in ledger.batches()):
        for which in ("", *(f"/{one}{end}" for one in Checkpoint for end in ("", "/rows.csv"))):
            shown[f"/batches/{name}{which}"] = browser.get(f"/batches/{name}{which}")
        for which in ("rows", *(f"rows/{number}" for number in (0, 10, 19, 20))):
            shown[f"/batches/{name}/{which}"] = browser.get(f"/batches/{name}/{which}")
    shown |= _pages_of_a_recall(browser, *ledger.cases())
    written = browser.post(f"/batches/{_held(place)}/reasons", {"form": browser.token()})  # by right and on demand
    assert leaks(written.content) == [CANARY, DIGITS[1]]
    looks = [event["facts"] for event in ledger.events(_held(place)) if event["kind"] == "view"]
    assert [(look["what"], look["who"]) for look in looks] == [("notes", "operator-1")]
    ledger.close()
    assert [path for path, answer in shown.items() if answer.status_code == 500] == []
    good = {path for path, answer in shown.items() if answer.status_code == 200}
    assert {answer.status_code for answer in shown.values()} == {200, 404, 303, 409, 422}
    assert len(good) > 10 and sum(path.endswith("rows.csv") for path in good) == 1
    assert {path: leaks(answer.content + str(answer.headers).encode()) for path, answer in shown.items()} == {
        path: [] for path in shown
    }


def test_of_an_upload_nothing_is_kept_or_said_but_its_digest(
    place: Path, printed: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither what it holds nor what it was called: in no answer, file, file's name, event or log."""
    consoles.quick(monkeypatch)
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    browser = consoles.Browser(make(open_home(place / "home")))
    consoles.password_for(browser.console, "operator-1")
    browser.sign_in()
    order, held = "stay-2025-11-21-ddc", f"{CANARY} {DIGITS[1]}".encode()
    bodies = (
        held,
        b'title = "' + held + b'"',
        b'kind = "' + held + b'"',
        b'kind = "court_order"\nid = "' + held + b'"',
    )
    answers = [browser.upload("/enrol", body, name=f"{CANARY}.toml") for body in bodies]
    answers += [browser.upload("/enrol", None, text=body.decode()) for body in bodies]
    answers.append(browser.upload(f"/instruments/{order}/compliance", held * 200_000, name=f"{CANARY}.pdf"))
    answers.append(browser.get(answers[-1].headers["location"]))
    events = "".join(link.facts for link in browser.console.ledger.links()).encode()
    browser.console.ledger.close()
    assert [answer.status_code for answer in answers] == [422] * 8 + [303, 200]
    said = [answer.content + str(answer.headers).encode() for answer in answers]
    assert [leaks(one) for one in [*said, events, "".join(capfd.readouterr()).encode()] if leaks(one)] == []
    outside = (p for p in place.rglob("*") if p.relative_to(place).parts[1:2] not in [(one,) for one in IN_CLEAR])
    assert [p.name for p in outside if leaks(p.name.encode()) or (p.is_file() and leaks(p.read_bytes()))] == []


def _pages_of_a_recall(browser: consoles.Browser, case: CaseRecord) -> dict[str, Any]:
    """Each page of a case, with canaries in what is handed in, right and wrong, and in what it is called."""
    (batch,) = case.batches
    at = f"/recalls/{case.id}"
    pages = ["/recalls", at, f"/batches/{batch}/recall", *(f"{at}/{step}" for step in Step)]
    pages += [f"{at}/documents/{name}" for name in case.documents]
    shown = {path: browser.get(path) for path in pages}
    more = recalls.COPIES + f"late-1,backup,{CANARY} {DIGITS[1]},1,,dispose\n".encode()
    for step, data in {
        "copies": more,
        "disposed": recalls.log("package-1").replace(b"purge", CANARY.encode()),
        "persons": recalls.persons(case.rows).replace(b"P. Officer,", f"{CANARY},{CANARY}".encode()),
        "attested": CANARY.encode(),
    }.items():
        shown[f"handed in: {step}"] = browser.upload(f"{at}/{step}", data, f"{CANARY}.csv")
    signing = shown["handed in: copies"].headers["location"]
    shown[signing] = browser.get(signing)
    assert shown[signing].status_code == 200
    named = {"reason": "lookback", "which": "these", "discovered": "2026-01-01T00:00", "rows": f"1\n{CANARY}"}
    shown["rows named"] = browser.post(f"/batches/{batch}/recall", {"form": browser.token(), **named})
    shown["rows in a file"] = browser.upload(f"/batches/{batch}/recall", CANARY.encode(), **{**named, "rows": ""})
    return shown


def test_what_is_left_in_the_lake_belongs_to_batches_in_flight(place: Path, printed: bytes) -> None:
    ledger = sqlite3.connect(place / "home" / "ledger.db")
    flying = {r[0] for r in ledger.execute("SELECT name FROM batches WHERE state IN ('held', 'failed')")}
    left = [p for p in (place / "home" / "lake").rglob("*") if p.is_file() and leaks(p.read_bytes())]
    assert {p.relative_to(place / "home" / "lake").parts[0] for p in left} <= flying


def test_of_a_finished_batch_nothing_is_left_but_what_is_sealed(place: Path, printed: bytes) -> None:
    """Not in the lake, whoever ran it, and not in the folder for temporary files, in clear or not."""
    ledger = sqlite3.connect(place / "home" / "ledger.db")
    ended = {r[0] for r in ledger.execute("SELECT name FROM batches WHERE state NOT IN ('held', 'failed')")}
    flying = {r[0] for r in ledger.execute("SELECT name FROM batches WHERE state IN ('held', 'failed')")}
    lake = [p.relative_to(place / "home" / "lake") for p in (place / "home" / "lake").rglob("*") if p.is_file()]
    assert ended and not [p for p in lake if any(part in ended for part in p.parts)]
    assert {p.parts[0] for p in lake if not p.name.endswith(".lock")} <= flying
    assert [p for p in (place / "tmp").rglob("*") if p.is_file()] == []
    sealed = [*(place / "home" / "evidence").iterdir(), *(place / "home" / "keys" / "evidence").iterdir()]
    assert sealed and all(p.read_bytes().startswith(b"age-encryption.org") for p in sealed if p.suffix == ".age")


def test_pre_flight_says_codes_and_places_only(tmp_path: Path) -> None:
    """Whatever a table or a submission holds, what is printed holds none of it; what is written holds ids only."""
    for name, data in {
        "good.csv": (
            f"id,street,note\n{CANARY}-1,{CANARY} {DIGITS[1]},{CANARY}\n"
            f"{CANARY}-2,a\tb,\n{CANARY}-3,x,y,{CANARY}\n".encode()
        ),
        "open.csv": f'id,street\n{CANARY},"{CANARY}\n'.encode(),
        "encoding.csv": f"id,street\n1,{CANARY}\xff\n".encode("latin-1"),
        "header.csv": f"{CANARY},{CANARY}\n1,2\n".encode(),
        "twice.csv": f"id,id,{CANARY}\n1,2,3\n".encode(),
        "not.parquet": f"PAR1 {CANARY} PAR1".encode(),
        "not.csv.gz": CANARY.encode(),
    }.items():
        (tmp_path / name).write_bytes(data)
    pq.write_table(pa.table({"id": [CANARY], "street": [f"{CANARY} {DIGITS[1]}"]}), tmp_path / "good.parquet")
    pq.write_table(pa.table({"id": [CANARY], "street": [[CANARY]]}), tmp_path / "list.parquet")
    submissions.write(
        tmp_path / "s", [good(1), spoilt(2), {**good(3), "city": "a\tb"}], purpose="Grand jury proceeding"
    )
    given = sorted(tmp_path.iterdir())
    commands = [["preflight", what.name, "--out", f"verdicts of {what.name}.csv"] for what in given]
    said = _printed(dict(os.environ), commands, tmp_path)
    codes = dict(zip((what.name for what in given), map(int, said.splitlines()[-1].split()), strict=True))
    assert leaks(said) == [] and b"Traceback" not in said and b"fault" not in said, said.decode()
    readable = {"good.csv", "open.csv", "encoding.csv", "good.parquet", "s"}
    assert codes == {what.name: 0 if what.name in readable else 5 for what in given}
    written = set(tmp_path.iterdir()) - set(given)
    assert {p.name for p in written} == {f"verdicts of {name}.csv" for name in readable}
    for path in written:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert rows and leaks(str([{k: v for k, v in r.items() if k != "id"} for r in rows]).encode()) == []


def test_the_search_finds_a_value_that_is_there(tmp_path: Path) -> None:
    assert leaks(f"... {CANARY.upper()} ...".encode()) and leaks(b"TIN 612-83-4907") and not leaks(b"nothing")


def test_reports_accountings_and_packages_say_no_value(
    place: Path, printed: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every batch declared in every form, a person looked up, a package verified and opened, a table of ids that is no
    table."""
    home = place / "home"
    monkeypatch.setenv("SLUICEGATE_HOME", str(home))
    with sqlite3.connect(home / "ledger.db") as ledger:
        states = dict(ledger.execute("SELECT name, state FROM batches").fetchall())
    batch = next(name for name, state in states.items() if state == "published")
    holder, own = str(home / "keys" / "holder-signing.pub"), str(home / "keys" / REQUESTER_AGE)
    package = ["--holder", holder, str(home / "outbox" / batch)]
    (tmp_path / "own.csv").write_text(f"{CANARY}\n{CANARY}\n")
    recall = ["--identity", own, "--rows", str(tmp_path / "own.csv"), "--out", str(tmp_path / "freeze.csv")]
    commands = [
        *(["report", name, "--format", form] for name in states for form in ("md", "html", "json")),
        *(
            ["report", "--year", str(year), "--format", form]
            for year in (2025, 2026)
            for form in ("md", "html", "json")
        ),
        *(["accounting", "show", name] for name in states),
        ["accounting", "person", "3", "--reason", "person_asks"],
        ["accounting", "person", f"{CANARY} {DIGITS[1]}", "--reason", f"{CANARY}"],
        ["package", "verify", *package],
        ["package", "open", "--identity", own, "--out", str(tmp_path / "open"), *package],
        ["package", "recall", *recall, *package],
    ]
    codes = [(main.run(command), command[:2]) for command in commands]
    said = capsys.readouterr()
    assert leaks((said.out + said.err).encode()) == [] and "fault" not in said.err, said.err
    assert sum(code == 0 for code, _ in codes) > 12, codes
    assert (0, ["package", "open"]) in codes, said.err
    assert leaks((tmp_path / "open" / "addresses.csv").read_bytes()) and not (tmp_path / "freeze.csv").exists()
    assert leaks((home / "ledger.db").read_bytes()) == [] and list((home / "lake").glob(".view-*")) == []
