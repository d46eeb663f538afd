"""Speech as it is asked for: PCM, MP3 or Ogg with Opus, a piece at a time."""

from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from bot.desk.requests import Encoding

MP3_BITS_PER_SEC = 64_000
OPUS_BITS_PER_SEC = 32_000
# A page is sent when it has this much: a listener waits no longer for the first.
PAGE_MICROSECS = 100_000


class Encoder:
    """s16le mono PCM in, encoded bytes out."""

    def __init__(self, encoding: Encoding, *, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._out = _Out()
        self._at = 0
        self._container = None
        if encoding != "pcm":
            name, codec, bits, options = {
                "mp3": ("mp3", "libmp3lame", MP3_BITS_PER_SEC, {"write_xing": "0", "id3v2_version": "0"}),
                "opus": ("ogg", "libopus", OPUS_BITS_PER_SEC, {"page_duration": str(PAGE_MICROSECS)}),
            }[encoding]
            self._container = av.open(self._out, "w", format=name, options={**options, "flush_packets": "1"})
            self._stream = cast(AudioStream, self._container.add_stream(codec, rate=rate_hz))
            self._stream.bit_rate = bits
            self._stream.layout = "mono"

    def feed(self, pcm: bytes) -> bytes:
        """What so much more speech adds; may be empty."""
        if self._container is None or not pcm:
            return pcm
        samples = np.frombuffer(pcm, np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate_hz, self._at, Fraction(1, self._rate_hz)
        self._at += samples.size
        self._container.mux(self._stream.encode(frame))
        return self._out.taken()

    def end(self) -> bytes:
        """The last of it."""
        if self._container is None:
            return b""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._out.taken()


class _Out:
    """Where the muxer writes: forward only."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
