"""The bot of Pipecat's own parts."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from evals.bench.stock import StockBot, answerer, recogniser, voice

VARIABLES = {
    "JARVIS_STT": "deepgram",
    "DEEPGRAM_API_KEY": "dg",
    "DEEPGRAM_BASE_URL": "http://127.0.0.1:1",
    "OPENAI_API_KEY": "sk",
    "OPENAI_BASE_URL": "http://127.0.0.1:2/v1",
    "CARTESIA_API_KEY": "ca",
    "CARTESIA_BASE_URL": "http://127.0.0.1:3",
}


@pytest.mark.parametrize(
    ("named", "service"), [("deepgram", "DeepgramSTTService"), ("deepgram_flux", "DeepgramFluxSTTService")]
)
async def test_its_services_are_pipecats_own(named: str, service: str):
    variables = VARIABLES | {"JARVIS_STT": named}
    built = (recogniser(variables), answerer(variables), voice(variables))
    assert [type(each).__name__ for each in built] == [service, "OpenAILLMService", "CartesiaTTSService"]
    assert all(type(each).__module__.startswith("pipecat.") for each in built)


async def test_it_is_called_by_the_routes_that_jarvis_has():
    app = web.Application()
    app.add_routes(StockBot(VARIABLES).routes())
    async with TestClient(TestServer(app)) as client:
        created = await client.post("/api/ingress/session/create", json={})
        assert set(await created.json()) == {"id", "token"}
        assert (await client.delete("/api/ingress/session/stock")).status == 204
