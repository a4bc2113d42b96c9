"""Made-up batches: signed, the same by arguments, near the profile's proportions, with a truth that the files prove."""

from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations import address, instruments
from expectations.base import digests, duck, signatures
from expectations.base.errors import Usage
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.names import standard
from pipelines.simulate import batches, defects, profiles, registers

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TERMS = {"requester_id": "department-of-examples", "agreement_id": "sandbox-2026", "letter_date": date(2026, 3, 2)}
REGISTER, ROWS = 40_000, 4_000
BLOCKING = ", ".join(f"'{c}'" for c in BLOCKING_ADDRESS_CODES)


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    folder = tmp_path_factory.mktemp("register")
    registers.register(REGISTER, 3, folder)
    return folder


@pytest.fixture(scope="module")
def con(register):
    with duck.session() as connection:
        address.setup(connection)
        standard.setup(connection)
        persons, homes = f"(FROM '{register}/persons/*.parquet')", f"(FROM '{register}/addresses/*.parquet')"
        connection.execute(f"CREATE TABLE on_file AS {standard.derive_register(persons)}")
        connection.execute(f"CREATE TABLE homes AS {address.derive(homes, one_line=False, urbanization=True)}")
        yield connection


def made(con, register: Path, out: Path, profile: str, **options) -> Path:
    """A batch, with the table `asked`: its rows as a stage would read them, beside the truth."""
    folder = batches.batch(register, ROWS, 5, profile, out, sign_key=KEY, **TERMS, file_format="parquet", **options)
    rows = f"(SELECT *, NULL::VARCHAR AS full_name FROM read_parquet('{folder}/*.parquet', file_row_number = true))"
    con.execute(f"CREATE OR REPLACE TABLE rows AS {standard.derive(rows)}")
    con.execute(f"CREATE OR REPLACE TABLE parsed AS {address.derive('rows', one_line=False)}")
    con.execute(f"""CREATE OR REPLACE TABLE asked AS SELECT p.*, t.* EXCLUDE (request_id, file_row_number),
      coalesce(list_has_any(a_codes, [{BLOCKING}]), false) AS incomplete
        FROM parsed p JOIN read_parquet('{out}/truth.parquet', file_row_number = true) t USING (file_row_number)""")
    assert one(con, "SELECT count(*) FROM asked") == (ROWS,)
    return folder


def one(con, sql):
    return con.execute(sql).fetchone()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_same_arguments_same_files_on_any_number_of_threads(register, tmp_path):
    for threads in (1, 3):
        settings = duck.DuckSettings(threads=threads)
        batches.batch(register, 900, 5, "hostile", tmp_path / str(threads), sign_key=KEY, **TERMS, duck=settings)
    assert files(tmp_path / "1") == files(tmp_path / "3")
    batches.batch(register, 900, 6, "hostile", tmp_path / "other", sign_key=KEY, **TERMS)
    assert files(tmp_path / "1") != files(tmp_path / "other")


def test_the_letter_is_signed_and_names_its_files(register, tmp_path):
    folder = batches.batch(register, 6_000, 1, "clean", tmp_path, sign_key=KEY, **TERMS)
    data = (folder / "letter.toml").read_bytes()
    signature = (folder / "letter.toml.sig").read_text()
    assert signatures.signer(data, signature, [signatures.public_line(KEY)], signatures.LETTER)
    letter = instruments.parse_letter(data)
    assert {f.format for f in letter.files} == {"csv", "jsonl", "parquet"}
    assert sum(f.rows for f in letter.files) == 6_000
    assert len(letter.officers) == 3
    for file in letter.files:
        assert digests.of_file(folder / file.path) == file.sha256
    assert not list(folder.glob("*truth*"))


@pytest.fixture(scope="module")
def profiles_made(con, register, tmp_path_factory):
    """A batch of each profile, in a table named for it."""
    for name in profiles.PROFILES:
        made(con, register, tmp_path_factory.mktemp("batch"), name)
        con.execute(f"CREATE TABLE {name} AS FROM asked")


def choose(con, profile: str) -> None:
    con.execute(f"CREATE OR REPLACE TABLE asked AS FROM {profile}")


@pytest.fixture(params=list(profiles.PROFILES))
def profile(request, con, profiles_made):
    choose(con, request.param)
    return request.param


def test_proportions_are_near_the_table(con, profile):
    wanted = profiles.profile(profile)
    near = lambda share: pytest.approx(share, abs=0.012)  # noqa: E731
    assert one(con, "SELECT count(record_id) / count(*) FROM asked")[0] == near(wanted.in_register)
    visible = f"address_defect IS NOT NULL AND address_defect <> '{defects.UNIT_LEFT_OUT}'"
    assert one(con, f"SELECT count(*) FILTER ({visible}) / count(*) FROM asked")[0] == near(wanted.incomplete)
    assert one(con, "SELECT count(*) FILTER (NOT legally_eligible) / count(*) FROM asked")[0] == near(
        wanted.legal_defect
    )
    assert one(con, "SELECT count(birth_date) / count(*) FROM asked")[0] == near(wanted.birth_date)
    assert one(con, "SELECT count(tin) / count(*) FROM asked")[0] == pytest.approx(wanted.tin, abs=0.02)


