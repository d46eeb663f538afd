import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evals.caller.errors import CallError
from evals.caller.ingress import Description, Ingress, Session

pytestmark = pytest.mark.integration

SESSION = Session(id="s1", token="t1")
OFFER = Description(sdp="v=0", type="offer")


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def serve():
    servers = []

    async def start(handler):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        return str(server.make_url(""))

    yield start
    for server in servers:
        await server.close()


def problem(status, **headers):
    body = {"title": "No room", "detail": "All 4 places are taken.", "status": status}
    return web.json_response(body, status=status, content_type="application/problem+json", headers=headers)


async def test_a_session_is_created(http, serve):
    async def handler(request):
        assert (request.method, request.path) == ("POST", "/api/ingress/session/create")
        return web.json_response({"id": "s1", "token": "t1", "call_link": "l", "expires_at": "e"}, status=201)

    assert await Ingress(base_url=await serve(handler), http=http).create() == SESSION


async def test_an_offer_carries_the_token_and_brings_the_answer(http, serve):
    async def handler(request):
        assert (request.method, request.path) == ("POST", "/api/ingress/session/s1/offer")
        assert request.headers["Authorization"] == "Bearer t1"
        assert await request.json() == {"sdp": "v=0", "type": "offer", "pc_id": None}
        return web.json_response({"sdp": "v=1", "type": "answer", "pc_id": "p"})

    answer = await Ingress(base_url=await serve(handler), http=http).offer(SESSION, OFFER)
    assert answer == Description(sdp="v=1", type="answer", pc_id="p")


async def test_a_change_of_the_call_carries_the_operators_key(http, serve):
    asked = []

    async def handler(request):
        asked.append((request.method, request.path, request.headers["Authorization"], await request.json()))
        return web.Response(status=204)

    await Ingress(base_url=await serve(handler), http=http, key="k").change(SESSION, {"llm": "anthropic"})
    assert asked == [("PATCH", "/api/ingress/session/s1", "Bearer k", {"llm": "anthropic"})]


async def test_a_caller_who_comes_back_says_which_line_was_lost(http, serve):
    async def handler(request):
        assert await request.json() == {"sdp": "v=0", "type": "offer", "pc_id": "p", "restart_pc": True}
        return web.json_response({"sdp": "v=1", "type": "answer", "pc_id": "q"})

    again = Description(sdp="v=0", type="offer", pc_id="p", restart_pc=True)
    assert (await Ingress(base_url=await serve(handler), http=http).offer(SESSION, again)).pc_id == "q"


async def test_how_a_session_stands_is_asked_with_the_token(http, serve):
    async def handler(request):
        assert request.headers["Authorization"] == "Bearer t1"
        return web.json_response({"id": "s1", "state": "ended", "end_reason": "idle"})

    state = await Ingress(base_url=await serve(handler), http=http).state(SESSION)
    assert (state.state, state.end_reason) == ("ended", "idle")


async def test_hanging_up_ends_the_session(http, serve):
    seen = []

    async def handler(request):
        seen.append((request.method, request.path, request.headers["Authorization"]))
        return web.Response(status=204)

    await Ingress(base_url=await serve(handler), http=http).hang_up(SESSION)
    assert seen == [("DELETE", "/api/ingress/session/s1", "Bearer t1")]


async def test_a_refusal_is_told_with_its_title_detail_and_when_to_retry(http, serve):
    async def handler(_request):
        return problem(503, **{"Retry-After": "30"})

    with pytest.raises(CallError, match=r"\(503 No room: All 4 places are taken\.\)\. Try again in 30 s\."):
        await Ingress(base_url=await serve(handler), http=http).create()


async def test_a_refusal_without_a_problem_is_told_with_its_reason(http, serve):
    async def handler(_request):
        return web.Response(status=502, text="<html>")

    with pytest.raises(CallError, match=r"\(502 Bad Gateway\)"):
        await Ingress(base_url=await serve(handler), http=http).create()


async def test_a_server_that_is_something_else_is_told_apart(http, serve):
    async def handler(_request):
        return web.Response(text="hello")

    with pytest.raises(CallError, match="is not Jarvis"):
        await Ingress(base_url=await serve(handler), http=http).create()


async def test_a_server_that_is_away_is_told(http, unused_tcp_port):
    with pytest.raises(CallError, match="No server answers at"):
        await Ingress(base_url=f"http://127.0.0.1:{unused_tcp_port}", http=http).create()


async def test_an_address_that_is_none_is_told(http):
    with pytest.raises(CallError, match="is not an address"):
        await Ingress(base_url="nonsense", http=http).create()


async def test_hanging_up_a_server_that_is_away_is_no_error(http, unused_tcp_port):
    await Ingress(base_url=f"http://127.0.0.1:{unused_tcp_port}", http=http).hang_up(SESSION)
