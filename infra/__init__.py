"""How it is run: instruments, deployments, documentation. Data only; code reads it by `importlib.resources`."""
