"""All metrics of a server, in one registry, and what a scrape of them is."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import choose_encoder

from server.metrics.calls import LAG_BUCKETS, CallMetrics
from server.metrics.costs import CostMetrics
from server.metrics.host import Host, HostCollector
from server.metrics.requests import request_seconds

BEAT_SECS = 1.0


class Metrics:
    """What is counted as it happens, and what is looked at when it is asked for."""

    def __init__(self) -> None:
        # A series of its own for when each other series began is nothing that anybody asked for.
        prometheus_client.disable_created_metrics()
        self.registry = CollectorRegistry(auto_describe=False)
        self.calls = CallMetrics(self.registry)
        self.costs = CostMetrics(self.registry)
        self.request_seconds = request_seconds(self.registry)
        self._lag = Histogram(
            "jarvis_server_loop_lag_seconds",
            "How late the server's event loop came to its heartbeat",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._host = HostCollector(calls=self.calls)
        self.registry.register(self._host)
        self._scraping = asyncio.Lock()

    async def scrape(self, host: Host, *, accept: str) -> tuple[bytes, str]:
        """(body, content type): OpenMetrics where the reader accepts it, else Prometheus' text."""
        encode, content_type = choose_encoder(accept)
        async with self._scraping:
            self._host.look = await host.look()
            return await asyncio.to_thread(encode, self.registry), content_type

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Measures this event loop."""
        measuring = asyncio.create_task(self._measure(), name="loop-lag")
        try:
            yield
        finally:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)

    async def _measure(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_SECS)
            self._lag.observe(max(0.0, time.monotonic() - before - BEAT_SECS))
