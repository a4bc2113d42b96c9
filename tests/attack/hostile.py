"""Hostile letters and submissions, made from a seed: each number gives one, always the same.

At the level of the grammar (what TOML allows and nobody would write), of bits, of the file system, and of data files.
A letter is signed after it was spoiled, so that its signature does not stop it first; some are signed before.
"""

from __future__ import annotations

import gzip
import io
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.clock import Clock
from expectations.instruments import Agreement
from tests.factories import installations, submissions
from tests.factories.submissions import DataFile

LETTER, SIGNATURE = "letter.toml", "letter.toml.sig"
KEYS = ("requester", "agreement", "statute", "purpose", "date", "signatory", "attestations", "officers", "files")
TEXTS = (
    *(
        "\\u0000",
        "\\u001b[2J\\u0007",
        "'); DROP TABLE events; --",
        "\\u202e\\u2066",
        "x" * 200_000,
        "",
        " ",
        "é" * 3000,
    ),
    *("{part}", "%s%n", "../../etc/passwd", "\\uFEFF", "\\U0010FFFF", "NULL", "'' OR 1=1", "$$", "\\\\N"),
)
VALUES = (
    *("0", "-1", "true", "1e400", "nan", "inf", "[]", "{}", "''", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"),
    *(
        "[[[]]]",
        "{ a = { b = 1 } }",
        "9223372036854775808",
        "0x" + "f" * 5000,
        "0b" + "1" * 9000,
        "1_0",
        "[1, 'a', []]",
    ),
)


def digits(r: random.Random) -> str:
    return "9" * r.choice([19, 20, 24, 100, 4299, 4300, 4301, 5000, 60_000])


def deep(r: random.Random) -> str:
    n = r.choice([17, 40, 150, 400, 900, 1100, 5_000, 60_000])
    kind = r.randrange(6)
    if kind == 0:
        return f"x = {'[' * n}{']' * n}\n"
    if kind == 1:
        return f"x = {'{a=' * n}1{'}' * n}\n"
    if kind == 2:
        return f"[{'.'.join(['a'] * n)}]\n"
    if kind == 3:
        return f"{'.'.join(['a'] * n)} = 1\n"
    if kind == 4:
        return f"x = {'[' * n}\n"
    return f"[[{'.'.join(['a'] * min(n, 900))}]]\n" * 3


def spoiled_letter(r: random.Random, text: str) -> bytes:
    """A letter with one thing, or a few, that no reader should have to expect."""
    lines = text.splitlines(keepends=True)
    at = r.randrange(len(lines))
    key = lines[at].partition(" = ")[0]
    how = r.randrange(13)
    if how == 0:
        lines.insert(r.choice([0, len(lines)]), deep(r))
    elif how == 1:
        lines[at] = f"{key} = {r.choice([*VALUES, digits(r)])}\n"
    elif how == 2:
        lines[at] = f'{key} = "{r.choice(TEXTS)}"\n'
    elif how == 3:
        del lines[at]
    elif how == 4:
        lines.insert(at, lines[at])
    elif how == 5:
        lines.insert(0, f'"{r.choice(TEXTS)}" = {r.choice(VALUES)}\n')
    elif how == 6:
        rows = r.choice(["1" + "0" * 23, digits(r), "-1", "1.0", "true", '"1"', "0", "1000000001", str(2**63), "[1]"])
        return text.replace("rows = 1,", f"rows = {rows},").encode()
    elif how == 7:
        path = r.choice(
            ["../x", "/etc/passwd", "a/../b", "a" * 300, "x\\u0000", ".", "", "a//b", "letter.toml", "-", "é"]
        )
        return text.replace('path = "requests.csv"', f'path = "{path}"').encode()
    elif how == 8:
        many = ", ".join(f'{{ path = "f{n}", format = "csv", rows = 1, sha256 = "{"0" * 64}" }}' for n in range(3000))
        return text.replace("files = [", f"files = [{many}, ").encode()
    elif how == 9:
        return text.encode(r.choice(["utf-16", "utf-32", "utf-8-sig"]))
    elif how == 10:
        return r.choice(
            [b"", b"\0" * 100, b"#" * 3_000_000, r.randbytes(5000), b"\xff\xfe", b"[" * 900_000, b'x = """']
        )
    elif how == 11:
        officers = r.choice(["[]", '[{ id = "a", name = "b", more = 1 }]', "[[]]", '[{ id = "\\u0000", name = "" }]'])
        lines = [f"officers = {officers}\n" if line.startswith("officers") else line for line in lines]
    else:
        statute = r.choice(["18 USC 1", "8 USC 1253(a)(1)' OR 1=1", "x" * 5000])
        lines = [f'statute = "{statute}"\n' if line.startswith("statute") else line for line in lines]
    return "".join(lines).encode()


def bits(r: random.Random, data: bytes) -> bytes:
    """Some bits, bytes or stretches of it otherwise."""
    made = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 5, 20])):
        at = r.randrange(len(made))
        how = r.randrange(5)
        if how == 0:
            made[at] ^= 1 << r.randrange(8)
        elif how == 1:
            made[at] = r.choice([0, 10, 34, 39, 91, 93, 123, 255, r.randrange(256)])
        elif how == 2:
            del made[at : at + r.randrange(1, 30)]
        elif how == 3:
            made[at:at] = made[r.randrange(len(made)) :][: r.randrange(1, 60)]
        else:
            made[at:at] = bytes([made[at]]) * r.randrange(1, 2000)
        if not made:
            made = bytearray(b"\0")
    return bytes(made)


