"""What is shipped for systemd and for containers, as far as it can be shown without either: checked by systemd's own
tool and the schema of Compose, and each command run as a plain process with its variables and a real PostgreSQL."""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import psycopg
import pytest

from expectations.base.clock import Clock
from flows.home.config import VARIABLES
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.schedule.engine import connect
from flows.schedule.server import await_answer
from flows.schedule.service import SETTINGS
from tests.factories import certificates, installations, postgres
from tests.infra import declared
from tests.infra.declared import UNITS, Command, Processes, units

TOOL = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(TOOL is None, reason="systemd-analyze is not installed (apt-get install systemd)")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The units, with programs that are there."""
    shutil.copytree(UNITS, tmp_path / "units")
    for path in (tmp_path / "units").glob("*.service"):
        path.write_text(path.read_text().replace("/opt/sluicegate/bin/", f"{tmp_path}/"))
    for name in ("prefect", "sluicegate"):
        (tmp_path / name).touch(mode=0o755)
    return tmp_path / "units"


def analyze(units: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    return subprocess.run([str(TOOL), *arguments], env=environment, capture_output=True, text=True)


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(copied: Path) -> None:
    files = [str(path) for path in copied.iterdir() if path.is_file()]
    done = analyze(copied, "verify", "--man=no", *files)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    with (copied / "sluicegate-worker.service").open("a") as unit:
        unit.write("NoSuchThing=true\nExecStop=/no/such/program\n")
    assert "NoSuchThing" in analyze(copied, "verify", "--man=no", *files).stderr


@needs_systemd
def test_the_drop_ins_for_the_keys_fit_their_units(copied: Path) -> None:
    for path in (copied / "credentials").glob("*.conf"):
        folder = copied / f"sluicegate-{path.stem}.service.d"
        folder.mkdir()
        shutil.copy(path, folder / "credentials.conf")
    done = analyze(copied, "verify", "--man=no", *(str(path) for path in copied.glob("*.service")))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    files = {path.stem: declared.settings(path) for path in (UNITS / "credentials").glob("*.conf")}
    assert {*files} == {"worker", "nightly", "console"}
    assert not any("holder-signing:" in line for line in files["console"]["LoadCredentialEncrypted"])


def test_with_their_keys_as_credentials_the_services_run(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    port, home = free_port(), tmp_path / "home"
    processes = Processes(tmp_path, {"/var/lib/sluicegate": str(home), "4200": str(free_port())})
    commands = {name: replace(one, credentials={"ledger": "sqlite:///ledger.db"}) for name, one in units().items()}
    processes.run(replace(commands["worker"], words=["sluicegate", "init", "--sandbox"]))
    kept = {name: (home / "keys" / name).read_bytes() for name in ("hash", "holder-signing", "holder-age")}
    keys = {name: key.hex() if name == "hash" else key.decode() for name, key in kept.items()}
    for name in kept:
        (home / "keys" / name).unlink()
    worker = declared.with_credentials(commands["worker"], "worker", keys)
    shown = processes.run(replace(worker, words=["sluicegate", "keys", "show"]))
    assert shown.count("credential") == 3 and "missing" not in shown
    processes.run(replace(worker, words=["sluicegate", "ledger", "sign-head"]))

    shutil.rmtree(tmp_path / "credentials")
    console = declared.with_credentials(commands["console"], "console", keys)
    try:
        processes.start(replace(console, words=[*console.words, "--port", str(port)]))
        assert waited(lambda: answers(f"http://localhost:{port}/sign-in"))
        assert {path.name for path in (tmp_path / "credentials").iterdir()} == {"ledger", "hash", "holder-age"}
    finally:
        processes.stop()


@needs_systemd
def test_no_service_may_do_more_than_it_needs(copied: Path) -> None:
    for path in copied.glob("*.service"):
        done = analyze(copied, "security", "--offline=true", "--threshold=20", "--no-pager", str(path))
        assert done.returncode == 0, done.stdout[-3000:]  # 2.0 of 10, which would be no protection at all


def test_the_console_reaches_nothing_beyond_its_machine() -> None:
    unit = (UNITS / "sluicegate-console.service").read_text().splitlines()
    assert {"IPAddressDeny=any", "IPAddressAllow=localhost"} <= set(unit)
    services = declared.compose()["services"]
    assert services["console"]["networks"] == ["pages", "console"]
    assert [name for name, one in services.items() if "pages" in one.get("networks", ())] == ["console"]
    assert [name for name, one in services.items() if "console" in one.get("networks", ())] == ["postgres", "console"]
    assert "ports" not in services["postgres"] and services["certificates"]["network_mode"] == "none"


def test_no_service_of_the_compose_file_has_a_password_or_the_certificate_of_another() -> None:
    text = declared.COMPOSE.read_text()
    assert not re.search(r"(?i)password(?!:$)|pgpass", text.split("name: sluicegate", 1)[1])
    found = declared.compose()
    owners = {"certificates": None} | {
        name: [v.split(":")[0] for v in one["volumes"] if v.startswith("of-")]
        for name, one in found["services"].items()
        if name != "certificates"
    }
    batches = ["init", "deploy", "worker", "relay"]
    alone = {"postgres": "of-postgres", "grant": "of-owner", "console": "of-console", "server": "of-prefect"}
    assert owners == {
        "certificates": None,
        **{n: [v] for n, v in alone.items()},
        **{n: ["of-batches"] for n in batches},
    }
    assert [n for n, one in found["services"].items() if "authority" in str(one["volumes"])] == ["certificates"]
    rules = [line.split() for line in found["configs"]["admission"]["content"].splitlines()]
    assert [rule[0] for rule in rules if rule[-1] != "cert"] == ["local"]
    assert all(rule[0] == "hostssl" for rule in rules if rule[-1] == "cert")


def test_the_console_sees_no_key_that_signs() -> None:
    unit = declared.settings(UNITS / "sluicegate-console.service")
    assert unit["TemporaryFileSystem"] == ["/var/lib/sluicegate/keys:ro"] and "ReadWritePaths" not in unit
    shown = {
        Path(one.lstrip("-")).name for key in ("BindPaths", "BindReadOnlyPaths") for one in " ".join(unit[key]).split()
    }
    assert shown == {"evidence", "hash", "holder-age", "earlier", "holder-signing.pub"}
    volumes = declared.compose()["services"]["console"]["volumes"]
    assert "/dev/null:/srv/sluicegate/keys/holder-signing:ro" in volumes
    own = {"of-batches:/srv/certificates/own:ro"}  # the worker's certificate, where the console has one of its own
    assert {*declared.compose()["services"]["worker"]["volumes"]} - {*volumes} == own


def test_the_compose_file_fits_its_schema() -> None:
    schema = json.loads((Path(__file__).parent / "resources" / "compose-spec.json").read_text())
    checker = jsonschema.Draft202012Validator(schema)
    found = declared.compose()
    assert list(checker.iter_errors(found)) == []
    found["services"]["worker"]["environments"] = {}
    assert list(checker.iter_errors(found))
    for one in declared.compose()["services"].values():
        assert set(one.get("depends_on", {})) <= set(found["services"])
        named = [s if isinstance(s, str) else s["source"] for s in (*one.get("secrets", []), *one.get("configs", []))]
        assert set(named) <= {*found["secrets"], *found["configs"]}


@pytest.mark.parametrize("commands", [units, declared.containers], ids=["systemd", "compose"])
def test_they_set_what_up_sets(commands: Callable[[], dict[str, Command]]) -> None:
    server = commands()["server"].environment
    assert {name: server.get(name) for name in SETTINGS} == SETTINGS
    used = {variable for one in commands().values() for variable in one.environment}
    ours = {name for name in used if name.startswith("SLUICEGATE_")}
    assert ours <= {"SLUICEGATE_HOME", "SLUICEGATE_LEDGER", *(name for name in VARIABLES if "CONSOLE" in name)}
    assert all("--limit" in one.words for name, one in commands().items() if name == "worker")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def by_certificate(made: Path) -> Iterator[int]:
    """A PostgreSQL server as the Compose file has it, with the certificate that lies in `made`: gives its port."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    one, contents = declared.compose()["services"]["postgres"], declared.compose()["configs"]
    with postgres.server(programs) as server:
        data, port = server.folder / "data", free_port()
        with psycopg.connect(f"postgresql:///postgres?{server.address}", autocommit=True) as connection:
            for statement in contents["databases"]["content"].splitlines():
                connection.execute(statement.encode())
        for name in ("own.pem", "authority.pem"):
            shutil.copy(made / name, data)
            shutil.chown(data / name, data.owner())
        here = {f"{declared.OWN}/": "", "/etc/postgresql/": ""}
        said = [re.sub("|".join(here), lambda found: here[found[0]], word) for word in one["command"][2::2]]
        (data / "pg_hba.conf").write_text(contents["admission"]["content"])
        with (data / "postgresql.conf").open("a") as file:
            lines = (re.sub("=(.*)", r" = '\1'", word) for word in said)
            file.write(
                "\n".join([*lines, f"port = {port}", "listen_addresses = '127.0.0.1'\n"]).replace(
                    "'pg_hba", f"'{data}/pg_hba"
                )
            )
        server.started[-1] = f"-k {server.folder}"
        server.restart()
        yield port


