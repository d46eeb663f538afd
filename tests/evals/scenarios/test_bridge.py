"""What a caller's line is made into for Pipecat's harness."""

import asyncio
import base64
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from evals.caller.audio import RATE_HZ, Run, Samples
from evals.caller.ingress import Ingress, Session
from evals.caller.line import LOST, Message, WebRtcLine
from evals.caller.recording import Recording
from evals.scenarios.bridge import Bridge, Telling
from evals.scenarios.overhearing import Overheard
from evals.scenarios.utterances import CUE_SAMPLES, Script, Utterance

LABEL = "rtvi-ai"
SAID = Utterance(np.full(RATE_HZ // 25, 1000, np.int16), np.full(RATE_HZ // 25, 900, np.int16))


def message(kind: str, **data: Any) -> Message:
    return {"label": LABEL, "type": kind, "data": data}


def told(*messages: Message) -> list[tuple[str, str]]:
    telling = Telling()
    found = [each for message in messages for each in telling.of(message)]
    return [(each["type"], each.get("data", {}).get("text", "")) for each in found]


def announced(segment: int, text: str) -> Message:
    return message("bot-output", segment_id=segment, text=text, will_be_spoken=True)


def test_what_is_given_to_the_voice_is_an_answer_that_ends_before_the_voice_does():
    speech = [announced(1, "Nine."), announced(1, "Nine."), announced(2, "Bye."), message("bot-stopped-speaking")]
    assert [each for each in told(*speech) if each[0] != "bot-output"] == [
        ("bot-llm-started", ""), ("bot-llm-text", "Nine. "), ("bot-llm-text", "Bye. "), ("bot-llm-stopped", ""),
        ("bot-stopped-speaking", ""),
    ]  # fmt: skip


def test_an_answer_that_was_spoken_over_goes_on_with_another():
    kinds = [kind for kind, _ in told(announced(1, "Nine."), message("bot-interrupted"), announced(2, "Ten."))]
    assert kinds.count("bot-llm-started") == 2
    assert "bot-llm-stopped" not in kinds


def test_what_is_only_shown_is_not_said():
    assert told(message("bot-output", segment_id=1, text="x", will_be_spoken=False)) == [("bot-output", "x")]


def test_the_bot_is_ready_once_it_has_begun_to_greet():
    kinds = [kind for kind, _ in told(message("bot-ready"), message("tick"), message("bot-started-speaking"))]
    assert kinds == ["tick", "bot-started-speaking", "bot-ready"]


class PlayedLine:
    """Has spoken at once, and gives its messages in order."""

    def __init__(self, *messages: Message) -> None:
        self.recording = Recording()
        self.now_secs = 1.0
        self.spoken: Run | None = None
        self.said: list[Samples] = []
        self.sent: list[Message] = []
        self._messages = list(messages)

    def say(self, samples: Samples, fates: Sequence[object] = ()) -> None:
        self.said.append(samples)
        self.spoken = Run(48_000, 48_000 + samples.size)

    def send(self, message: Message) -> None:
        self.sent.append(message)

    async def next_message(self, timeout_secs: float) -> Message | None:
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)


async def joined(line: PlayedLine, *sent: Message) -> tuple[Bridge, list[Any]]:
    """What a harness gets that sends this and listens until the line is gone."""
    call = Session(id="6f1c", token="t")
    bridge = Bridge(cast(WebRtcLine, line), Script({2: SAID}), ingress=cast(Ingress, None), call=call)
    app = web.Application()
    app.router.add_get("/", bridge.attach)
    async with (
        TestServer(app, host="127.0.0.1") as server,
        aiohttp.ClientSession() as http,
        http.ws_connect(server.make_url("/")) as socket,
    ):
        for each in sent:
            await socket.send_json(each)
        if sent:
            await socket.close()
        return bridge, [each.json() async for each in socket if each.type is aiohttp.WSMsgType.TEXT]


def cue(turn: int) -> Message:
    audio = base64.b64encode(np.full(CUE_SAMPLES, turn + 1, np.int16).tobytes()).decode()
    return {"label": LABEL, "type": "raw-audio", "data": {"base64Audio": audio}}


async def test_a_cue_has_the_line_say_what_is_sent_and_the_recording_has_what_was_said():
    line = PlayedLine()
    bridge, _ = await joined(line, cue(2))
    assert [int(each[0]) for each in line.said] == [900]
    spoken, _ = bridge.recordings(cast(Overheard, SimpleNamespace(elapsed_secs=lambda: 3.0)))
    assert (int(np.flatnonzero(spoken.caller)[0]), int(spoken.caller.max())) == (3 * 48_000, 1000)


async def test_what_only_an_eval_channel_knows_is_not_sent():
    line = PlayedLine()
    await joined(line, message("client-ready"), message("client-message", t="eval-cancel"), message("send-text"))
    assert [each["type"] for each in line.sent] == ["send-text"]


async def test_a_line_that_is_gone_is_hung_up_to_the_harness():
    _, got = await joined(PlayedLine(message("notice", text="Bye."), *LOST))
    assert "notice" in [each["type"] for each in got]
