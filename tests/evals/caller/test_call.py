import asyncio
import json
from contextlib import asynccontextmanager

import numpy as np
import pytest
import soundfile
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from evals.caller.audio import RATE_HZ, Pcm, voiced_runs
from evals.caller.call import Turn, call
from evals.caller.errors import CallError
from evals.caller.loopback import loopback_candidates
from evals.caller.microphone import Microphone

THINKS_SECS = 0.6
CITATION = {"type": "citation", "number": 1, "title": "Hours", "heading_path": [], "quote": "9 to 5", "source": "h.md"}


def voice(secs):
    times = np.arange(round(secs * RATE_HZ)) / RATE_HZ
    return (8_000 * np.sin(2 * np.pi * 300 * times)).astype(np.int16)


class ToneSpeaker:
    async def speak(self, text):
        return Pcm(voice(0.5), RATE_HZ)


class SilentSpeaker:
    async def speak(self, text):
        return Pcm(np.zeros(RATE_HZ, np.int16), RATE_HZ)


class ToneBot:
    """A peer that greets, and answers each utterance with a tone, a while after its last loud frame came in."""

    def __init__(self):
        self.offer_lines = []
        self.pings = 0
        self.hung_up = asyncio.Event()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._mouth = Microphone(on_frame=lambda _secs, _samples: None)
        self._listening = None
        self._peer.on("datachannel", self._on_channel)
        self._peer.on("track", self._on_track)
        self._peer.addTrack(self._mouth)

    async def create(self, _request):
        return web.json_response({"id": "s1", "token": "t1"}, status=201)

    async def offer(self, request):
        body = await request.json()
        self.offer_lines = body["sdp"].splitlines()
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp=body["sdp"], type="offer"))
        with loopback_candidates():
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        local = self._peer.localDescription
        return web.json_response({"sdp": local.sdp, "type": local.type, "pc_id": "p"})

    async def hang_up(self, _request):
        self.hung_up.set()
        return web.Response(status=204)

    async def close(self):
        if self._listening is not None:
            self._listening.cancel()
        await self._peer.close()

    def _on_channel(self, channel):
        self._channel = channel
        channel.on("message", self._on_message)

    def _on_message(self, message):
        if message.startswith("ping"):
            self.pings += 1
        elif json.loads(message)["type"] == "client-ready":
            self._send("bot-ready", {})
            self._mouth.say(voice(0.3))

    def _on_track(self, track):
        self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track):
        answer = None
        while True:
            frame = await track.recv()
            if np.abs(frame.to_ndarray()).max() > 1_000:
                if answer is not None:
                    answer.cancel()
                answer = asyncio.get_running_loop().call_later(THINKS_SECS, self._answer)

    def _answer(self):
        self._send("user-transcription", {"text": "when", "final": True})
        self._send("server-message", CITATION)
        self._mouth.say(voice(0.4))

    def _send(self, kind, data):
        self._channel.send(json.dumps({"label": "rtvi-ai", "type": kind, "data": data}))


@asynccontextmanager
async def running(bot):
    app = web.Application()
    app.router.add_post("/api/ingress/session/create", bot.create)
    app.router.add_post("/api/ingress/session/s1/offer", bot.offer)
    app.router.add_delete("/api/ingress/session/s1", bot.hang_up)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        yield str(server.make_url(""))
    finally:
        await bot.close()
        await server.close()


@pytest.mark.integration
async def test_a_call_is_held_over_the_loopback_address_measured_and_recorded(tmp_path):
    bot = ToneBot()
    async with running(bot) as base_url:
        report = await call(
            base_url=base_url, turns=[Turn("When?")], speaker=ToneSpeaker(), wav_out=tmp_path / "call.wav"
        )
    (turn,) = report.turns
    assert (turn.heard, turn.answered, report.exit_code) == ("when", True, 0)
    assert [citation.source for citation in turn.citations] == ["h.md"]
    assert turn.v2v_ms is not None
    # The jitter buffers at both ends come on top of the bot's own time.
    assert THINKS_SECS * 1000 + 100 <= turn.v2v_ms <= THINKS_SECS * 1000 + 400
    assert bot.hung_up.is_set()
    assert bot.pings >= 1
    assert {line.split()[4] for line in bot.offer_lines if line.startswith("a=candidate:")} == {"127.0.0.1"}
    stereo, rate_hz = soundfile.read(tmp_path / "call.wav", dtype="int16")
    caller, heard = (voiced_runs(stereo[:, channel].astype(np.int16)) for channel in (0, 1))
    assert (rate_hz, len(caller), len(heard)) == (48_000, 1, 2)
    assert (heard[1].start - caller[0].stop) * 1000 / rate_hz == pytest.approx(turn.v2v_ms, abs=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"turns": []}, "nothing to ask"),
        ({"barge_in_secs": 1.0}, "second question"),
        ({"speaker": SilentSpeaker()}, "No voice is to be heard in 'When"),
    ],
    ids=["no question", "a barge-in with one question", "a silent recording"],
)
async def test_a_call_that_cannot_be_held_is_refused_before_it_is_made(options, message):
    with pytest.raises(CallError, match=message):
        await call(**({"base_url": "http://127.0.0.1:9", "turns": [Turn("When?")], "speaker": ToneSpeaker()} | options))


async def test_a_recording_is_not_written_into_a_folder_that_is_missing(tmp_path):
    with pytest.raises(CallError, match="Create it first"):
        await call(
            base_url="http://127.0.0.1:9",
            turns=[Turn("When?")],
            speaker=ToneSpeaker(),
            wav_out=tmp_path / "missing" / "call.wav",
        )


def test_a_recording_is_shown_by_its_name(tmp_path):
    assert Turn(tmp_path / "q1.wav").shown == "q1.wav"
