"""Calls that lose what serves them, and go on: bots, servers and databases killed in mid-call."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from bot.wire import send_text
from evals.caller.ingress import Ingress, Session
from evals.caller.line import WebRtcLine
from evals.caller.speaker import at_48khz, read_recording
from evals.program import RECORDINGS, Jarvis

pytestmark = pytest.mark.e2e

PATIENCE_SECS = 30.0
CREATE = "/api/ingress/session/create"
MEMBERSHIP, RENTAL = "How much does the membership cost?", "How much is it to hire an electric bike for one day?"


class Caller:
    """A caller who hears the words that the bot begins to say."""

    def __init__(self, ingress: Ingress, session: Session):
        self._ingress = ingress
        self.session = session
        self.line = WebRtcLine(only_loopback=True)
        self._asked_on: WebRtcLine | None = None

    async def join(self) -> None:
        await self.line.connect(lambda offer: self._ingress.offer(self.session, offer))

    async def come_back(self) -> None:
        """Joins again by a new connection, as a page does that lost the old one."""
        lost, self.line = self.line, WebRtcLine(only_loopback=True)
        await self.line.connect(lambda offer: self._ingress.offer(self.session, offer), replaces=lost.pc_id)
        await lost.close()

    async def ask(self, name: str) -> None:
        """Speaks a recording, once what was asked before has left the microphone: an answer may come sooner."""
        async with asyncio.timeout(PATIENCE_SECS):
            while self._asked_on is self.line and self.line.spoken is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        self._asked_on = self.line
        self.line.say(at_48khz(read_recording(RECORDINGS / "slt" / f"{name}.flac")))

    def types(self, question: str) -> None:
        """Asks in writing, where hearing is not what is tested: beside servers that start a word may be misheard."""
        self.line.send(send_text(question, message_id="typed"))

    async def hears(self, words: str) -> None:
        """Returns when the bot says this."""
        said: list[str] = []
        heard: list[str] = []
        deadline = time.monotonic() + PATIENCE_SECS
        while time.monotonic() < deadline:
            message = await self.line.next_message(0.1)
            match message:
                case {"type": "bot-output", "data": {"text": text}}:
                    said.append(text)
                    if words in text:
                        return
                case {"type": "user-transcription", "data": {"final": True, "text": text}}:
                    heard.append(text)
        raise AssertionError(f"{words!r} was never said, but {sorted(set(said))}; the bot heard {heard}")

    async def state(self) -> str:
        return (await self._ingress.state(self.session)).state


@asynccontextmanager
async def on_a_call(jarvis: Jarvis) -> AsyncIterator[Caller]:
    """A caller who was greeted."""
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        caller = Caller(ingress, await ingress.create())
        try:
            await caller.join()
            await caller.hears("How can I help?")
            yield caller
        finally:
            await ingress.hang_up(caller.session)
            await caller.line.close()


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def became(caller: Caller, state: str) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while await caller.state() != state:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def calls(jarvis: Jarvis) -> dict[str, dict[str, Any]]:
    _, overview, _ = jarvis.request("GET", "/api/ingress/sessions", token=jarvis.operator_key())
    return {call["id"]: call for call in overview["sessions"]}


async def test_a_question_whose_bot_was_killed_is_answered_by_the_next(jarvis: Jarvis):
    async with on_a_call(jarvis) as caller:
        await caller.ask("q18")
        await caller.hears("49 dollars")
        jarvis.bot_of(caller.session.id).kill()
        await became(caller, "reconnecting")
        await caller.come_back()
        await caller.hears("Sorry, I lost you for a moment.")
        await caller.hears("49 dollars")
        await became(caller, "connected")
        assert calls(jarvis)[caller.session.id]["bots"] == 2


async def test_a_bot_that_hangs_is_replaced(jarvis: Jarvis):
    async with on_a_call(jarvis) as caller:
        os.kill(jarvis.bot_of(caller.session.id).pid, signal.SIGSTOP)
        await became(caller, "reconnecting")
        await caller.come_back()
        await caller.hears("Sorry, I lost you for a moment.")


async def test_a_caller_who_lost_the_network_comes_back_to_the_same_bot(jarvis: Jarvis):
    async with on_a_call(jarvis) as caller:
        bot = jarvis.bot_of(caller.session.id)
        await caller.come_back()
        await caller.hears("Sorry, I lost you for a moment.")
        await caller.ask("q18")
        await caller.hears("49 dollars")
        assert jarvis.bot_of(caller.session.id) == bot


async def test_a_call_that_the_operator_ends_in_mid_answer_ends_by_itself(jarvis: Jarvis):
    async with on_a_call(jarvis) as caller:
        caller.types(RENTAL)
        await caller.hears("70 dollars")
        path = f"/api/ingress/session/{caller.session.id}"
        logged = len(jarvis.log.read_text(errors="replace"))
        status, _, _ = await asyncio.to_thread(jarvis.request, "DELETE", path, None, jarvis.operator_key())
        assert status == 204
        await became(caller, "ended")
        assert "sending SIGTERM" not in jarvis.log.read_text(errors="replace")[logged:]


async def test_an_offer_of_a_caller_who_comes_back_that_is_none_leaves_the_call_as_it_is(jarvis: Jarvis):
    async with on_a_call(jarvis) as caller:
        offer = {"sdp": "not sdp m=audio", "type": "offer", "pc_id": caller.line.pc_id, "restart_pc": True}
        path = f"/api/ingress/session/{caller.session.id}/offer"
        status, _, _ = await asyncio.to_thread(jarvis.request, "POST", path, offer, caller.session.token)
        caller.types(MEMBERSHIP)
        await caller.hears("49 dollars")
        assert status == 422


async def test_calls_outlive_their_server_and_the_next_one_takes_them_over(own_jarvis: Jarvis, data_dir: Path):
    async with on_a_call(own_jarvis) as caller:
        own_jarvis.kill()
        await caller.ask("q18")
        await caller.hears("49 dollars")
        await asyncio.to_thread(own_jarvis.start)
        await until(lambda: calls(own_jarvis).get(caller.session.id, {}).get("turns") == 1)
        await caller.ask("q14")
        await caller.hears("70 dollars")
        path = f"/api/ingress/session/{caller.session.id}"
        status, _, _ = await asyncio.to_thread(own_jarvis.request, "DELETE", path, None, own_jarvis.operator_key())
        assert status == 204
        await until(lambda: not calls(own_jarvis))


async def test_a_command_beside_a_call_that_lost_its_server_leaves_it_its_documents(own_jarvis: Jarvis):
    async with on_a_call(own_jarvis) as caller:
        own_jarvis.kill()
        listed = await asyncio.to_thread(own_jarvis.command, "documents")
        caller.types(MEMBERSHIP)
        try:
            await caller.hears("the membership page")
        finally:
            await asyncio.to_thread(own_jarvis.start)
        assert listed.code == 0


async def test_a_killed_server_without_calls_leaves_no_process(data_dir: Path):
    jarvis = Jarvis(data_dir)
    jarvis.start()
    family = jarvis.process.children(recursive=True)
    jarvis.kill()
    _, left = await asyncio.to_thread(psutil.wait_procs, family, PATIENCE_SECS)
    await until(lambda: not [each for each in left if each.is_running() and each.status() != psutil.STATUS_ZOMBIE])


async def test_a_redis_that_dies_is_started_again_and_knows_the_calls_again(own_jarvis: Jarvis):
    async with on_a_call(own_jarvis) as caller:
        family = own_jarvis.process.children(recursive=True)
        (redis,) = [each for each in family if each.name() in ("redis-server", "valkey-server")]
        redis.kill()
        status, other, _ = await asyncio.to_thread(own_jarvis.request, "POST", CREATE, {})
        caller.types(MEMBERSHIP)
        await caller.hears("49 dollars")
        await until(lambda: own_jarvis.request("GET", "/readyz")[1]["parts"]["redis"])
        await until(lambda: caller.session.id in calls(own_jarvis))
        assert status == 201
        path = f"/api/ingress/session/{other['id']}"
        await asyncio.to_thread(own_jarvis.request, "DELETE", path, None, other["token"])


async def test_a_draining_server_finishes_its_call_while_its_successor_takes_new_ones(
    own_jarvis: Jarvis, data_dir: Path
):
    port = int(own_jarvis.url.rpartition(":")[2])
    successor = Jarvis(data_dir)
    async with on_a_call(own_jarvis) as caller:
        drained = own_jarvis.process
        drained.send_signal(signal.SIGTERM)
        await until(lambda: own_jarvis.request("GET", "/readyz")[1]["draining"])
        status, problem, headers = await asyncio.to_thread(own_jarvis.request, "POST", CREATE, {})
        assert (status, headers["retry-after"], bool(problem["detail"])) == (503, "1", True)
        await asyncio.to_thread(successor.start, port=port)
        try:
            async with on_a_call(successor):
                caller.types(MEMBERSHIP)
                await caller.hears("49 dollars")
                assert len(calls(successor)) == 2
            await caller.ask("q14")
            await caller.hears("70 dollars")
            assert await caller.state() == "connected"
        finally:
            own_jarvis.request("DELETE", f"/api/ingress/session/{caller.session.id}", token=caller.session.token)
            _, left = await asyncio.to_thread(psutil.wait_procs, [drained], PATIENCE_SECS)
            successor.stop()
        assert left == []
