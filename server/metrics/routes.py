"""`/metrics`, for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from server.deps import ServicesDep, needs

router = APIRouter(tags=["metrics"])


@router.get(
    "/metrics",
    dependencies=[needs("metrics")],
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format, or OpenMetrics where the reader accepts it",
            "content": {"text/plain": {}, "application/openmetrics-text": {}},
        },
    },
)
async def metrics(held: ServicesDep, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
    """What Prometheus scrapes; `docs/operations.md` says what each metric is."""
    body, content_type = await held.metrics.scrape(held.host, accept=accept)
    return Response(body, headers={"Content-Type": content_type})
