"""What a recipient does with what it was sent: verify, open, apply a recall; and whatever is off is found, with its
place."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import signatures
from expectations.base.duck import DuckSettings, parquet
from expectations.instruments import Agreement
from pipelines import release, sealing, validate
from pipelines.recall import listing
from pipelines.release import forms, signed_folder
from pipelines.release.package import KIND, OLD_KIND
from tests.factories import matched
from tests.factories.paths import ROOT
from tests.flows.conftest import Run

HOLDER = Ed25519PrivateKey.generate()
BATCH, OTHER = "b-000000000001", "b-000000000002"


@dataclass(frozen=True)
class Post:
    """What the recipient has: two packages, a recall list, the holder's public key, and its own key."""

    root: Path
    holder: Path
    identity: Path

    @property
    def keys(self) -> tuple[str, ...]:
        return "--identity", str(self.identity), "--holder", str(self.holder)


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory, sandbox: Agreement) -> Post:
    root = tmp_path_factory.mktemp("post")
    requester = sealing.new_identity()
    agreement = sandbox.model_copy(update={"keys": sandbox.keys.model_copy(update={"recipient": requester.recipient})})
    context = matched.made(root, agreement)
    validate.run(context)
    for name in (BATCH, OTHER):
        one = replace(context, batch=name)
        made = release.seal(
            one,
            release.outcomes(one),
            holder_key=HOLDER,
            check_recipient=sealing.new_identity().recipient,
            instruments={agreement.id: "d" * 64},
            register_version="v1",
        )
        shutil.copytree(made.folder, root / name)
    pq.write_table(
        pa.table({"batch": [BATCH, BATCH, BATCH], "request_id": [matched.FORMULA_ID, "R010", "R999"]}), root / "rows"
    )
    listing.seal_recall(
        root / "recall-1",
        parquet([root / "rows"]),
        case="case-1",
        agreement=agreement,
        packages={BATCH: "1" * 64},
        holder_key=HOLDER,
        created_at=datetime(2026, 6, 1, tzinfo=UTC),
        duck=DuckSettings(),
    )
    (root / "holder.pub").write_text(f"{signatures.public_line(HOLDER)} holder\n")
    sealing.save_identity(requester, root / "own")
    return Post(root, root / "holder.pub", root / "own")


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def swap(one: Path, other: Path) -> None:
    a, b = one.read_bytes(), other.read_bytes()
    one.write_bytes(b)
    other.write_bytes(a)


def sign(folder: Path, key: Ed25519PrivateKey, namespace: str) -> None:
    signed = signatures.sign((folder / signed_folder.MANIFEST).read_bytes(), key, namespace)
    (folder / signed_folder.SIGNATURE).write_text(signed)


def restate(folder: Path, **changes: object) -> None:
    """Signs another manifest: what only a mistake of the holder's can do."""
    signed_folder.sign(folder, KIND, {**signed_folder.stated(folder), **changes}, HOLDER)


def take(folder: Path, *names: str) -> None:
    """Puts files of the other package in the place of this one's."""
    for name in names:
        shutil.copy(folder.parents[1] / "post" / OTHER / name, folder / name)


