"""Reading CSV, JSON Lines and Parquet that others wrote: submissions, tables of addresses, extracts of a register.

Each format is read in one file, by one reader, into `stretch.Read`s: readable rows as text columns with their row
numbers, and a reject for each row that cannot be read. `formats` has the formats that there are and the reader of
each. What differs from one use to another (limits, delimiter, columns, what a bad row costs) is a parameter.

To add a format: a member of `FileFormat`, a file here, and its entry in `formats.READERS`.
"""
