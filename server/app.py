"""The routes that the server answers."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from server import errors
from server.health import routes as health
from server.ingress import page_routes, routes
from server.rag.routes import rag

PAGE_DIST = Path(__file__).parent.parent / "web" / "dist"


def create_app() -> FastAPI:
    """The routes; `app.state.services` must be set before the first request."""
    app = FastAPI(
        title="Jarvis",
        description="A self-hosted voice assistant that answers calls from your own documents.",
        version="0.1.0",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    errors.install(app)
    app.include_router(routes.router)
    app.include_router(rag)
    app.include_router(health.router)
    app.include_router(page_routes.router)
    app.mount("/call/assets", StaticFiles(directory=PAGE_DIST / "assets", check_dir=False), name="assets")
    return app