@contextmanager
def by_peer() -> Iterator[Path]:
    """A PostgreSQL server as the page has people set it up, which asks the system who comes in, and nobody for a
    password: gives the folder of its socket. Every user of the page is whoever runs this."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (apt-get install postgresql)")
    page = (declared.DOCS / "install.md").read_text()
    made = re.findall(r"^sudo -u postgres (create\w+ .*?)(?: +#.*)?$", page, re.M)
    assert len(made) == 6
    with postgres.server(programs) as server:
        for one in made:
            program, *words = shlex.split(one)
            command = [str(programs / program), "--host", str(server.folder), "--username", "postgres", *words]
            subprocess.run(command, check=True)
        me, data = getpass.getuser(), server.folder / "data"
        (data / "pg_ident.conf").write_text(
            re.sub(r"(?m)^(\w+ +)\w+", rf"\g<1>{me}", declared.written("pg_ident.conf"))
        )
        (data / "pg_hba.conf").write_text(f"local all postgres trust\n{declared.written('pg_hba.conf')}\n")
        with psycopg.connect(f"postgresql:///postgres?{server.address}") as connection:
            connection.execute("SELECT pg_reload_conf()")
        yield server.folder


def granting() -> Command:
    """What the page has root do as the owner."""
    page = (declared.DOCS / "install.md").read_text()
    found = re.search(r"^export SLUICEGATE_LEDGER='(\S+)'\n(sluicegate ledger grant .*)$", page, re.M)
    assert found
    return Command(shlex.split(found[2]), {"SLUICEGATE_LEDGER": found[1]})


def asked(url: str, path: str, body: dict[str, Any]) -> Any:
    answer = httpx.post(f"{url}{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def ended(url: str, deployment: str) -> str:
    """The name of the state in which a run of this deployment ends."""
    (found,) = (one for one in asked(url, "/deployments/filter", {}) if one["name"] == deployment)
    run = asked(url, f"/deployments/{found['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})["id"]
    return waited(
        lambda: next(
            (
                one["state"]["name"]
                for one in asked(url, "/flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
                if one["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
            ),
            "",
        )
    )


def waited(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError("it did not come")


def answers(url: str, certificate: Path | None = None) -> bool:
    """Whether a page is there."""
    trust: Any = ssl.create_default_context(cafile=str(certificate)) if certificate else True
    try:
        return "Sign in" in httpx.get(url, verify=trust).text
    except httpx.TransportError:
        return False


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    certificates.put(folder, certificates.own("localhost"), name="console")
    return folder / "console.pem", folder / "console.key"


def forks(home: Path) -> bool:
    """Whether a warm process answers, from which the worker's runs are forked."""
    found = connect(home / "prefect")
    if found is not None:
        found.close()
    return found is not None


