"""What a caller's line is made into for Pipecat's harness."""

import asyncio
import base64
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evals.caller.audio import RATE_HZ, Run, Samples
from evals.caller.ingress import Ingress, Session, SessionState
from evals.caller.line import LOST, Message, WebRtcLine
from evals.caller.recording import Recording
from evals.scenarios import bridge as module
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
        self.arrivals: list[float] = []
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


async def joined(line: PlayedLine, *sent: Message, comes_back: Any = None) -> tuple[Bridge, list[Any]]:
    """What a harness gets that sends this and listens until the line is gone; the ingress is of who comes back."""
    call, ingress = Session(id="6f1c", token="t"), cast(Ingress, comes_back)
    script = Script({2: SAID})
    bridge = Bridge(cast(WebRtcLine, line), script, ingress=ingress, call=call, comes_back=comes_back is not None)
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


class LostLine(PlayedLine):
    """Nothing comes any more; the line that the caller comes back on has what the next bot says."""

    pc_id = "first"

    def __init__(self, after: PlayedLine) -> None:
        super().__init__()
        self.after = after
        self.is_closed = False

    def successor(self) -> PlayedLine:
        return self.after

    async def next_message(self, timeout_secs: float) -> Message | None:
        # As with a line's own messages, which its successor has.
        return await self.after.next_message(timeout_secs)

    async def close(self) -> None:
        self.is_closed = True


class NextLine(PlayedLine):
    """Gives its messages once it is connected."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(*messages)
        self.replaces: str | None = None
        self._is_there = asyncio.Event()

    async def connect(self, exchange: object, *, replaces: str | None) -> None:
        self.replaces = replaces
        self._is_there.set()

    async def next_message(self, timeout_secs: float) -> Message | None:
        await self._is_there.wait()
        return await super().next_message(timeout_secs)


class Asked:
    """An ingress that says how the call stands."""

    def __init__(self, state: str) -> None:
        self._state = state

    async def state(self, call: Session) -> SessionState:
        return SessionState(state=self._state)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOUBTED_SECS", "ASK_SECS"):
        monkeypatch.setattr(module, name, 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_caller_whose_bot_was_lost_comes_back_to_the_next_and_hears_all_that_it_says():
    # The next bot counts what it says from the beginning again.
    after = NextLine(announced(1, "Sorry."), *LOST)
    lost = LostLine(after)
    _, got = await joined(lost, comes_back=Asked("reconnecting"))
    assert (after.replaces, lost.is_closed) == ("first", True)
    assert [each["data"]["text"] for each in got if each["type"] == "bot-llm-text"] == ["Sorry. "]


@pytest.mark.usefixtures("impatient")
async def test_a_line_that_is_quiet_while_its_bot_is_there_is_given_time(monkeypatch: pytest.MonkeyPatch):
    after = NextLine(*LOST)
    asked: list[str] = []

    class Patient(Asked):
        async def state(self, call: Session) -> SessionState:
            asked.append(call.id)
            if len(asked) == 3:
                monkeypatch.setattr(module, "GIVEN_UP_SECS", 0.01)
            return await super().state(call)

    await joined(LostLine(after), comes_back=Patient("connected"))
    assert (len(asked) >= 3, after.replaces) == (True, "first")