def _special(r: random.Random, path: Path) -> None:
    """Something else than a plain file in this place."""
    path.unlink(missing_ok=True)
    how = r.randrange(6)
    if how == 0:
        os.mkfifo(path)
    elif how == 1:
        path.mkdir()
    elif how == 2:
        path.symlink_to(r.choice(["/etc/passwd", "/dev/zero", "nowhere", ".", path.name, "/dev/stdin"]))
    elif how == 3:
        path.write_bytes(b"")
    elif how == 4:
        with path.open("wb") as stream:
            stream.truncate(50_000_000)
    else:
        path.write_bytes(r.randbytes(r.randrange(1, 5000)))


def _names(r: random.Random, folder: Path) -> None:
    """Many files, and names that no text can hold."""
    raw = os.fsencode(folder)
    for n in range(r.choice([1, 50, 3000])):
        name = r.choice([b"\xff\xfe%d", b"a" * 200 + b"%d", b"\x1b[2J%d", b"new\nline%d", b"-rf%d", b"$(x)%d"]) % n
        Path(os.fsdecode(raw + b"/" + name)).touch()


def _data(r: random.Random) -> DataFile:
    """One data file that its letter rightly names, and that no table is."""
    good = submissions.encode([installations.request(1)])
    kind, packing = r.choice(["csv", "jsonl", "parquet"]), r.choice(["none", "none", "gzip", "zstd"])
    texts = {
        "csv": [
            b"\0" * 5000,
            b'"' * 70_000,
            b"a,a\n1,2\n",
            b"\n" * 9000,
            bits(r, good),
            good.replace(b"\n", b"\r"),
            b"x" * 300_000,
        ],
        "jsonl": [
            b"[" * 90_000,
            b'{"a":' * 5000,
            b'{"request_id": ' + b"9" * 5000 + b"}\n",
            b"null\n",
            b'{"request_id":"\\ud800"}\n',
        ],
        "parquet": [
            b"PAR1" + r.randbytes(2000) + b"PAR1",
            bits(r, _parquet()),
            b"PAR1PAR1",
            _parquet()[:-9],
            _nested(),
        ],
    }
    data = r.choice([*texts[kind], r.randbytes(r.randrange(1, 4000))])
    if packing == "gzip":
        data = gzip.compress(b"\0" * 80_000_000) if r.random() < 0.1 else gzip.compress(data)
    elif packing == "zstd":
        data = zstandard.compress(data)
    if packing != "none" and r.random() < 0.4:
        data = bits(r, data)[:-3] or b"\0"
    return DataFile(f"requests.{kind}", data, r.choice([1, 1, 2, 1_000_000_000]), kind, packing)


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({k: pa.array([v]) for k, v in installations.request(1).items() if v is not None}), sink)
    return sink.getvalue()


def _nested() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"request_id": pa.array([[1]]), "last_name": pa.array([{"a": 1}])}), sink)
    return sink.getvalue()


def _plain(folder: Path, agreement: Agreement, file: DataFile | None = None) -> str:
    file = file or DataFile("requests.csv", submissions.encode([installations.request(1)]), 1)
    folder.mkdir(parents=True)
    (folder / file.path).write_bytes(file.data)
    return submissions.letter([file], agreement, date=Clock().today(agreement.zone))


def make(
    number: int, seed: int, inbox: Path, key: Ed25519PrivateKey, agreement: Agreement, data: float = 0.03
) -> tuple[str, Path]:
    """Submission `number` of this seed, in the inbox; gives its kind and folder. `data`: share with hostile data."""
    r = random.Random(f"{seed}|{number}")
    name = r.choice([f"s-{number}", f"s {number}", f"s-{number}-" + "n" * 200, os.fsdecode(b"\xff\x1b[2J-%d" % number)])
    folder, drawn = inbox / name, r.random()
    if drawn < data:
        text = _plain(folder, agreement, _data(r)).encode()
        kind = "data"
    else:
        plain = _plain(folder, agreement)
        kind = r.choice(["grammar"] * 6 + ["bits"] * 4 + ["files"] * 3 + ["names"])
        text = {"grammar": spoiled_letter, "bits": lambda r, t: bits(r, t.encode())}.get(kind, lambda _, t: t.encode())(
            r, plain
        )
    signed_first = kind == "bits" and r.random() < 0.2
    (folder / LETTER).write_bytes(text)
    over = _plain_text(agreement) if signed_first else text
    (folder / SIGNATURE).write_text(
        signatures.sign(over, key, r.choice([signatures.LETTER] * 9 + [signatures.DECISION]))
    )
    if kind == "files":
        _special(r, folder / r.choice([LETTER, SIGNATURE, "requests.csv"]))
    if kind == "names":
        _names(r, folder)
        (folder / LETTER).write_bytes(spoiled_letter(r, plain))
    if kind == "files" and r.random() < 0.1:
        moved = folder.with_name(f".of-{number}")
        folder.rename(moved)
        folder.symlink_to(moved)
    return kind, folder


def _plain_text(agreement: Agreement) -> bytes:
    return submissions.letter([DataFile("requests.csv", b"x", 1)], agreement).encode()
