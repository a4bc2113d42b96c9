"""What leaves beside the released rows (the manifest in plaintext, sizes, the return file) tells nothing that the
requester could not work out from its own submission and which rows were released."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.duck import parquet, session
from expectations.code import CodePhase
from expectations.codes import CODES
from expectations.contracts.package import RELEASE
from expectations.instruments import Agreement
from pipelines import lake, release, sealing, validate
from pipelines.context import BatchContext
from pipelines.release.opened import open_received
from pipelines.release.package import CODES_CSV, NOTICES, RETURNS_CSV
from tests.factories import matched
from tests.factories.matched import rows_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
HOLDERS = [signatures.public_line(KEY)]
REQUESTER, CHECK = sealing.new_identity(), sealing.new_identity()
REGISTER_CODES = sorted(name for name, code in CODES.items() if code.phase is CodePhase.REGISTER)
# rows that the register alone withholds: 1, 2, 11, 12 by a rule, 3, 4, 5 in the match
BY_RULE, BY_MATCH = (1, 2, 11, 12), (3, 4, 5)
MATCH_ENDS = ("unmatched", "ambiguous", "near")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, sandbox: Agreement) -> Iterator[BatchContext]:
    """One submission, before its rows end."""
    keys = sandbox.keys.model_copy(update={"recipient": REQUESTER.recipient})
    context = matched.made(tmp_path_factory.mktemp("beside"), sandbox.model_copy(update={"keys": keys}))
    validate.run(context)
    yield context


def variants(context: BatchContext, root: Path) -> Iterator[BatchContext]:
    """The same submission with the same rows released, against registers that withhold the others for other reasons."""
    for n in range(len(REGISTER_CODES)):
        other = replace(context, root=root / f"v{n}")
        shutil.copytree(context.root, other.root)
        ends = {ordinal: MATCH_ENDS[(ordinal + n) % 3] for ordinal in BY_MATCH}
        codes = {
            o: sorted({REGISTER_CODES[(i + n) % len(REGISTER_CODES)], "NOT_CORROBORATED"})
            for i, o in enumerate(BY_RULE)
        }
        if n == 1:  # what a rule withheld is found by nobody now
            ends |= dict.fromkeys(BY_RULE, "unmatched")
        gone = set(BY_RULE) if n == 1 else set()
        rewritten(other, "match.candidates", "candidates", "outcome", ends)
        rewritten(other, "validate.verdicts", "verdicts", "codes", codes, gone)
        yield other


def rewritten(
    context: BatchContext, step: str, dataset: str, field: str, values: dict[int, Any], gone: Iterable[int] = ()
) -> None:
    """Commits a step again, with other values of a field by ordinal, and without some rows."""
    tables = [pq.read_table(path) for path in lake.committed(context.step(step)).paths(dataset)]
    rows = [row for table in tables for row in table.to_pylist() if row["ordinal"] not in gone]
    changed = [{**row, field: values.get(row["ordinal"], row[field])} for row in rows]
    shutil.rmtree(context.step(step))
    matched.commit(context.step(step), {dataset: [pa.Table.from_pylist(changed, schema=tables[0].schema)]})


def sealed(context: BatchContext) -> Path:
    made = release.seal(
        context,
        release.outcomes(context),
        holder_key=KEY,
        check_recipient=CHECK.recipient,
        instruments={context.agreement.id: "d" * 64},
        register_version="v1",
    )
    return made.folder


def by_requester(context: BatchContext, released: Path) -> dict[str, Any]:
    """The manifest but for the digests of sealed bytes, from what the requester sent and the rows that it got."""
    got = pq.read_table(released)
    ids = set(got["request_id"].to_pylist())
    sent = [r for r in rows_of(lake.committed(context.step("ingest.rows")), "rows") if r["origin"] == "request"]
    unread = rows_of(lake.committed(context.step("ingest.decode")), "rejects")
    own = [code for r in sent for code in r["codes"]] + [r["code"] for r in unread]
    others = sum(not r["codes"] and r["request_id"] not in ids for r in sent)
    with session() as connection:
        digest = release.eligible_digest(connection, parquet([released]))
    total = len(sent) + len(unread)
    return {
        "format": "sluicegate-package/2",
        "batch": context.batch,
        "submission": context.submission,
        "holder": context.agreement.holder.id,
        "requester": context.agreement.requester.id,
        "agreement": context.agreement.id,
        "statute": context.letter.statute,
        "purpose": context.letter.purpose,
        "instruments": {context.agreement.id: "d" * 64},
        "register": "v1",
        "received_on": context.received_on.isoformat(),
        "decided_on": context.decided_on.isoformat(),
        "fields": RELEASE.names,
        "counts": {"submitted": total, "released": len(ids), "returned": total - len(ids)},
        "returned_by_code": dict(Counter([*own, *["NOT_CONFIRMED"] * others])),
        "content_digest": digest,
        "legal": list(NOTICES),
    }


def test_the_manifest_is_what_the_requester_could_write_itself(made: BatchContext, tmp_path: Path) -> None:
    """Whatever the register withholds the other rows for: the manifest, the sizes and the return file are the same."""
    opened, sizes, seen = [], [], []
    reasons = set()
    for n, context in enumerate(variants(made, tmp_path)):
        folder, out = sealed(context), tmp_path / f"open-{n}"
        open_received(folder, REQUESTER, out, HOLDERS, context.duck)
        manifest = json.loads((folder / "manifest.json").read_text())
        sizes.append({name: file["bytes"] for name, file in manifest.pop("files").items()})
        assert manifest == by_requester(context, out / "addresses.parquet")
        opened.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
        seen.append(len(json.dumps(manifest)))
        reasons.add(
            str(
                [
                    (r["outcome"], r["codes"])
                    for r in rows_of(lake.committed(context.step("release.outcomes")), "outcomes")
                ]
            )
        )
    assert len(reasons) == len(opened) == len(REGISTER_CODES) > 5  # they do differ, for the holder
    assert all(one == opened[0] for one in opened) and RETURNS_CSV in opened[0] and CODES_CSV in opened[0]
    assert len(set(seen)) == 1
    # age adds a header of its own, with a stanza of random length that depends on nothing
    over = [
        size[f"{name}.age"] - len(data) for one, size in zip(opened, sizes, strict=True) for name, data in one.items()
    ]
    assert min(over) > 0 and max(over) < 1_500
