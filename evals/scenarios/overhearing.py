"""What Pipecat's eval harness and a bot send each other; the harness itself keeps only what it asserts on."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pipecat.evals.script_session import EvalScriptSession
from pipecat.evals.simulation_session import EvalSimulationSession
from pipecat.frames.frames import Frame, OutputAudioRawFrame
from pipecat.serializers.base_serializer import FrameSerializer

from evals.caller.audio import RATE_HZ, Pcm, Samples
from evals.caller.recording import Recording
from evals.caller.speaker import at_48khz
from evals.scenarios.utterances import Mouth

SOUND = "eval-bot-audio"
# A frame that comes no later than this behind the one before it follows it without a gap.
LATE_SECS = 0.1
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One of the bot's RTVI messages; `at_ms` counts from when the session was made, as events' `at` do in seconds."""

    at_ms: float
    type: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class _Stretch:
    at_secs: float
    rate_hz: int
    pcm: bytearray = field(default_factory=bytearray)

    @property
    def end_secs(self) -> float:
        return self.at_secs + len(self.pcm) / (self.rate_hz * SAMPLE_BYTES)


class Side:
    """The sound of one side, each frame where it was sent or came, without the gaps that jitter would make."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []

    def add(self, pcm: bytes, rate_hz: int, *, at_secs: float) -> None:
        """Places a frame of s16le mono sound; in silence, one that came early is cut until it is in time."""
        last = self._stretches[-1] if self._stretches else None
        if last is None or last.rate_hz != rate_hz or at_secs - last.end_secs > LATE_SECS:
            start = at_secs if last is None else max(at_secs, last.end_secs)
            self._stretches.append(last := _Stretch(start, rate_hz))
        early = max(0, round((last.end_secs - at_secs) * rate_hz))
        last.pcm.extend(pcm if any(pcm) else pcm[early * SAMPLE_BYTES :])

    def placed(self) -> list[tuple[int, Samples]]:
        """Each stretch of sound at 48 kHz, and the sample it begins at. Blocks."""
        return [
            (round(each.at_secs * RATE_HZ), at_48khz(Pcm(np.frombuffer(bytes(each.pcm), np.int16), each.rate_hz)))
            for each in self._stretches
        ]


class Overheard:
    """Hears both sides of a session from its making on; it must not have run yet.

    With a `mouth`, the session plays cues, and what is said for them is what goes to the bot.
    """

    def __init__(
        self,
        session: EvalScriptSession | EvalSimulationSession,
        *,
        clock: Callable[[], float] = time.monotonic,
        mouth: Mouth | None = None,
    ):
        self.messages: list[Message] = []
        self._caller, self._sent, self._bot = Side(), Side(), Side()
        self._mouth = mouth
        self._clock = clock
        self._began = session._stream._t0
        client = session._client
        made = client._transport

        def overheard():
            transport = made()
            serializer = transport._params.serializer
            assert serializer is not None
            self._listen(serializer)
            return transport

        # Pipecat's client drops the messages that it knows no frame for, and has no event for the others.
        client._transport = overheard

    def elapsed_secs(self) -> float:
        """Since the session was made; its events' `at` are this to a thousandth."""
        return self._clock() - self._began

    def recording(self, *, as_sent: bool = False) -> Recording:
        """Both sides on the clock of the messages, the caller's as it left the mouth or as it was sent. Blocks."""
        recording = Recording()
        caller = self._caller if self._mouth is None or not as_sent else self._sent
        for position, samples in caller.placed():
            recording.write_caller(position, samples)
        for position, samples in self._bot.placed():
            recording.write_bot(position, samples)
        return recording

    def _listen(self, serializer: FrameSerializer) -> None:
        deserialize, serialize = serializer.deserialize, serializer.serialize

        async def heard(data: str | bytes) -> Frame | None:
            at_secs = self.elapsed_secs()
            self._note(data, at_secs=at_secs)
            return await deserialize(data)

        async def spoke(frame: Frame) -> str | bytes | None:
            if not isinstance(frame, OutputAudioRawFrame):
                return await serialize(frame)
            sent = frame
            # It was spoken before it was sent, as a microphone's is.
            at_secs = max(0.0, self.elapsed_secs() - len(frame.audio) / (frame.sample_rate * SAMPLE_BYTES))
            if self._mouth is not None:
                said, arrived = self._mouth.next(frame.audio)
                frame, sent = _with(frame, said), _with(frame, arrived)
                self._sent.add(sent.audio, sent.sample_rate, at_secs=at_secs)
            self._caller.add(frame.audio, frame.sample_rate, at_secs=at_secs)
            return await serialize(sent) if sent.audio else None

        serializer.deserialize, serializer.serialize = heard, spoke

    def _note(self, data: str | bytes, *, at_secs: float) -> None:
        try:
            message = json.loads(data)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        told = message.get("data")
        told = told if isinstance(told, dict) else {}
        if message.get("type") != SOUND:
            self.messages.append(Message(round(at_secs * 1000, 3), str(message.get("type")), told))
        elif audio := base64.b64decode(told.get("audio", "")):
            # Pipecat's client resamples it in blocks of some 70 ms, and holds back the last when the bot is silent.
            self._bot.add(audio, int(told["sampleRate"]), at_secs=at_secs)


def _with(frame: OutputAudioRawFrame, audio: bytes) -> OutputAudioRawFrame:
    return OutputAudioRawFrame(audio=audio, sample_rate=frame.sample_rate, num_channels=frame.num_channels)
