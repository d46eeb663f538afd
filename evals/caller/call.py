"""One call from end to end: prepare the speech, connect, converse, hang up, measure."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import soundfile

from evals.caller.audio import RATE_HZ, Run, stereo, voiced_runs
from evals.caller.conversation import CallEvent, Conversation, OnEvent, Question, Stage
from evals.caller.errors import CallError
from evals.caller.ingress import Ingress
from evals.caller.line import WebRtcLine
from evals.caller.loopback import is_loopback
from evals.caller.recording import Recording
from evals.caller.report import CallReport, report_call
from evals.caller.speaker import Speaker, at_48khz, read_recording
from evals.caller.transcript import Transcript

SPEAK_TIMEOUT_SECS = 20.0


@dataclass(frozen=True)
class Turn:
    """What the caller says in one turn: a text to be spoken, or a recording of it."""

    says: str | Path

    @property
    def shown(self) -> str:
        """The text, or the recording's name."""
        return self.says if isinstance(self.says, str) else self.says.name


def _ignore(_event: CallEvent) -> None: ...


async def call(
    *,
    base_url: str,
    key: str | None = None,
    turns: Sequence[Turn],
    speaker: Speaker,
    barge_in_secs: float | None = None,
    wav_out: Path | None = None,
    on_event: OnEvent = _ignore,
) -> CallReport:
    """Call the bot at `base_url`, say the turns one after another, and report what came back.

    With `barge_in_secs` the caller speaks each next turn over the answer before it, once that has been heard for so
    long. `wav_out` receives the call in stereo, the caller left and the bot right. Media stays on the loopback
    address when the server is on it. `key` starts the call where that is not open to everybody.
    Raises CallError when no call comes about.
    """
    if not turns:
        raise CallError("There is nothing to ask. Pass a question.")
    if barge_in_secs is not None and len(turns) < 2:
        raise CallError("A barge-in speaks the next question over an answer. Pass a second question.")
    if wav_out is not None and not await asyncio.to_thread(wav_out.parent.is_dir):
        raise CallError(f"There is no folder {wav_out.parent} to write the recording into. Create it first.")
    on_event(CallEvent(Stage.PREPARING))
    questions = [await _prepare(turn, speaker) for turn in turns]
    on_event(CallEvent(Stage.CONNECTING))
    transcript = Transcript()
    line = WebRtcLine(only_loopback=is_loopback(urlsplit(base_url).hostname or ""))
    conversation = Conversation(line=line, transcript=transcript, barge_in_secs=barge_in_secs, on_event=on_event)
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=base_url, http=http, key=key)
        try:
            session = await ingress.create()
            try:
                await line.connect(lambda offer: ingress.offer(session, offer))
                asked = await conversation.hold(questions)
            finally:
                on_event(CallEvent(Stage.HANGING_UP))
                await ingress.hang_up(session)
        finally:
            await line.close()
    return await asyncio.to_thread(_finish, session.id, line.recording, transcript, turns, asked, wav_out)


async def _prepare(turn: Turn, speaker: Speaker) -> Question:
    if isinstance(turn.says, Path):
        pcm = await asyncio.to_thread(read_recording, turn.says)
    else:
        try:
            pcm = await asyncio.wait_for(speaker.speak(turn.says), SPEAK_TIMEOUT_SECS)
        except TimeoutError:
            raise CallError(
                f"The caller's voice took longer than {SPEAK_TIMEOUT_SECS:.0f} s. Try again, or pass recordings."
            ) from None
    samples = await asyncio.to_thread(at_48khz, pcm)
    if not voiced_runs(samples):
        raise CallError(f"No voice is to be heard in {turn.shown!r}. Pass words, or a recording of some.")
    return Question(turn.shown, samples)


def _finish(
    session_id: str,
    recording: Recording,
    transcript: Transcript,
    turns: Sequence[Turn],
    asked: Sequence[Run],
    wav_out: Path | None,
) -> CallReport:
    if wav_out is not None:
        try:
            soundfile.write(wav_out, stereo(recording.caller, recording.bot), RATE_HZ, subtype="PCM_16", format="WAV")
        except (OSError, soundfile.SoundFileError):
            raise CallError(f"The recording cannot be written to {wav_out}. Pass a path that is writable.") from None
    return report_call(
        session_id=session_id,
        recording=recording,
        transcript=transcript,
        questions=[turn.shown for turn in turns],
        asked=asked,
        wav=wav_out,
    )
