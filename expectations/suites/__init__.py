"""The four checkpoints, one module each: what must hold, in the order in which a lawyer would read it.

Each module has `Inputs` (what the stage committed, as relations that can stand in FROM, and facts), `suite` (the
declared checks), `tables` (what they look at: derived again from raw fields, never the stage's own verdicts alone) and
`check`.
"""
