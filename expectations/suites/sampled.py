"""Samples of rows that a checkpoint derives again where it need not look at every row: chosen by a seed, the same on
every re-run of a batch.

Of n rows chosen at random without one that is wrong, a batch with a share s of wrong rows passes with a probability
below (1 - s)^n. With SAMPLE rows and a share of 0.1 % that is below 2 in 10^11; a smaller batch is looked at whole.
"""

from expectations.base.duck import quote

SAMPLE = 25_000
SHARE = 0.001  # of the rows: what a sample bounds


def missed(rows: int = SAMPLE, share: float = SHARE) -> float:
    """The highest probability that `rows` rows hold none that is wrong though a `share` of all are."""
    return float((1 - share) ** rows)


def chosen(rows: str, where: str, seed: str, size: int | None = None) -> str:
    """A SELECT of up to `size` ordinals (SAMPLE, if left out) of `rows`, a FROM item, of those `where` this holds.

    Nobody who does not know the `seed` can tell which; equal hashes are told apart by the ordinal.
    """
    dice = f"md5({quote(seed)} || '|' || CAST(ordinal AS VARCHAR))"
    return f"SELECT ordinal FROM {rows} WHERE {where} ORDER BY {dice}, ordinal LIMIT {size or SAMPLE}"
