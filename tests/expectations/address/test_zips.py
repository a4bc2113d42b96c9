"""The derived ZIP reference is what the pinned package says: else run `python -m expectations.address.zips`."""

import pyarrow.parquet as pq

from expectations.address import reference, zips


def test_the_data_files_equal_the_package() -> None:
    codes, cities = zips.made()
    assert reference.zip_table().equals(codes)
    assert pq.read_table(reference.DATA / "cities.parquet").equals(cities)
    assert codes.num_rows > 40_000
