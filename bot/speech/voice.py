"""espeak-ng through ctypes: text in, PCM and word times out.

The library's state is global: one `Voice` in a process, and every call of it from one thread.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import espeakng_loader
import numpy as np

from bot.speech.errors import SpeechRequestError

AUDIO_OUTPUT_SYNCHRONOUS = 2
BUFFER_MS = 20
CHARS_UTF8 = 1
END_PAUSE = 0x1000
EVENT_END = 0
EVENT_WORD = 1
PARAMETER_RATE = 1
PARAMETER_PITCH = 3
POSITION_CHARACTER = 1
PHONEMES_SEPARATED_BY_UNDERSCORE = ord("_") << 8


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Speaking:
    """How a text is spoken: espeak-ng's voice name, its speed, and its pitch from 0 to 100."""

    voice: str
    words_per_minute: int
    pitch: int


@dataclass(frozen=True)
class WordStart:
    """A word that begins `start_secs` after the first sample, at a character position of the text."""

    position: int
    start_secs: float


OnChunk = Callable[[np.ndarray, list[WordStart]], bool]


class Voice:
    """espeak-ng, initialised once. Not thread-safe."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        data_path = str(espeakng_loader.get_data_path()).encode()
        self.sample_rate: int = self._library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, data_path, 0)
        if self.sample_rate <= 0:
            raise SpeechRequestError("espeak-ng did not start; reinstall espeakng-loader, its data may be missing.")
        self._speaking: Speaking | None = None

    def speak(self, text: str, speaking: Speaking, on_chunk: OnChunk, *, pause_after: bool = False) -> None:
        """Synthesise one text; `on_chunk(int16 samples, word starts)` returns False to stop. Blocks until done.

        `pause_after` adds the pause that the voice makes between sentences.
        """
        self._set_speaking(speaking)

        def on_audio(samples, count: int, events) -> int:
            starts = _word_starts(events)
            pcm = np.ctypeslib.as_array(samples, shape=(count,)).copy() if samples and count else np.zeros(0, np.int16)
            return 0 if on_chunk(pcm, starts) else 1

        callback = _Callback(on_audio)
        self._library.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        flags = CHARS_UTF8 | (END_PAUSE if pause_after else 0)
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, POSITION_CHARACTER, 0, flags, None, None)

    def phonemes(self, text: str, voice: str) -> list[str]:
        """espeak-ng's phoneme names of a text, with their stress marks."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechRequestError(f"espeak-ng knows no voice {voice!r}; choose one that `espeak-ng --voices` lists.")
        self._speaking = None
        rest = ctypes.c_char_p(text.encode())
        spoken: list[str] = []
        while rest.value:
            clause = self._library.espeak_TextToPhonemes(
                ctypes.byref(rest), CHARS_UTF8, PHONEMES_SEPARATED_BY_UNDERSCORE
            )
            spoken += clause.decode().replace(" ", "_").split("_")
        return [name for name in spoken if name]

    def _set_speaking(self, speaking: Speaking) -> None:
        if speaking == self._speaking:
            return
        if self._library.espeak_SetVoiceByName(speaking.voice.encode()) != 0:
            raise SpeechRequestError(
                f"espeak-ng knows no voice {speaking.voice!r}; choose one that `espeak-ng --voices` lists."
            )
        self._library.espeak_SetParameter(PARAMETER_RATE, speaking.words_per_minute, 0)
        self._library.espeak_SetParameter(PARAMETER_PITCH, speaking.pitch, 0)
        self._speaking = speaking


def _word_starts(events) -> list[WordStart]:
    starts = []
    index = 0
    while events[index].type != EVENT_END:
        if events[index].type == EVENT_WORD:
            starts.append(WordStart(events[index].text_position - 1, events[index].audio_position / 1000))
        index += 1
    return starts
