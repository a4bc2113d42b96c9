"""What the register itself holds on the rows that are passed on: read by the checkpoint, not taken from the stage.

The stage `validate.facts` scans the register with SQL of its own and copies raw addresses into its verdicts, which it
parses again. Here the prepared parts are read with other SQL, and their addresses as they were parsed when the register
was prepared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.base.duck import parquet, quote
from expectations.contracts.lists import Origin
from expectations.contracts.register import ON_FILE

ADDRESS = tuple(field.name for field in ON_FILE)
PARSED = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_zip")  # of the prepared address; beside it the state
_COLUMNS = ", ".join((*ADDRESS, *PARSED))


@dataclass(frozen=True)
class Register:
    """Files of one prepared register, as its manifest lists them.

    addresses   of the last full extract; `gone` (record_id): whose rows in them no longer count
    changed     addresses of the records that came or changed since
    buildings   those with two units or more; one may be listed again with more
    """

    addresses: tuple[str, ...]
    buildings: tuple[str, ...]
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def addresses_sql(registers: Mapping[Origin, Register], asked: str, counting: str) -> str:
    """A SELECT of origin, record_id, the raw address and its PARSED columns with a_state: all addresses on file that
    count, of the records in `asked` (a relation with origin, record_id). Rows of each origin see their own register."""
    each = " UNION ALL ".join(_of(origin, register, asked) for origin, register in registers.items())
    # as `address.derive` reads a state that stands in a column of its own; few are distinct
    states = "SELECT state, addr_fields(coalesce(state, ''))[1] AS said FROM (SELECT DISTINCT state FROM found)"
    return f"""
    WITH found AS MATERIALIZED (SELECT * FROM ({each}) WHERE {counting})
    SELECT found.*, s.standard AS a_state FROM found LEFT JOIN (
        SELECT read.state, standard FROM ({states}) read JOIN addr_states ON written = said
      ) s ON s.state = found.state"""


def _of(origin: Origin, register: Register, asked: str) -> str:
    wanted = f"record_id IN (SELECT record_id FROM {asked} WHERE origin = {quote(origin)})"
    old = f"AND record_id NOT IN (SELECT record_id FROM {parquet(list(register.gone))})" if register.gone else ""
    parts = [f"SELECT record_id, {_COLUMNS} FROM {parquet(list(register.addresses))} WHERE {wanted} {old}"]
    if register.changed:
        parts.append(f"SELECT record_id, {_COLUMNS} FROM {parquet(list(register.changed))} WHERE {wanted}")
    return f"SELECT {quote(origin)} AS origin, * FROM ({' UNION ALL '.join(parts)})"


def lists_sql(on_file: str) -> str:
    """A SELECT of origin, record_id and addresses_on_file: every address of the record, sorted."""
    packed = ", ".join(f"{name} := {name}" for name in ADDRESS)
    return f"""
    SELECT origin, record_id, list_sort(list(struct_pack({packed}))) AS addresses_on_file
    FROM {on_file} GROUP BY origin, record_id"""


def units_sql(registers: Mapping[Origin, Register], asked: str) -> str:
    """A SELECT of origin, a_zip, a_number, a_street and units_on_file: the buildings of several units in which one of
    `asked` (a relation with these columns) lives."""
    each = " UNION ALL ".join(
        f"SELECT {quote(origin)} AS origin, a_zip, a_number, a_street, units FROM {parquet(list(register.buildings))}"
        for origin, register in registers.items()
    )
    place = "(origin, a_zip, a_number, a_street)"
    return f"""
    SELECT origin, a_zip, a_number, a_street, max(units) AS units_on_file FROM ({each})
    WHERE {place} IN (SELECT {place} FROM {asked} WHERE a_kind = 'street') GROUP BY ALL"""
