"""`sluicegate doctor`: what is missing on this machine and in this home, and how to fix it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from expectations.base.errors import BadInput, SluicegateError
from flows.audit.needed import needs
from flows.home import holder, keys
from flows.home.config import CONFIG
from flows.home.tree import FOLDERS, Home, open_home
from flows.ledger import Ledger
from flows.ledger.database.models import KeyName
from flows.operations import kept, machine, notify
from flows.operations.findings import Finding, check, need

_DISK_NEEDED = 5 * 1024**3
_SEE_LEDGER = "See ledger in sluicegate.toml."


def examine(serving: Callable[[Home], str | None] = lambda _: None) -> list[Finding]:
    """Everything that a run needs, in the order in which to fix it.

    serving  gives the address of a Prefect server that runs for a home on this machine, if one does
    """
    return [*machine.machine(), *_home(serving)]


def _home(serving: Callable[[Home], str | None]) -> Iterator[Finding]:
    try:
        home = open_home()
    except SluicegateError as error:
        yield Finding("fail", error.message, error.remedy)
        return
    yield Finding("ok", f"{CONFIG} can be read: sluicegate config shows what is in force")
    closed = not home.root.stat().st_mode & 0o077
    yield need(closed, f"the home is {'closed' if closed else 'open'} to others", f"chmod 700 {home.root}")
    for name in FOLDERS:
        folder = home.root / name
        if not folder.is_dir():
            yield Finding("fail", f"folder {name} is missing", "Run sluicegate init.")
        elif folder.stat().st_mode & 0o077:
            yield Finding("fail", f"folder {name} is open to others", f"chmod 700 {name}")
    yield check(partial(_outbox, home), "outbox")
    yield from (check(partial(_key, home, name), f"key {keys.FILES[name]}") for name in keys.OWN)
    yield from _earlier_keys(home)
    yield machine.encryption(home.root)
    free = shutil.disk_usage(home.root).free
    yield need(free >= _DISK_NEEDED, f"{free / 1024**3:.0f} GiB free", "Free some.", "warn")
    for own in (_register, _facilities, _persons, _receivers):
        yield check(partial(own, home))
    yield from _ledger(home)
    yield from _log(home)
    yield from _word(home)
    yield from _provider(home)
    yield from _backups(home)
    yield machine.prefect(os.environ.get("PREFECT_API_URL") or serving(home))


def _outbox(home: Home) -> str:
    home.delivery.digest("doctor")  # of no package, but only an outbox that was reached says so
    return f"outbox {home.delivery.place('')}"


def _key(home: Home, name: KeyName) -> str:
    keys.of_place(name, home.key(keys.FILES[name]))
    return f"key {keys.FILES[name]}" if keys.is_file(home, name) else f"key {keys.shown(home, name)}"


def _earlier_keys(home: Home) -> Iterator[Finding]:
    try:
        kept = len(holder.identity(home).earlier)
        needed = needs(home) if kept else None
    except SluicegateError:  # said above
        return
    if needed is None:
        yield Finding("ok", "no earlier age key is kept")
        return
    what = f"earlier age keys that are kept: {kept}; of {needed.of:,} sealed files, {len(needed.earlier):,} need one"
    yield Finding("warn", what, "sluicegate keys reseal --operator NAME")


def _register(home: Home) -> str:
    from pipelines import register

    if (home.register / "manifest.json").is_file():
        return "register: prepared"
    if register.files(home.register):
        return "register: raw; it is prepared before its first batch"
    remedy = "Set register_folder in sluicegate.toml, or: sluicegate simulate register."
    raise BadInput("NO_REGISTER", "there is no register", where="register_folder", remedy=remedy)


def _persons(home: Home) -> str:
    """The holder's lists of persons: none is needed, but one that cannot be read stops every submission."""
    from expectations.facts import persons

    if home.persons is None:
        return "no lists of persons: nobody's record is protected beyond the rules"
    with tempfile.TemporaryDirectory(prefix="sluicegate-doctor-", dir=home.lake) as folder:
        entries = persons.keep(home.persons, Path(folder) / persons.KEPT, home.duck)
    return f"{home.persons.name}: {entries:,} entries"


def _facilities(home: Home) -> str:
    """The operator's own list of facilities: none is needed, but one that cannot be read stops every submission."""
    from expectations import address

    if home.facilities is None:
        return "no list of facilities of your own: the built-in list is used"
    own = address.check(home.facilities)
    return f"{home.facilities.name}: {len(own.phrases)} phrases and {len(own.addresses)} addresses of your own"


def _receivers(home: Home) -> str:
    """Where metrics, traces and lineage go: an address that is none stops no batch, and nobody gets anything."""
    from flows.operations import telemetry

    named = {"telemetry.otlp": home.config.telemetry.otlp, "lineage.url": home.config.lineage.url}
    for what, said in named.items():
        if said:
            telemetry.address(said, what)
    return f"told from outside: {', '.join(what for what, said in named.items() if said) or 'nobody'}"


