"""The printed schemas of instruments and letters: every field explained by an example that fits, and they take what we
take."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from typing import Any

import jsonschema
import pytest

from expectations.base.errors import BadInput
from expectations.base.forms import Strict, form_in, problems, to_toml
from expectations.instruments import Agreement, CourtOrder, Determination, Letter, parse_instrument
from flows.cli import main
from flows.reports.schemas import json_schema, table
from tests.factories import submissions
from tests.factories.submissions import INSTRUMENTS

FORMS: dict[str, type[Strict]] = {
    "agreement": Agreement,
    "court_order": CourtOrder,
    "determination": Determination,
    "letter": Letter,
}
NESTED = {
    "agreement": {
        "thresholds.rows_per_batch",
        "safeguards.findings.plan_due_on",
        "signatories.office",
        "keys.recipient",
    },
    "court_order": {"only.fields", "scope.districts"},
    "determination": {"agreements", "determined_on"},
    "letter": {"signatory.office", "attestations.solely", "files.sha256"},
}


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=date.isoformat))


def validate(name: str, content: dict[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(as_json(content), json_schema(name), format_checker=checker)


def written() -> list[tuple[str, dict[str, Any]]]:
    found = [tomllib.loads(p.read_text().replace("{today}", "2026-06-01")) for p in sorted(INSTRUMENTS.glob("*.toml*"))]
    return [(content["kind"], content) for content in found]


def test_the_shipped_instruments_and_a_letter_fit_the_printed_schema() -> None:
    assert len(written()) == 6
    for kind, content in written():
        validate(kind, content)
    letter = submissions.letter([submissions.DataFile("requests.csv", b"", 13)], submissions.sandbox())
    validate("letter", tomllib.loads(letter))


SPOILED: list[tuple[str, dict[str, Any]]] = [
    ("agreement", {"zones": "UTC"}),
    ("agreement", {"statutes": []}),
    ("agreement", {"tiers": ["E"]}),
    ("agreement", {"fields": ["tin"]}),
    ("agreement", {"valid_to": "soon"}),
    ("agreement", {"thresholds": {}}),
    ("agreement", {"retention_years": 4}),
    ("agreement", {"offices": ["Assistant Director"]}),
    ("agreement", {"purposes": ["Criminal proceeding", "Civil removal"]}),
    ("determination", {"agreements": []}),
    ("court_order", {"text_sha256": "yes"}),
    ("court_order", {"effect": "permit"}),
    ("court_order", {"scope": {"fields": ["tin"]}}),
    ("court_order", {"scope": {"district": ["D. Mass."]}}),
    ("court_order", {"effective_on": "2026-02-30"}),
]


@pytest.mark.parametrize(("kind", "spoiled"), SPOILED)
def test_what_the_models_refuse_field_by_field_the_schema_refuses_too(kind: str, spoiled: dict[str, Any]) -> None:
    good = next(content for k, content in written() if k == kind)
    with pytest.raises(jsonschema.ValidationError):
        validate(kind, {**good, **spoiled})
    text = "\n".join(f"{k} = {to_toml(v)}" for k, v in {**good, **spoiled}.items())
    with pytest.raises(BadInput):
        parse_instrument(text.encode(), "a.toml")


def forms(model: type[Strict], within: str) -> list[tuple[str, type[Strict]]]:
    inner = [(f"{within}.{n}", i) for n, f in model.model_fields.items() if (i := form_in(f.annotation))]
    return [(within, model), *(one for name, form in inner for one in forms(form, name))]


ALL = [one for name, model in FORMS.items() for one in forms(model, name)]


@pytest.mark.parametrize(("where", "model"), ALL, ids=[where for where, _ in ALL])
def test_every_field_has_a_description_and_an_example_that_fits(where: str, model: type[Strict]) -> None:
    for name, field in model.model_fields.items():
        assert field.description and field.examples, f"{where}.{name}"
        if form_in(field.annotation) is None:  # the example of a table shows some of it; its own fields have theirs
            wrong = [p for p in problems(model, {name: field.examples[0]}) if p.key.split(".")[0] == name]
            assert not wrong, f"{where}.{name}"


@pytest.mark.parametrize("name", FORMS)
def test_people_see_the_tables_within_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {key: (kind, meaning) for key, kind, _, meaning in table(name)}
    assert rows.keys() >= NESTED[name]
    assert all("For example: " in meaning for _, meaning in rows.values())
    assert not [kind for kind, _ in rows.values() if re.search(r"[<\[]|Annotated|Union|None", kind)]
    assert main.run(["schema", name]) == 0
    assert "For example" in capsys.readouterr().out
