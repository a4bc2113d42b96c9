"""A batch whose match rate leaves the band that earlier batches narrowed: held, shown, and confirmed by two people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expectations.base.clock import Clock
from expectations.facts import band
from expectations.gx.verdict import Verdict
from expectations.suites import matching
from flows.cli import main
from flows.ledger import Ledger
from tests.factories import installations, ledgers
from tests.factories.installations import Installation


def earlier(installation: Installation, folder: Path, matched: int) -> None:
    """Ten more published batches: of a thousand rows, so many matched."""
    parties = {"requester": installation.agreement.requester.id, "agreement": installation.agreement.id}
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        for n in range(band.ENOUGH):
            name = f"earlier-{matched}-{n}"
            ledgers.sealed(ledger, name, {"looked_up": 1000, "matched": matched}, **parties)
            ledgers.published(ledger, folder, name)


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    main.run([*arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def _weak_too(check: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """`check`, which now finds too many weak matches as well."""

    def checked(*given: Any) -> Verdict:
        verdict = check(*given)
        return replace(
            verdict, results=tuple(replace(r, ok=r.ok and r.check != "matching.tier_mix") for r in verdict.results)
        )

    return checked


@pytest.mark.slow
def test_a_rate_unlike_those_before_needs_two_people(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier(installation, tmp_path, 200)
    summary = command(capsys, "run", str(installation.submit(tmp_path / "s", installations.mixed())))
    assert (summary["state"], summary["codes"]) == ("held", ["MATCH_RATE"])
    batch = summary["batch"]
    shown = command(capsys, "review", "show", batch)["matches"]
    assert (shown["looked_up"], shown["matched"], shown["min_match_rate"]) == (43, 41, 0.005)
    assert shown["max_match_rate"] == pytest.approx(0.2 + 4 * (0.2255 * 0.7745 / 47) ** 0.5, abs=1e-3)
    main.run(["review", "show", batch])
    assert "95.3%" in capsys.readouterr().out

    earlier(installation, tmp_path, 950)  # what is published after it was received changes nothing
    keys = [str(installation.home.keys / f"operator-{n}") for n in (1, 2)]
    main.run(["review", "decide", batch, "retry", "--key", keys[0]])
    assert command(capsys, "run", batch)["state"] == "held"
    assert command(capsys, "review", "show", batch)["matches"] == shown

    # what two people confirm is what they saw: held for something else beside it, the batch waits for them again
    monkeypatch.setattr(matching, "check", _weak_too(matching.check))
    for codes, state in ((["MATCH_RATE", "TIER_MIX"], "held"), ([], "published")):
        for key in keys:
            main.run(["review", "decide", batch, "confirm", "--key", key])
        summary = command(capsys, "run", batch)
        assert (summary["state"], summary["codes"]) == (state, codes)
    assert command(capsys, "review", "show", batch)["matches"] == {}
    with Ledger.open(installation.home.ledger_url, Clock()) as ledger:
        requester, agreement = installation.agreement.requester.id, installation.agreement.id
        assert ledger.match_rates(requester, agreement, newest=2) == [(43, 41), (1000, 950)]
        assert ledger.verify() == []
