"""The routes that the server answers."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from server import errors
from server.asr.routes import asr
from server.auth import routes as keys
from server.auth.documented import document
from server.health import routes as health
from server.ingress import audio_routes, eval_routes, page_routes, routes
from server.llm.routes import llm
from server.metrics.exposition import Metrics
from server.metrics.requests import RequestMetrics
from server.metrics.routes import router as metrics_router
from server.rag.routes import rag
from server.records import routes as records
from server.tts.routes import tts

PAGE_DIST = Path(__file__).parent.parent / "web" / "dist"


def create_app(metrics: Metrics | None = None) -> FastAPI:
    """The routes; `app.state.services` must be set before the first request. Requests are measured in `metrics`."""
    app = FastAPI(
        title="Jarvis",
        description="A self-hosted voice assistant that answers calls from your own documents.",
        version="0.1.0",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    errors.install(app)
    app.add_middleware(RequestMetrics, seconds=(metrics or Metrics()).request_seconds)
    app.include_router(routes.router)
    app.include_router(records.router)
    app.include_router(audio_routes.router)
    app.include_router(eval_routes.router)
    for service in (asr, llm, tts, rag):
        app.include_router(service)
    app.include_router(keys.router)
    app.include_router(health.router)
    app.include_router(metrics_router)
    app.include_router(page_routes.router)
    app.mount("/call/assets", StaticFiles(directory=PAGE_DIST / "assets", check_dir=False), name="assets")
    document(app)
    return app