def test_truth_is_what_the_address_rules_see(con, profile):
    # a few real places have the name of a country, and the rules take those for placeholders
    missed, wrong = one(
        con,
        f"""SELECT count(*) FILTER (address_defect <> '{defects.UNIT_LEFT_OUT}' AND len(a_codes) = 0),
        count(*) FILTER (address_defect IS NULL AND incomplete) FROM asked""",
    )
    assert missed == 0
    assert wrong <= ROWS * 0.003
    same = """EXISTS (SELECT 1 FROM homes h WHERE h.record_id = asked.record_id AND h.a_kind = asked.a_kind
      AND h.a_number = asked.a_number
        AND h.a_street = asked.a_street AND h.a_zip = asked.a_zip AND h.a_unit IS NOT DISTINCT FROM asked.a_unit)"""
    agree = one(
        con,
        f"SELECT count(*) FILTER (corroborated AND {same}), count(*) FILTER (corroborated),"
        f" count(*) FILTER (NOT corroborated AND address_defect IS NULL AND {same}) FROM asked",
    )
    assert agree[0] >= agree[1] * 0.99
    assert agree[2] == 0


def test_releasable_rows_have_agreeing_evidence_and_no_conflict(con, profiles_made):
    choose(con, "hostile")
    joined = "asked a JOIN on_file f ON f.record_id = a.record_id"
    total, bad, proven = one(
        con,
        f"""SELECT count(*), count(*) FILTER (a.s_birth <> f.s_birth OR a.s_tin <> f.s_tin),
        count(*) FILTER (a.s_birth = f.s_birth OR a.s_tin = f.s_tin) FROM {joined} WHERE releasable""",
    )
    assert total > 200
    assert bad == 0
    assert proven >= total * 0.97  # tricks may hide a number from a reader that does not know them
    assert one(
        con,
        "SELECT count(*) FROM asked WHERE releasable AND NOT (corroborated AND legally_eligible"
        " AND address_defect IS NULL AND record_id IS NOT NULL)",
    ) == (0,)
    assert one(
        con,
        "SELECT count(*) FROM asked WHERE releasable AND request_id IN (SELECT request_id"
        " FROM asked GROUP BY ALL HAVING count(*) > 1)",
    ) == (0,)
    assert one(con, "SELECT count(*) - count(DISTINCT request_id) FROM asked")[0] > 0
    assert one(con, f"SELECT count(*) FROM {joined} WHERE a.s_tin <> f.s_tin")[0] > 50


def test_legal_elements_are_each_rows_own(con, profiles_made):
    choose(con, "clean")
    assert one(
        con,
        "SELECT count(DISTINCT reason) / count(reason), count(DISTINCT case_number) / count(case_number) FROM asked",
    ) == (1.0, 1.0)
    late = one(
        con,
        "SELECT count(*) FROM asked WHERE legally_eligible"
        f" AND DATE '{TERMS['letter_date']}' - CAST(final_order_date AS DATE) <= 90",
    )
    assert late == (0,)


def test_share_of_incomplete_rows_can_be_given(con, register, tmp_path):
    made(con, register, tmp_path, "clean", incomplete_share=0.30)
    assert one(con, "SELECT count(*) FILTER (incomplete) / count(*) FROM asked")[0] == pytest.approx(0.30, abs=0.03)


def test_what_cannot_be_made_is_refused(register, tmp_path):
    make = lambda **over: batches.batch(  # noqa: E731
        **({"register": register, "rows": 10, "seed": 1, "profile": "clean", "out": tmp_path / "b"} | over),
        sign_key=KEY,
        **TERMS,
    )
    for code, over in {
        "UNKNOWN_PROFILE": {"profile": "nice"},
        "NO_ROWS": {"rows": 0},
        "REGISTER_TOO_SMALL": {"rows": 1_000_000},
    }.items():
        with pytest.raises(Usage, match=code):
            make(**over)


def test_profile_table_lists_every_profile():
    assert list(profiles.PROFILES) == list(profiles.Kind)
    lines = profiles.table().splitlines()
    assert lines[0] == "| share of rows | clean | incident | hostile |"
    assert "| in register | 90.0% | 4.0% | 50.0% |" in lines


def test_no_stage_knows_of_the_truth():
    root = Path(batches.__file__).parents[1]
    for path in root.rglob("*.py"):
        if path.parent.name != "simulate":
            assert "truth.parquet" not in path.read_text(), path.name
            assert "pipelines.simulate" not in path.read_text(), path.name
