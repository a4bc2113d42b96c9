"""Recall cases: getting a wrong disclosure back, from the day it is found until the recipient has attested that nothing
is left.

`opening` finds what is affected and freezes it at once; `advancing` takes the proof of each later step; `documents`
writes what each step sends out; `deadlines` says what is due. The machine itself is `flows.ledger.lifecycles.cases`.
"""
