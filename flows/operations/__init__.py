"""What helps to run it: doctor, progress, printing."""
