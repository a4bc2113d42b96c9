"""Proposals by command: what one has proposed in the console is looked at and signed with an SSH key."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from expectations.base import signatures
from flows.ledger.proposed import Asked, Proposed
from flows.ledger.roles import Role
from tests.factories import runs
from tests.factories.installations import Installation
from tests.flows.conftest import Run


def test_a_proposal_is_shown_signed_taken_back_and_carried_out(
    command: Run, installation: Installation, tmp_path: Path
) -> None:
    keys, line = installation.home.keys, signatures.public_line(signatures.Ed25519PrivateKey.generate())
    assert "Proposals" in command("proposals", "list")[1]
    with runs.ledger_of(installation.home) as ledger:
        asked = Asked.about(line, [Role.OPERATOR, Role.VIEWER])
        number = str(ledger.propose(Proposed.ENROL_OPERATOR, "zoe", asked.body, "operator-1"))
        said = ledger.proposal_message(int(number))
    (one,) = json.loads(command("proposals", "list", "--json")[1])
    assert (one["number"], one["subject"], one["signed"], one["obstacle"]) == (int(number), "zoe", 0, None)
    shown = command("proposals", "show", number)[1]
    assert "Enrol zoe as an operator, proposed by operator-1; 0 of 2 have signed." in shown
    assert "Roles: operator, viewer." in shown and one["digest"] in shown and "an SSH key" in shown
    assert f"Proposal {number}" not in shown and "proposals show" in command("status")[1]
    first, second = ("--key", str(keys / "operator-1")), ("--key", str(keys / "operator-2"))
    assert command("proposals", "sign", number, *first)[:2] == (
        0,
        "Enrol zoe as an operator: signed; it waits for another operator\n",
    )
    code, _, err = command("proposals", "sign", number, *first)
    assert code == 2 and "SIGNED_ALREADY" in err
    assert command("proposals", "withdraw", number, *second)[0] == 2
    assert command("proposals", "sign", number, *second)[:2] == (0, "Enrol zoe as an operator: done\n")
    for what in ("show", "message"):
        code, _, err = command("proposals", what, number)
        assert code == 2 and "NO_PROPOSAL" in err
    with runs.ledger_of(installation.home) as ledger:
        number = str(ledger.propose(Proposed.REVOKE_OPERATOR, "zoe", Asked().body, "operator-1"))
        assert said != ledger.proposal_message(int(number))
    message = command("proposals", "message", number)[1]
    (tmp_path / "message").write_text(message)
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", "sluicegate-operator", "-f", keys / "operator-2"]
    subprocess.run([*sign, tmp_path / "message"], check=True, capture_output=True)
    with runs.ledger_of(installation.home) as ledger:
        other = signatures.public_line(signatures.load(keys / "operator-2"))
        assert not ledger.sign_proposal(int(number), other, (tmp_path / "message.sig").read_text())
    assert command("proposals", "withdraw", number, *second)[:2] == (0, f"Taken back: proposal {number}\n")
    assert command("proposals", "withdraw", number, *first)[0] == 0
    assert json.loads(command("proposals", "list", "--json")[1]) == []
    with runs.ledger_of(installation.home) as ledger:
        zoe = next(o for o in ledger.operators() if o.name == "zoe")
        assert zoe.roles == (Role.OPERATOR, Role.VIEWER) and zoe.revoked_at is None and ledger.verify() == []
