"""The types of columns, one column with what it means, and a kind of row."""

import pyarrow as pa

S, I64, I32, D, B = pa.string(), pa.int64(), pa.int32(), pa.date32(), pa.bool_()


def column(name: str, kind: pa.DataType, doc: str, *, null: bool = True) -> pa.Field:
    """A column; `doc` is what `sluicegate schema` says of it."""
    return pa.field(name, kind, nullable=null, metadata={"doc": doc})


def row(*columns: pa.Field) -> pa.Schema:
    """A kind of row, by its columns."""
    return pa.schema(columns)
