"""What a GX project needs to run our checkpoints: the expectations, the dialect, the action that gives the verdict.

These files import Great Expectations, SQLAlchemy, DuckDB and its dialect, and nothing of ours: `gates export` copies
them beside an exported project as they are. Importing them imports GX (seconds): do it late.
"""
