"""Without a server, `watch` tells people that others are asked to look: once, again if nobody took it, ids only."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from expectations.base.errors import Transient
from flows.home.config import Notify
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.calling import CallReason
from flows.schedule.word import Word
from tests.factories.installations import Installation
from tests.factories.ledgers import sha
from tests.factories.receiver import receiver


def told(home: Home, *urls: str) -> Home:
    notify = Notify.model_validate({"urls": list(urls)})
    return replace(home, config=home.config.model_copy(update={"notify": notify}))


def ask(home: Home, thing: str) -> None:
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        ledger.call(sha(thing), "operator-1", CallReason.LAW_UNCLEAR)


def test_word_goes_out_once_for_each_time_that_somebody_asks(installation: Installation) -> None:
    ask(installation.home, "before it began")
    with receiver() as one:
        home = told(installation.home, f"json://127.0.0.1:{one.port}/x")
        word = Word(home)
        word.step()
        assert one.got == []
        ask(home, "now")
        word.step()
        word.step()
        (got,) = one.got
        said = json.loads(got[2])
        assert said["title"] == "Sluicegate: an operator asks others to look"
        assert said["message"] == "See sluicegate status."


def test_what_nobody_took_is_sent_again(installation: Installation) -> None:
    with receiver() as one:
        port = one.port
    home = told(installation.home, f"json://127.0.0.1:{port}/x")
    word = Word(home)
    word.step()
    ask(home, "it")
    with pytest.raises(Transient, match="NOT_NOTIFIED"):
        word.step()
    with receiver() as other:
        word.home = told(installation.home, f"json://127.0.0.1:{other.port}/x")
        word.step()
        word.step()
        assert len(other.got) == 1


def test_an_address_that_is_none_stops_nothing_else(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    home = told(installation.home, "nowhere")
    word = Word(home)
    word.step()
    ask(home, "with a wrong address")
    word.step()
    word.step()
    assert capsys.readouterr().err.count("NOTIFY_URL") == 1


def test_with_nobody_to_tell_the_ledger_is_left_alone(installation: Installation) -> None:
    home = replace(installation.home, config=installation.home.config.model_copy(update={"ledger": None}))
    Word(home).step()
