"""What a caller says in a scenario, made before the call, and the cues by which Pipecat's harness has it said.

The harness paces sound, and nothing else of it: what it is given to play are cues, as long as what is said for them. So
what is measured is what left the caller's mouth, whatever a line makes of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from pipecat.evals.script import EvalScriptScenario, EvalScriptTurn

from evals.caller.audio import RATE_HZ, Samples
from evals.caller.errors import CallError
from evals.caller.speaker import Speaker, at_48khz, read_recording
from evals.degraded.packets import Fate
from evals.degraded.sound import PACKET_SAMPLES, Degraded, with_losses
from evals.scenarios.format import Scenario
from evals.scenarios.speech import SPEAK_SECS

# Pipecat's harness sends its sound at this rate, so many milliseconds at a time.
CUE_HZ, CUE_MS = 16_000, 40
CUE_SAMPLES = CUE_HZ * CUE_MS // 1000
PACKETS = CUE_MS * RATE_HZ // 1000 // PACKET_SAMPLES


@dataclass(frozen=True)
class Utterance:
    """What is said in a turn at 48 kHz: as it leaves the mouth, and as it gets onto the line in packets of 20 ms."""

    said: Samples
    sent: Samples
    packets: Sequence[Fate] = ()


@dataclass(frozen=True)
class Script:
    """All that is said in a call, by its turns, and what is to be heard in between."""

    utterances: Mapping[int, Utterance]
    room: Samples | None = None


async def script(scenario: Scenario, speaker: Speaker) -> Script:
    """What a scenario's caller says; raises `CallError` where a voice or a recording fails."""
    said = {
        number: await _said(turn, scenario.recording(number), speaker)
        for number, turn in enumerate(scenario.stock.turns)
        if turn.user is not None
    }
    return await asyncio.to_thread(_degraded, scenario, said)


def _degraded(scenario: Scenario, said: Mapping[int, Samples]) -> Script:
    audio = scenario.keys.x_audio
    if audio is None:
        return Script({number: Utterance(samples, samples) for number, samples in said.items()})
    line = Degraded(audio, said=list(said.values()))
    utterances = {
        number: Utterance(samples, line.speech(samples), line.packets(samples)) for number, samples in said.items()
    }
    return Script(utterances, line.room())


async def _said(turn: EvalScriptTurn, recording: Path | None, speaker: Speaker) -> Samples:
    played = recording or (Path(turn.audio) if turn.audio else None)
    if played is not None:
        return await asyncio.to_thread(lambda: _whole(at_48khz(read_recording(played))))
    parts: list[Samples] = []
    for part in turn.parts or [turn.user or ""]:
        if isinstance(part, str):
            try:
                pcm = await asyncio.wait_for(speaker.speak(part), SPEAK_SECS)
            except TimeoutError:
                raise CallError(f"The caller's voice took longer than {SPEAK_SECS:.0f} s. Try again.") from None
            parts.append(await asyncio.to_thread(at_48khz, pcm))
        else:
            parts.append(np.zeros(RATE_HZ * part // 1000, np.int16))
    return _whole(np.concatenate(parts))


def _whole(samples: Samples) -> Samples:
    """The samples, with silence up to a whole cue."""
    return np.pad(samples, (0, -samples.size % (RATE_HZ * CUE_MS // 1000)))


def cued(scenario: EvalScriptScenario, said: Script, folder: Path) -> EvalScriptScenario:
    """The scenario whose turns play a cue each, from files in this folder. Blocks."""
    turns = list(scenario.turns)
    for number, utterance in said.utterances.items():
        file = folder / f"{number}.wav"
        samples = np.full(utterance.said.size * CUE_HZ // RATE_HZ, number + 1, np.int16)
        soundfile.write(file, samples, CUE_HZ, subtype="PCM_16", format="WAV")
        turns[number] = replace(turns[number], audio=str(file), parts=None)
    return replace(scenario, turns=turns)


class Cues:
    """Follows the cues of a call, frame by frame."""

    def __init__(self, said: Script) -> None:
        self._frames = {number: each.said.size * 1000 // RATE_HZ // CUE_MS for number, each in said.utterances.items()}
        self._turn: int | None = None
        self._frame = 0

    def next(self, cue: bytes) -> tuple[int, int] | None:
        """The turn whose words are said now, and which 40 ms of them; None while nothing is said."""
        value = int.from_bytes(cue[:2], "little", signed=True)
        if not value:
            self._turn = None
            return None
        going_on = self._turn == value - 1 and self._frame + 1 < self._frames[value - 1]
        self._frame = self._frame + 1 if going_on else 0
        self._turn = value - 1
        return self._turn, self._frame


@dataclass(frozen=True)
class _Spoken:
    said: Samples
    sent: Samples
    late: Sequence[int] = field(default_factory=tuple)


class Mouth:
    """Says on Pipecat's eval channel what its harness gives cues for, and lets it be degraded on the way.

    What is lost is silence there, and what is late comes together with what follows it, as on any connection that
    loses nothing itself.
    """

    def __init__(self, said: Script) -> None:
        """Blocks."""
        self._cues = Cues(said)
        self._spoken = {number: _spoken(each) for number, each in said.utterances.items()}
        self._room = None if said.room is None else _narrow(said.room)
        self._idle = 0
        self._held: list[tuple[int, bytes]] = []
        self._frame = 0

    def next(self, cue: bytes) -> tuple[bytes, bytes]:
        """What leaves the mouth for 40 ms of a cue, and what arrives of it and of what was late; s16le at 16 kHz."""
        at = self._cues.next(cue)
        self._frame += 1
        if at is None:
            said, sent, late = bytes(len(cue)), self._quiet(len(cue)), 0
        else:
            spoken, place = self._spoken[at[0]], slice(at[1] * CUE_SAMPLES, (at[1] + 1) * CUE_SAMPLES)
            said, sent = spoken.said[place].tobytes(), spoken.sent[place].tobytes()
            late = spoken.late[at[1]] if spoken.late else 0
        self._held.append((self._frame + late, sent))
        arrived = b""
        while self._held and self._held[0][0] <= self._frame:
            arrived += self._held.pop(0)[1]
        return said, arrived

    def _quiet(self, size: int) -> bytes:
        if self._room is None:
            return bytes(size)
        at = self._idle % (self._room.size // CUE_SAMPLES) * CUE_SAMPLES
        self._idle += 1
        return self._room[at : at + size // 2].tobytes()


def _spoken(utterance: Utterance) -> _Spoken:
    late = [
        round(max(each.late_ms for each in utterance.packets[at : at + PACKETS]) / CUE_MS)
        for at in range(0, len(utterance.packets), PACKETS)
    ]
    return _Spoken(_narrow(utterance.said), _narrow(with_losses(utterance.sent, utterance.packets)), late)


def _narrow(samples: Samples) -> Samples:
    return soxr.resample(samples, RATE_HZ, CUE_HZ)
