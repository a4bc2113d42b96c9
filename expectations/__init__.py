"""What must hold: schemas, codes, instruments, rules, suites. Imports nothing of ours from the other folders."""
