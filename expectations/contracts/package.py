"""The columns of a package: what leaves."""

from expectations.contracts.column import S, column, row

# What may be released. The agreement's `fields` choose among the address columns.
RELEASE = row(
    column("request_id", S, "the requester's own key", null=False),
    column("street", S, "last known address: delivery line"),
    column("unit", S, "last known address: unit"),
    column("urbanization", S, "last known address: Puerto Rico urbanization"),
    column("city", S, "last known address: city"),
    column("state", S, "last known address: state"),
    column("zip", S, "last known address: ZIP"),
)
