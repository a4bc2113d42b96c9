"""When it happens: the Prefect flows, their server, the inbox. Only here is Prefect imported."""
