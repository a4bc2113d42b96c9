"""Recall: past disclosures looked at again, from the evidence that was kept of them. Nothing here writes to a register or a lake."""
