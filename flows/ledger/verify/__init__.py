"""All events applied again to an empty database, and compared with the tables that are there."""
