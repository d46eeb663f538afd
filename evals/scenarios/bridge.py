"""Pipecat's eval harness on a caller's WebRTC line: what comes from the bot is told as its eval channel tells it.

The harness joins a websocket of this process. It plays cues there (`utterances`), which the line's microphone speaks
for, and hears what the line hears.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from aiohttp import WSMsgType, web
from loguru import logger
from pipecat.processors.frameworks.rtvi.models import MESSAGE_LABEL

from evals.caller.audio import RATE_HZ, Run, Samples
from evals.caller.errors import CallError
from evals.caller.ingress import Ingress, Session
from evals.caller.line import Message, WebRtcLine
from evals.caller.loopback import is_loopback
from evals.caller.recording import Recording
from evals.scenarios.harness import Joined
from evals.scenarios.overhearing import SOUND, Overheard
from evals.scenarios.utterances import Cues, Mouth, Script, Utterance

CHANNEL = "webrtc"
HARNESS = "/harness"
GREETING_SECS = 5.0
POLL_SECS = 0.02
SETTLE_SECS = 0.2
# The line's sound is heard so far behind: what comes late in it has come by then.
EARS_BEHIND_SECS, EARS_SECS = 0.1, 0.04
# When a browser doubts its line, asks again, and dials anew or gives up, as in `web/src/line.ts`.
DOUBTED_SECS, ASK_SECS, GIVEN_UP_SECS, LOST_SECS = 0.4, 0.25, 2.5, 30.0


class WebRtcWay:
    """Gets a harness onto a line like a browser's."""

    channel = CHANNEL

    def __init__(self, said: Script, *, base_url: str, comes_back: bool = False) -> None:
        """Who `comes_back` dials again where the line is lost."""
        self._said = said
        self._base_url = base_url
        self._comes_back = comes_back

    @asynccontextmanager
    async def join(self, ingress: Ingress, call: Session) -> AsyncIterator[Joined]:
        """Its place in the call, until that is over."""
        line = WebRtcLine(only_loopback=is_loopback(urlsplit(self._base_url).hostname or ""), room=self._said.room)
        bridge = Bridge(line, self._said, ingress=ingress, call=call, comes_back=self._comes_back)
        app = web.Application()
        app.router.add_get(HARNESS, bridge.attach)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            bridge.url = f"ws://127.0.0.1:{runner.addresses[0][1]}{HARNESS}"
            yield bridge
        finally:
            await bridge.close()
            await runner.cleanup()


