"""Peak memory of reading the addresses of one Parquet file, in a process of its own: `python -m tests.bench.memory FILE OUT`."""

from __future__ import annotations

import sys

from expectations import address
from expectations.base import duck
from tests.bench.measured import peak_mb


def main(source: str, target: str) -> None:
    """Derives every address of `source` (parts) into `target`, and prints the peak memory of this process in MB."""
    with duck.session(duck.DuckSettings(threads=1)) as connection:
        address.setup(connection)
        query = address.derive(f"read_parquet({duck.quote(source)})", one_line=False)
        connection.execute(f"COPY ({query}) TO {duck.quote(target)} (FORMAT parquet)")
    print(peak_mb())


if __name__ == "__main__":
    main(*sys.argv[1:3])
