"""What helps to run it: doctor, progress, printing, and what others are told: word, metrics, traces, logs, lineage."""
