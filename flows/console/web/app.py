"""The console as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from expectations.base.clock import Clock
from flows.console.web import problems, routes
from flows.console.web.console import Console
from flows.console.web.keeping import Keeper
from flows.console.web.place import Place
from flows.console.web.shield import Shield
from flows.home.tree import Home

_NOTHING: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def make(home: Home, place: Place | None = None, clock: Clock | None = None) -> FastAPI:
    """The console of a home, as sluicegate.toml says or at another place; `app.state.console` is what its routes share.
    Raises Usage as `Place.of` and `Console.of`."""
    console = Console.of(home, place or Place.of(home), clock)
    keeper = Keeper(console.entrance, console.watch)

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        keeper.start()
        try:
            yield
        finally:
            await run_in_threadpool(keeper.stop)
            console.ledger.close()

    # no pages about itself, no second address for a page, and nobody who is sent what was asked and what failed
    app = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=living, telemetry=_NOTHING
    )
    routes.add(app, console)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_middleware(Shield, place=console.place, watch=console.watch)
    app.state.console, app.state.keeper = console, keeper
    return app


async def _unknown(_request: Request, error: Exception) -> Response:
    """What no route is for."""
    return problems.page(error.status_code if isinstance(error, HTTPException) else 404)