def _ledger(home: Home) -> Iterator[Finding]:
    try:
        with Ledger.open(home.ledger_url, home.clock()) as ledger:
            instruments, operators = len(ledger.instruments()), len(ledger.operators())
            known, in_use, time = ledger.known_keys(), ledger.keys_in_use(), ledger.time_now()
            rights = _rights(ledger, home.config.sandbox)
    except SluicegateError as error:
        yield Finding("fail", f"the ledger cannot be opened: {error.message}", error.remedy or _SEE_LEDGER)
        return
    except Exception as error:  # whatever the database says may hold a password from its address
        yield Finding("fail", f"the ledger cannot be opened: {type(error).__name__}", _SEE_LEDGER)
        return
    yield Finding("ok", f"the ledger can be opened ({home.ledger_url.split(':')[0]})")
    yield from rights
    yield need(instruments > 0, f"{instruments} instruments enrolled", "Enrol an agreement.")
    yield need(operators > 1, f"{operators} operators enrolled", "A drop needs two.", "warn")
    yield need(bool(known) or not in_use, "the ledger knows the home's keys", keys.VOUCH)
    for one in keys.wrong(home, known):
        yield Finding("fail", f"{one.place}: {one.what}", one.error.remedy)
    fits = "the clock fits the ledger's newest event"
    yield need(time.wrong is None, fits if time.wrong is None else f"not so: {fits}", "See sluicegate clock show.")


def _rights(ledger: Ledger, sandbox: bool) -> list[Finding]:
    """Whether it is used by a role that can change no event. SQLite has no roles; a sandbox has nothing to lose."""
    from flows.ledger.database import engine, granting

    with ledger.reading() as session:
        if not engine.on_postgresql(session):
            what = "the ledger is a file of the services' user, who can change its events"
            return [] if sandbox else [Finding("warn", what, "Keep it in PostgreSQL: infra/docs/install.md.")]
        service, owner = granting.service_of(session), engine.may_make(session)
    if service is not None:
        return [Finding("ok", f"its role has the rights of {service}, and can change no event")]
    what = "is used by its owner, who can change events" if owner else "does not give its role the rights of a service"
    return [Finding("warn" if owner else "fail", f"the ledger {what}", engine.GRANT)]


def _log(home: Home) -> Iterator[Finding]:
    """Whether another system gets the log, and what it has. The receiver is not asked."""
    from flows.operations import delivery, otlp_logs

    if home.config.log.to is None:
        yield need(home.config.sandbox, "no other system gets the log", "Set log.to in sluicegate.toml.", "warn")
        return
    try:
        otlp_logs.receiver(home), otlp_logs.authority(home)
        found = delivery.seen(home)
    except SluicegateError as error:
        yield Finding("fail", f"{error.where}: {error.message}", error.remedy)
        return
    except Exception:  # the ledger cannot be opened, which was said
        return
    late = not delivery.is_fresh(found, home.clock().now())
    yield need(not late, delivery.sentence(found), "See that sluicegate up, watch or the night runs.", "warn")


def _word(home: Home) -> Iterator[Finding]:
    """Who learns how a night ended, and that it did not come. Nobody is told, and no address is called."""
    sandbox = home.config.sandbox  # needs nobody
    try:
        count = notify.addresses(home)
        what = f"{count} addresses get word after a night" if count else "nobody gets word after a night"
        yield need(count > 0 or sandbox, what, "Set notify.urls in sluicegate.toml.", "warn")
        called = notify.pings(home)
        what = "an address is called after each night" if called else "nobody notices a night that is missing"
        yield need(called or sandbox, what, "Set notify.ping in sluicegate.toml.", "warn")
    except SluicegateError as error:
        yield Finding("fail", f"{error.where}: {error.message}", error.remedy)


def _provider(home: Home) -> Iterator[Finding]:
    """With whom operators sign in to the console, if with anybody. The provider is not asked."""
    said = home.config.console.oidc

    def secret() -> str:
        found = said.secret.read("console.oidc.secret") if said.secret else None
        return "it is asked without a secret" if found is None else "the secret for it can be read"

    if said.issuer:
        yield Finding("ok", "operators may sign in to the console with a provider")
        yield check(secret)


def _backups(home: Home) -> Iterator[Finding]:
    """Whether the home can be made again after it is lost."""
    said, sandbox = home.config.backups, home.config.sandbox  # a sandbox holds nothing to lose
    recovery = len(home.config.recovery)
    what = f"recovery keys that backups are sealed to: {recovery or 'none'}"
    yield need(recovery > 0 or sandbox, what, "sluicegate keys recovery FILE; then see infra/docs/backup.md.", "warn")
    what = "backups are made on a schedule" if said.folder else "no backup is made by itself"
    yield need(said.folder is not None or sandbox, what, "Set backups.folder in sluicegate.toml.", "warn")
    if said.folder:
        at = kept.newest(home)
        what = f"the newest backup is of {at:%Y-%m-%d %H:%M} UTC" if at else "there is no backup"
        yield need(not kept.missing(home, home.clock().now()), what, "sluicegate backup", "warn")
