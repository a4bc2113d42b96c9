"""A sandbox with invented keys, operators and batches, and the demo that runs in one."""
