"""The console as a server: who may see which page, and nothing that a page of files does not hold as well."""