class Bridge:
    """One call's line, with the harness that is joined to it."""

    mouth: Mouth | None = None

    def __init__(
        self, line: WebRtcLine, said: Script, *, ingress: Ingress, call: Session, comes_back: bool = False
    ) -> None:
        self.url = ""
        self._comes_back = comes_back
        self._line = line
        self._said = said
        self._ingress = ingress
        self._call = call
        self._cues = Cues(said)
        self._telling = Telling()
        self._speaking: Utterance | None = None
        self._spoken: list[tuple[Run, Utterance]] = []

    async def connect(self) -> None:
        """Connects media; raises `CallError` where that fails."""
        await self._line.connect(lambda offer: self._ingress.offer(self._call, offer))

    async def close(self) -> None:
        """Releases the line that is in use."""
        await self._line.close()

    async def attach(self, request: web.Request) -> web.WebSocketResponse:
        """Serves the harness until it hangs up, or the bot does."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        pumps = [asyncio.create_task(self._tell(socket)), asyncio.create_task(self._sound(socket))]
        if self._comes_back:
            pumps.append(asyncio.create_task(self._watch()))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(json.loads(message.data))
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        return socket

    def recordings(self, overheard: Overheard) -> tuple[Recording, Recording]:
        """As the caller spoke and heard, and as it was sent, on the clock of the messages. Blocks."""
        self._finish()
        offset = round((overheard.elapsed_secs() - self._line.now_secs) * RATE_HZ)
        line = self._line.recording
        spoken, sent = Recording(), Recording()
        for run, utterance in self._spoken:
            spoken.write_caller(offset + run.start, utterance.said)
        sent.write_caller(offset, line.caller)
        for each in (spoken, sent):
            each.write_bot(offset, line.bot)
        return spoken, sent

    async def _take(self, message: Mapping[str, Any]) -> None:
        """What the harness sends; what only the eval channel knows is dropped, and the line said that it is ready."""
        match message.get("type"):
            case "raw-audio":
                at = self._cues.next(base64.b64decode(message["data"]["base64Audio"]))
                if at is not None and at[1] == 0:
                    await self._say(self._said.utterances[at[0]])
            case "client-ready" | "client-message":
                pass
            case _:
                self._line.send(message)

    async def _say(self, utterance: Utterance) -> None:
        # The microphone begins with its next frame, so that it may be a frame behind the cue before this one.
        while self._speaking is not None and self._line.spoken is None:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECS)
        self._finish()
        self._speaking = utterance
        self._line.say(utterance.sent, utterance.packets)

    def _finish(self) -> None:
        if self._speaking is not None and (run := self._line.spoken) is not None:
            self._spoken.append((run, self._speaking))
        self._speaking = None

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        greeted_by = self._line.now_secs + GREETING_SECS
        while True:
            message = await self._line.next_message(GREETING_SECS)
            told = [] if message is None else self._telling.of(message)
            if self._line.now_secs > greeted_by:
                told += self._telling.ready()
            for each in told:
                if each.get("type") == "bot-stopped-speaking":
                    # The end of an answer waits its turn in the harness, and this does not.
                    await asyncio.sleep(SETTLE_SECS)
                await socket.send_json({"label": MESSAGE_LABEL, **each})
            if message is not None and _is_gone(message):
                await socket.close()
                return

    async def _watch(self) -> None:
        """Dials again as a browser does: once there is another bot, or where nothing comes for long."""
        heard_mono = time.monotonic()
        while (silent_secs := time.monotonic() - heard_mono) < LOST_SECS:
            await asyncio.sleep(ASK_SECS)
            heard_mono = max([heard_mono, *self._line.arrivals[-1:]])
            if silent_secs < DOUBTED_SECS:
                continue
            try:
                state = (await self._ingress.state(self._call)).state
                if state == "reconnecting" or (state == "connected" and silent_secs >= GIVEN_UP_SECS):
                    await self._come_back()
                    heard_mono = time.monotonic()
            except CallError as error:
                logger.info("the caller is not back yet: {}", error)

    async def _come_back(self) -> None:
        lost, line = self._line, self._line.successor()
        try:
            await line.connect(lambda offer: self._ingress.offer(self._call, offer), replaces=lost.pc_id)
        except BaseException:
            await line.close()
            raise
        # What was being said into the lost line is over.
        self._finish()
        self._line, self._telling = line, Telling()
        await lost.close()

    async def _sound(self, socket: web.WebSocketResponse) -> None:
        heard = self._heard_until()
        while True:
            await asyncio.sleep(EARS_SECS)
            until = self._heard_until()
            if until > heard:
                samples = _between(self._line.recording.bot, heard, until)
                audio = base64.b64encode(samples.tobytes()).decode()
                data = {"audio": audio, "sampleRate": RATE_HZ, "numChannels": 1}
                await socket.send_json({"label": MESSAGE_LABEL, "type": SOUND, "data": data})
                heard = until

    def _heard_until(self) -> int:
        return max(0, round((self._line.now_secs - EARS_BEHIND_SECS) * RATE_HZ))


class Telling:
    """What a caller is told, as Pipecat's harness must be told it.

    To the harness, all that is given to the voice is an answer of the language model, as on the eval channel. It takes
    the bot for ready once the greeting has begun, which it would take for an answer otherwise.
    """

    def __init__(self) -> None:
        self._ready: Message | None = None
        self._answering = False
        self._announced: set[Any] = set()

    def of(self, message: Message) -> list[Message]:
        """What to tell for one of the bot's messages."""
        data = message.get("data")
        data = data if isinstance(data, Mapping) else {}
        match message.get("type"):
            case "bot-ready":
                self._ready = message
                return []
            case "bot-output":
                return [*self._answer(data), message]
            case "bot-started-speaking":
                return [message, *self.ready()]
            case "bot-stopped-speaking" if self._answering:
                self._answering = False
                return [{"type": "bot-llm-stopped", "data": {}}, message]
            case "bot-interrupted":
                self._answering = False
        return [message] if message.get("label") == MESSAGE_LABEL else []

    def ready(self) -> Sequence[Message]:
        """That the bot is ready, if it said so and nobody was told."""
        ready, self._ready = self._ready, None
        return [] if ready is None else [ready]

    def _answer(self, data: Mapping[str, Any]) -> list[Message]:
        segment = data.get("segment_id")
        if not data.get("will_be_spoken") or segment in self._announced:
            return []
        self._announced.add(segment)
        text: Message = {"type": "bot-llm-text", "data": {"text": f"{data.get('text', '')} "}}
        began, self._answering = not self._answering, True
        return [{"type": "bot-llm-started", "data": {}}, text] if began else [text]


def _is_gone(message: Message) -> bool:
    told = message.get("message")
    return message.get("type") == "signalling" and isinstance(told, Mapping) and told.get("type") == "peerLeft"


def _between(samples: Samples, start: int, stop: int) -> Samples:
    """The samples from there to there, silence where there are none yet."""
    found = samples[start:stop]
    return np.pad(found, (0, stop - start - found.size))