MANIFEST, SIGNATURE = signed_folder.MANIFEST, signed_folder.SIGNATURE
TAMPERS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    **{f"a bit of {n}": (lambda p, n=n: flip(p / n), "PACKAGE_CHANGED", n) for n in KIND.sealed},  # type: ignore[misc]
    **{f"the last byte of {n}": (lambda p, n=n: cut(p / n), "PACKAGE_CHANGED", n) for n in KIND.sealed},  # type: ignore[misc]
    **{
        f"{n} is gone": (lambda p, n=n: (p / n).unlink(), "PACKAGE_INCOMPLETE", n)
        for n in (*KIND.sealed, MANIFEST, SIGNATURE)
    },  # type: ignore[misc]
    "a byte more": (
        lambda p: (p / KIND.sealed[0]).write_bytes((p / KIND.sealed[0]).read_bytes() + b"x"),
        "PACKAGE_CHANGED",
        KIND.sealed[0],
    ),
    "two files swapped": (lambda p: swap(p / KIND.sealed[0], p / KIND.sealed[2]), "PACKAGE_CHANGED", KIND.sealed[0]),
    "a file of another package": (lambda p: take(p, KIND.sealed[1]), "PACKAGE_CHANGED", KIND.sealed[1]),
    "the manifest of another package": (lambda p: take(p, MANIFEST), "PACKAGE_UNSIGNED", MANIFEST),
    "manifest and signature of another": (lambda p: take(p, MANIFEST, SIGNATURE), "PACKAGE_CHANGED", min(KIND.sealed)),
    "another package in its place": (lambda p: take(p, MANIFEST, SIGNATURE, *KIND.sealed), "PACKAGE_SWAPPED", "batch"),
    "a bit of the manifest": (lambda p: flip(p / MANIFEST), "PACKAGE_UNSIGNED", MANIFEST),
    "the manifest cut off": (lambda p: cut(p / MANIFEST), "PACKAGE_UNSIGNED", MANIFEST),
    "a bit of the signature": (lambda p: flip(p / SIGNATURE), "PACKAGE_UNSIGNED", ""),
    "an empty signature": (lambda p: (p / SIGNATURE).write_text(""), "PACKAGE_UNSIGNED", SIGNATURE),
    "signed by another key": (
        lambda p: sign(p, Ed25519PrivateKey.generate(), signatures.MANIFEST),
        "PACKAGE_UNSIGNED",
        SIGNATURE,
    ),
    "a signature of another namespace": (
        lambda p: sign(p, HOLDER, signatures.SIGNED_HEAD),
        "PACKAGE_UNSIGNED",
        SIGNATURE,
    ),
    "a file more": (lambda p: (p / "CANARY").touch(), "PACKAGE_HAS_MORE", ""),
    "a folder for a file": (
        lambda p: ((p / KIND.sealed[0]).unlink(), (p / KIND.sealed[0]).mkdir()),
        "PACKAGE_CHANGED",
        KIND.sealed[0],
    ),
    "counts that do not add up": (
        lambda p: restate(p, counts={"submitted": 5, "released": 2, "returned": 2}),
        "PACKAGE_COUNTS",
        "counts",
    ),
    "another format": (lambda p: restate(p, format="sluicegate-package/9"), "PACKAGE_FORMAT", MANIFEST),
}


@pytest.mark.parametrize("how", TAMPERS)
def test_whatever_is_off_is_found_with_its_place(post: Post, tmp_path: Path, command: Run, how: str) -> None:
    spoil, code, where = TAMPERS[how]
    (tmp_path / "post").symlink_to(post.root)
    package = tmp_path / "received" / BATCH
    shutil.copytree(post.root / BATCH, package)
    spoil(package)
    for arguments in (("verify",), ("open", "--identity", str(post.identity), "--out", str(tmp_path / "out"))):
        ended, out, err = command("package", *arguments, str(package), "--holder", str(post.holder))
        assert (ended, out) == (5, "") and f"{code}:" in err and where in err and "CANARY" not in err, err
    assert not (tmp_path / "out").exists()


def test_verify_needs_the_public_key_alone_and_shows_the_notices(post: Post, command: Run) -> None:
    code, out, _ = command("package", "verify", str(post.root / BATCH), "--holder", str(post.holder))
    assert code == 0 and BATCH in out and "26 USC 6103" in out and "Signed by the holder" in out
    code, out, _ = command("package", "verify", str(post.root / BATCH), "--holder", str(post.holder), "--json")
    assert code == 0 and json.loads(out) == signed_folder.stated(post.root / BATCH)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed here")
