"""Names, dates and numbers in standard form, as DuckDB SQL."""
