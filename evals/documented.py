"""The client of `docs/audio-ingest.md`, run as the document has it, and conversations that it holds."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import soundfile
import soxr

from evals.caller.audio import RATE_HZ, Run, Samples, stereo
from evals.caller.conversation import Conversation, Question
from evals.caller.line import Message
from evals.caller.recording import Recording
from evals.caller.report import CallReport, report_call
from evals.caller.speaker import at_48khz, read_recording
from evals.caller.transcript import Transcript
from evals.program import ROOT

DOCUMENT = ROOT / "docs" / "audio-ingest.md"
CLIENT, OPUS = "audio_client.py", "Opus for"
# What the client keeps listening after the last word; the conversation has heard the answer out by then.
PATIENCE_SECS = 0.1


def documented(mark: str) -> ModuleType:
    """The document's Python block whose docstring has this mark in it, as a module."""
    blocks = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    code = next(block for block in blocks if mark in block.split('"""')[1])
    module = ModuleType("documented")
    exec(compile(code, f"{DOCUMENT.name}: {mark}", "exec"), vars(module))  # noqa: S102  (our own document)
    return module


def opus_halves() -> dict[str, Any]:
    """What the client's `call` is handed for Opus."""
    halves = documented(OPUS)
    return {"codec": "opus", "encode": halves.encoder(), "decode": halves.decoder()}


class ProgramLine:
    """The ends of a line that a program is on: the microphone that it reads and the loudspeaker that it plays on.

    Positions are of the moment at which the program read or played: what it sends is recorded as it leaves it, what it
    gets as it arrives.
    """

    def __init__(self, *, rate_hz: int, loudspeaker: Any) -> None:
        self.recording = Recording()
        self.loudspeaker = loudspeaker
        self._rate_hz = rate_hz
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._unspoken = b""
        self._first: int | None = None
        self._spoken: Run | None = None
        self._over = False

    @property
    def now_secs(self) -> float:
        return self.loudspeaker.now() / 2 / self._rate_hz

    @property
    def spoken(self) -> Run | None:
        return self._spoken

    def say(self, samples: Samples) -> None:
        self._unspoken = soxr.resample(samples, RATE_HZ, self._rate_hz).astype(np.int16).tobytes()
        self._first = self._spoken = None

    async def next_message(self, timeout_secs: float) -> Message | None:
        try:
            return await asyncio.wait_for(self._messages.get(), timeout_secs)
        except TimeoutError:
            return None

    def hear(self, message: Message) -> None:
        """Takes a message that the program got."""
        self._messages.put_nowait(message)

    def hang_up(self) -> None:
        """Has nothing more to say."""
        self._over = True

    def getframerate(self) -> int:
        """As of a WAV file."""
        return self._rate_hz

    def readframes(self, count: int) -> bytes:
        """The next of what is said, else silence; nothing when it is over."""
        if self._over:
            return b""
        piece, self._unspoken = self._unspoken[: count * 2], self._unspoken[count * 2 :]
        if piece:
            samples = self._at_48khz(piece)
            stop = round(self.now_secs * RATE_HZ)
            self.recording.write_caller(stop - samples.size, samples)
            self._first = stop - samples.size if self._first is None else self._first
            if not self._unspoken:
                self._spoken = Run(self._first, stop)
        return piece.ljust(count * 2, b"\0")

    def play(self, pcm: bytes) -> None:
        """Plays on the loudspeaker, and records where."""
        self.loudspeaker.play(pcm)
        samples = self._at_48khz(pcm)
        end = len(self.loudspeaker.played) // 2 * (RATE_HZ // self._rate_hz)
        self.recording.write_bot(end - samples.size, samples)

    def drop(self) -> None:
        """Drops what was not played."""
        self.loudspeaker.drop()
        now = len(self.loudspeaker.played) // 2 * (RATE_HZ // self._rate_hz)
        self.recording.write_bot(now, np.zeros(max(0, self.recording.bot.size - now), np.int16))

    def _at_48khz(self, pcm: bytes) -> Samples:
        return np.repeat(np.frombuffer(pcm, np.int16), RATE_HZ // self._rate_hz)


@dataclass
class Held:
    """A call that was held: its report, every message that came, and how the websocket was closed."""

    report: CallReport
    messages: list[Message] = field(repr=False)
    close_code: int
    close_reason: str


async def hold(
    server: str,
    recordings: Sequence[Path],
    *,
    interrupting: Sequence[Path] = (),
    barge_in_secs: float = 1.5,
    rate_hz: int = 16_000,
    opus: bool = False,
    wav_out: Path | None = None,
) -> Held:
    """A call by the documented client that asks each recording, hears the answer out, and hangs up.

    The first of `interrupting` is asked after that, each other spoken over the answer to the one before it. `wav_out`
    receives the call in stereo, the caller left. Raises CallError when no call comes about.
    """
    client = documented(CLIENT)
    vars(client)["PATIENCE_SECS"] = PATIENCE_SECS
    line = ProgramLine(rate_hz=rate_hz, loudspeaker=client.Loudspeaker(rate_hz))
    messages: list[Message] = []
    transcript = Transcript()

    def hear(message: Mapping[str, Any]) -> None:
        messages.append(message)
        line.hear(message)

    calling = asyncio.create_task(client.call(server, line, line, hear=hear, **(opus_halves() if opus else {})))
    conversing = asyncio.create_task(_converse(line, transcript, recordings, interrupting, barge_in_secs))
    try:
        await asyncio.wait({calling, conversing}, return_when=asyncio.FIRST_COMPLETED)
        if calling.done():
            calling.result()
        asked = await conversing
        line.hang_up()
        session_id, close_code, close_reason = await calling
    finally:
        for task in (calling, conversing):
            task.cancel()
    if wav_out is not None:
        soundfile.write(wav_out, stereo(line.recording.caller, line.recording.bot), RATE_HZ, subtype="PCM_16")
    report = report_call(
        session_id=session_id,
        recording=line.recording,
        transcript=transcript,
        questions=[path.name for path in (*recordings, *interrupting)],
        asked=asked,
        wav=wav_out,
    )
    return Held(report, messages, close_code, close_reason)


async def _converse(
    line: ProgramLine,
    transcript: Transcript,
    recordings: Sequence[Path],
    interrupting: Sequence[Path],
    barge_in_secs: float,
) -> list[Run]:
    asked: list[Run] = []
    for paths, secs in ((recordings, None), (interrupting, barge_in_secs)):
        if paths:
            questions = [Question(path.name, at_48khz(read_recording(path))) for path in paths]
            conversation = Conversation(line=line, transcript=transcript, barge_in_secs=secs, on_event=_ignore)
            asked += await conversation.hold(questions)
    return asked


def _ignore(_event: object) -> None: ...