def test_the_signature_is_one_that_common_tools_verify(post: Post, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(f"holder {signatures.public_line(HOLDER)}\n")
    package = post.root / BATCH
    arguments = ["-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "holder", "-n", signatures.MANIFEST]
    with (package / MANIFEST).open("rb") as body:
        done = subprocess.run(
            ["ssh-keygen", *arguments, "-s", str(package / SIGNATURE)], stdin=body, capture_output=True
        )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", ["", "no key", "ssh-rsa AAAA", None])
def test_a_key_that_is_none_is_said(post: Post, tmp_path: Path, command: Run, line: str | None) -> None:
    if line is not None:
        (tmp_path / "key.pub").write_text(line)
    code, _, err = command("package", "verify", str(post.root / BATCH), "--holder", str(tmp_path / "key.pub"))
    assert code == 5 and "KEY_UNREADABLE" in err


def test_open_gives_both_forms_in_a_private_folder(post: Post, tmp_path: Path, command: Run) -> None:
    out = tmp_path / "out"
    code, _, err = command("package", "open", str(post.root / BATCH), *post.keys, "--out", str(out))
    assert code == 0, err
    assert sorted(p.name for p in out.iterdir()) == [
        "addresses.csv",
        "addresses.parquet",
        "codes.csv",
        "returns.csv.gz",
    ]
    assert out.stat().st_mode & 0o777 == 0o700 and {p.stat().st_mode & 0o777 for p in out.iterdir()} == {0o600}
    assert {r["request_id"] for r in pq.read_table(out / "addresses.parquet").to_pylist()} == {
        matched.FORMULA_ID,
        "R010",
    }
    code, _, err = command("package", "open", str(post.root / BATCH), *post.keys, "--out", str(out))
    assert code == 2 and "OUT_NOT_EMPTY" in err


def test_a_package_of_the_format_before_is_still_opened(post: Post, tmp_path: Path, command: Run) -> None:
    """Format 1: the return file was plain, with the words of each code in each line."""
    package, before = tmp_path / "package", tmp_path / "before"
    own = sealing.load_identity(post.identity)
    manifest = release.open_package(post.root / BATCH, own, before, [signatures.public_line(HOLDER)])
    words = {row["code"]: row for row in csv.DictReader((before / "codes.csv").read_text().splitlines())}
    with gzip.open(before / "returns.csv.gz", "rt", newline="") as lines, (before / "returns.csv").open("w") as old:
        writer = csv.DictWriter(old, forms.OLD_RETURN_COLUMNS, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows({**row, **words[row["code"]]} for row in csv.DictReader(lines))
    package.mkdir()
    for name in OLD_KIND.sealed:
        sealing.seal_file(before / name.removesuffix(".age"), package / name, [own.recipient])
    said = {k: v for k, v in manifest.items() if k not in ("format", "files")}
    signed_folder.sign(package, OLD_KIND, said, HOLDER)
    assert command("package", "verify", str(package), "--holder", str(post.holder))[0] == 0
    code, _, err = command("package", "open", str(package), *post.keys, "--out", str(tmp_path / "out"))
    assert code == 0, err
    assert "returns.csv" in {p.name for p in (tmp_path / "out").iterdir()}
    (package / "codes.csv.age").write_bytes(b"x")
    code, _, err = command("package", "verify", str(package), "--holder", str(post.holder))
    assert code == 5 and "PACKAGE_HAS_MORE" in err


def test_rows_that_the_manifest_does_not_name_are_not_put_in_place(post: Post, tmp_path: Path, command: Run) -> None:
    for changes in ({"content_digest": "0" * 64}, {"returned_by_code": {}}):
        package, out = tmp_path / "package", tmp_path / "out"
        shutil.copytree(post.root / BATCH, package)
        restate(package, **changes)
        code, _, err = command("package", "open", str(package), *post.keys, "--out", str(out))
        assert code == 5 and "PACKAGE_CONTENT" in err
        shutil.rmtree(package)
    assert list(tmp_path.iterdir()) == []


def test_another_key_opens_nothing(post: Post, tmp_path: Path, command: Run) -> None:
    sealing.save_identity(sealing.new_identity(), tmp_path / "other")
    keys = ("--identity", str(tmp_path / "other"), "--holder", str(post.holder))
    code, _, err = command("package", "open", str(post.root / BATCH), *keys, "--out", str(tmp_path / "out"))
    assert code == 5 and "SEAL_BROKEN" in err and sorted(p.name for p in tmp_path.iterdir()) == ["other"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_recall_shows_which_rows_to_freeze(post: Post, tmp_path: Path, command: Run, suffix: str) -> None:
    """Once in the id's own spelling, once in that of the package's CSV; a copy of a row is a row to freeze."""
    own = ["R000", "R010", f"'{matched.FORMULA_ID}", None, matched.FORMULA_ID, "R010", "r010", "R0100"]
    table, out = tmp_path / f"own{suffix}", tmp_path / "freeze.csv"
    if suffix == ".csv":
        with table.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([("note", "id"), *(("x, y", i) for i in own)])
    else:
        pq.write_table(pa.table({"note": ["x"] * len(own), "id": own}), table)
    arguments = ("package", "recall", str(post.root / "recall-1"), *post.keys, "--rows", str(table), "--key", "id")
    code, said, err = command(*arguments, "--out", str(out))
    assert code == 3 and "case-1" in said and "R999" not in said, err  # one id is in no row: somebody must look
    with out.open(newline="") as stream:
        found = [(r["row"], r["request_id"]) for r in csv.DictReader(stream)]
    formula = f"'{matched.FORMULA_ID}"
    assert found == [("2", "R010"), ("3", formula), ("5", formula), ("6", "R010"), ("", "R999")]
    assert command(*arguments, "--out", str(tmp_path / "f.parquet"), "--json")[0] == 3
    assert pq.read_table(tmp_path / "f.parquet")["row"].to_pylist() == [2, 3, 5, 6, None]
    assert (tmp_path / "f.parquet").stat().st_mode & 0o777 == 0o600


def test_rows_are_numbered_in_the_order_of_the_file(
    post: Post, tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_THREADS", "4")
    rows = [f"X{i}" for i in range(400_000)]
    for n, name in ((7, "R010"), (150_001, matched.FORMULA_ID), (399_999, "R999")):
        rows[n - 1] = name
    (tmp_path / "own.csv").write_text("request_id\n" + "\n".join(rows) + "\n")
    pq.write_table(pa.table({"request_id": rows}), tmp_path / "own.parquet", row_group_size=50_000)
    for name in ("own.csv", "own.parquet"):
        out = tmp_path / "out.parquet"
        code, _, err = command(
            "package",
            "recall",
            str(post.root / "recall-1"),
            *post.keys,
            "--rows",
            str(tmp_path / name),
            "--out",
            str(out),
        )
        assert code == 0, err
        assert pq.read_table(out)["row"].to_pylist() == [7, 150_001, 399_999]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("own.csv", b'request_id,a\n"CANARY,1\n', "TABLE_UNREADABLE"),
        ("own.csv", b"request_id,a\nCANARY,1,2\n", "TABLE_UNREADABLE"),
        ("own.csv", b"request_id,a\nCANARY\xff,1\n", "TABLE_UNREADABLE"),
        ("own.csv", b"id,a\nCANARY,1\n", "KEY_MISSING"),
        ("own.csv", b"request_id,request_id\nCANARY,1\n", "KEY_MISSING"),
        ("own.csv", b'request_id,a\nX,1\nA,"CANARY\n', "TABLE_UNREADABLE: .*row 2"),
        ("own.csv", b"request_id,a\nX,1\nCANARY\n", "TABLE_UNREADABLE: .*row 2"),
        ("own.csv", b"\xff\xff\n1\n", "HEADER_UNREADABLE"),
        ("own.csv.gz", b"request_id\nCANARY\n", "COMPRESSION_BROKEN"),
        ("own.parquet", b"PAR1 CANARY PAR1", "TABLE_UNREADABLE"),
        ("own.txt", b"request_id\n", "UNKNOWN_FORMAT"),
        (None, b"", "FILE_MISSING"),
    ],
)
def test_a_table_that_cannot_be_read_whole_freezes_nothing(
    post: Post, tmp_path: Path, command: Run, name: str | None, data: bytes, code: str
) -> None:
    if name:
        (tmp_path / name).write_bytes(data)
    rows, out = tmp_path / (name or "none.csv"), tmp_path / "freeze.csv"
    ended, _, err = command(
        "package", "recall", str(post.root / "recall-1"), *post.keys, "--rows", str(rows), "--out", str(out)
    )
    assert ended == 5 and re.search(code, err) and "CANARY" not in err, err
    assert not out.exists() and not list(tmp_path.glob(".*"))


def test_it_needs_no_home_and_none_of_the_holders_libraries(post: Post, tmp_path: Path) -> None:
    """In a process of its own, elsewhere: what is imported is what every command imports, and what opens age and
    Parquet."""
    said = (
        "import sys; from flows.cli.main import run; code = run(sys.argv[1:]);heavy = {'apache_beam',"
        " 'great_expectations', 'prefect'} & set(sys.modules); print(heavy); sys.exit(code or bool(heavy))"
    )
    arguments = ["package", "open", str(post.root / BATCH), *post.keys, "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", said, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
