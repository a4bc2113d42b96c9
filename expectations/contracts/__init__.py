"""The rows between stages, as Arrow schemas, and the closed lists of outcomes and tiers.

Everything that crosses a stage is Parquet in one of these schemas. `ordinal` is the identity of a row inside its batch
(0, 1, 2 … over the data files in the letter's order, header not counted; control rows count down from -1): the only
thing about a row that may be logged.
"""
