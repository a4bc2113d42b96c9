"""Canary values in every field of a row that somebody looks at: they stand in the one answer that shows them, and then
nowhere: no file of the home, no event, no metric, nothing printed or logged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from flows.console.web.app import make
from flows.operations.telemetry import meter_provider
from flows.schedule.metrics import Looks
from tests.factories import consoles, installations, runs
from tests.factories.past import waved_through
from tests.leak.test_canaries import IN_CLEAR, good, leaks, spoilt


def test_values_that_were_shown_stand_nowhere_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    consoles.quick(monkeypatch)
    (tmp_path / "tmp").mkdir()
    made = installations.make(tmp_path / "home")
    with installations.at_home(made.home):
        with waved_through():
            ended, _ = runs.run(made.home, made.submit(made.home.inbox / "ended", [good(1), good(2), spoilt(3)]))
        held, _ = runs.run(made.home, made.submit(made.home.inbox / "held", [good(3), *(spoilt(n) for n in range(4))]))
        monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
        monkeypatch.setattr("tempfile.tempdir", None)
        browser = consoles.Browser(make(made.home))
        consoles.password_for(browser.console, "operator-1")
        browser.sign_in()
        shown = 0
        for batch, number in ((ended, 0), (ended, 1), (held, 0)):
            for what in ("", "/register"):
                place = f"/batches/{batch}/rows/{number}"
                page = browser.get(place)
                assert page.status_code == 200 and leaks(page.content + str(page.headers).encode()) == []
                (nonce,) = re.findall(r'name="nonce" value="([^"]+)"', page.text)
                form = {"form": browser.token(), "nonce": nonce, "reason": "complaint"}
                refused = browser.post(f"{place}{what}", {**form, "reference": "quxzaz 612-83-4907"})
                assert refused.status_code == 422 and leaks(refused.content) == []
                answer = browser.post(f"{place}{what}", form)
                assert answer.status_code == 200 and leaks(answer.content) and leaks(str(answer.headers).encode()) == []
                shown += 1
                again = browser.post(f"{place}{what}", form)
                assert again.status_code == 303 and leaks(again.content + str(again.headers).encode()) == []
        pages = ["/", "/views", "/me", *(f"/batches/{batch}" for batch in (ended, held))]
        assert [path for path in pages if leaks(browser.get(path).content)] == []
        browser.app.state.keeper.keep()
        events = [one for one in browser.console.ledger.events() if one["kind"] == "view"]
        assert len(events) == shown == 6 and browser.console.ledger.verify() == []
        looks, registry = Looks(made.home), CollectorRegistry()
        provider = meter_provider(looks.home, looks.look, registry)
        measured = generate_latest(registry)
        provider.shutdown(1_000)
        browser.console.ledger.close()
    assert b'sluicegate_views_total{what="register"} 3.0' in measured and leaks(measured) == []
    printed = capfd.readouterr()
    assert leaks((printed.out + printed.err + caplog.text).encode()) == []
    found = {}
    for path in (one for one in tmp_path.rglob("*") if one.is_file()):
        inside = path.relative_to(tmp_path).parts
        if inside[0] == "home" and inside[1] in IN_CLEAR:
            continue
        if hit := leaks(path.read_bytes() + path.name.encode()):
            found[str(path.relative_to(tmp_path))] = hit
    assert found == {}
    assert not [one for one in made.home.lake.iterdir() if one.name.startswith((ended, ".view-"))]