@pytest.mark.slow
@pytest.mark.outside
@pytest.mark.timeout(900)  # measured at a load of ten on two cores: 319 s
def test_what_systemd_would_start_runs(tmp_path: Path) -> None:
    with by_peer() as folder:
        port = free_port()
        here = {"/var/lib/sluicegate": str(tmp_path / "home"), "4200": str(port), "/run/postgresql": str(folder)}
        processes, commands = Processes(tmp_path, here), units()
        processes.run(granting())
        made = Command(
            ["sluicegate", "init", "--sandbox"], commands["worker"].environment, {0}, commands["worker"].credentials
        )
        processes.run(made)
        try:
            processes.start(commands["server"])
            processes.run(commands["deploy"])  # waits for the server
            processes.start(commands["worker"])
            relay = processes.start(commands["relay"])
            pages = free_port()
            processes.start(replace(commands["console"], words=[*commands["console"].words, "--port", str(pages)]))
            assert waited(lambda: answers(f"http://localhost:{pages}/sign-in"))
            assert ended(f"http://127.0.0.1:{port}/api", "signed-head") == "Completed"
            assert len(list((tmp_path / "home" / "checkpoints").glob("*.json"))) == 1
            assert forks(tmp_path / "home")
            assert relay.poll() is None
        finally:
            processes.stop()
        waited(lambda: not forks(tmp_path / "home"))
        night = commands["nightly"]  # which takes a minute: the README's commands are run with it
        assert night.words[1:] == ["nightly"] and "PREFECT_API_URL" not in night.environment
        assert json.loads(processes.run(replace(night, words=["sluicegate", "status", "--json"])))["batches"] == []
        assert not (tmp_path / "home" / "ledger.db").exists()
        assert not list((tmp_path / "home" / "prefect").glob("*.db"))


