"""How sound is written in a binary message: PCM as it is, or Opus."""

from typing import Literal, Protocol

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError

from bot.wire import Codec, SampleRate, WireError

SAMPLE_BYTES = 2
OPUS_DECODES_AT_HZ = 48_000
OPUS_BITS_PER_SEC = 32_000


class SoundCodec(Protocol):
    """Messages to s16le mono PCM and back."""

    heard_hz: int
    """The rate of what `decode` gives."""

    def decode(self, message: bytes) -> bytes:
        """The sound in the caller's message; raises `WireError`."""
        ...

    def encode(self, pcm: bytes) -> bytes:
        """A message for the caller, of 20 ms at the rate agreed on."""
        ...


class Pcm:
    """Samples as they are."""

    def __init__(self, rate: SampleRate):
        self.heard_hz = int(rate)

    def decode(self, message: bytes) -> bytes:
        """The message itself; raises `WireError` where it ends within a sample."""
        if len(message) % SAMPLE_BYTES:
            raise WireError("odd_length")
        return message

    def encode(self, pcm: bytes) -> bytes:
        """The samples themselves."""
        return pcm


class Opus:
    """One Opus packet a message; a caller's may be of any bandwidth and length, stereo is mixed to mono."""

    heard_hz = OPUS_DECODES_AT_HZ

    def __init__(self, rate: SampleRate):
        self._rate_hz = int(rate)
        self._decoder = _context("r", self.heard_hz)
        self._encoder = _context("w", self._rate_hz)
        self._encoder.format = "s16"
        self._encoder.bit_rate = OPUS_BITS_PER_SEC
        self._encoder.options = {"application": "voip", "frame_duration": "20"}

    def decode(self, message: bytes) -> bytes:
        """The packet's sound at 48 kHz; raises `WireError` for what is no packet."""
        try:
            frames = self._decoder.decode(av.Packet(message))
        except FFmpegError:
            raise WireError("undecodable") from None
        return b"".join(frame.to_ndarray().tobytes() for frame in frames)

    def encode(self, pcm: bytes) -> bytes:
        """The packet of these 20 ms."""
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, np.int16)[None, :], format="s16", layout="mono")
        frame.sample_rate = self._rate_hz
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


_CODECS: dict[Codec, type[Pcm] | type[Opus]] = {"pcm": Pcm, "opus": Opus}


def sound_codec(codec: Codec, rate: SampleRate) -> SoundCodec:
    """A codec for one call; it remembers what it coded before."""
    return _CODECS[codec](rate)


def _context(mode: Literal["r", "w"], rate_hz: int) -> AudioCodecContext:
    context = AudioCodecContext.create("libopus", mode)
    context.sample_rate = rate_hz
    context.layout = "mono"
    return context
