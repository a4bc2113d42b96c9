"""Who and what counts: enrolled instruments and operators, what is in force, and the signatures that it takes."""