@pytest.mark.slow
@pytest.mark.outside
@pytest.mark.timeout(900)  # measured at a load of ten on two cores: 319 s
def test_what_compose_would_start_runs_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates_of, commands = tmp_path / "certificates", declared.containers()
    here = {"/srv/certificates": str(certificates_of), "/srv/sluicegate": str(tmp_path / "home")}
    made = replace(commands["certificates"], words=[w for w in commands["certificates"].words if w != "--keep"])
    assert len(Processes(tmp_path, here).run(made).splitlines()) == 6
    with by_certificate(certificates_of / "postgres") as database:
        port, pages = free_port(), free_port()
        certificate, key = certified(tmp_path)
        here |= {
            "@postgres/prefect": f"@localhost:{database}/prefect",
            "@postgres/sluicegate": f"@postgres:{database}/sluicegate?hostaddr=127.0.0.1",
            "//server:": "//127.0.0.1:",
            "0.0.0.0": "127.0.0.1",
            "4200": str(port),
            "8765": str(pages),
            "/run/secrets/console_certificate": str(certificate),
            "/run/secrets/console_key": str(key),
        }
        processes = Processes(tmp_path, here)
        for name, value in commands["init"].environment.items():
            if name.startswith("PG") or name == "SLUICEGATE_LEDGER":
                monkeypatch.setenv(name, processes.put(value))
        processes.run(commands["grant"])
        processes.run(commands["init"])
        installation = installations.make(tmp_path / "home")  # the rest of a sandbox: operators, law, a register
        try:
            processes.start(commands["server"])
            assert await_answer(f"http://127.0.0.1:{port}/api")
            _, *check = declared.compose()["services"]["server"]["healthcheck"]["test"]
            processes.run(Command(check, {}))
            processes.run(commands["deploy"])
            processes.start(commands["worker"])
            processes.start(commands["relay"])
            processes.start(commands["console"])
            assert waited(lambda: answers(f"https://localhost:{pages}/sign-in", certificate))
            waited(lambda: "telling" in (tmp_path / "log").read_text())
            installation.submit(installation.home.inbox / "one", [installations.request(n) for n in range(1, 31)])
            with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
                waited(lambda: [b for b in ledger.batches() if b.state is State.PUBLISHED])
                assert ledger.verify() == []
            assert forks(tmp_path / "home")
        finally:
            processes.stop()
        assert not (tmp_path / "home" / "ledger.db").exists()
