"""Reports made of the ledger alone: the declaration of a batch, the annual report per agency; as Markdown, HTML or JSON."""
