"""Every Python process that has this folder on its path takes another algorithm for the first of every chain: how tests
run as if each home had had it from its first event. Nothing in the product knows of it."""

import os

if chosen := os.environ.get("TESTED_SCHEME"):
    from expectations.base import algorithms

    algorithms.FIRST = algorithms.Scheme(chosen)
    algorithms.use(algorithms.FIRST)
