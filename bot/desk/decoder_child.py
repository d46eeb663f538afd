"""The process in which foreign audio is decoded: it may crash, hang or run out of memory, and nothing else is hurt.

`python -m bot.desk.decoder_child SECONDS` reads an audio file of any length from stdin as it comes and writes s16le
mono PCM at 16 kHz to stdout, at most so many seconds of it. Its exit code says how it ended.
"""

import os
import signal
import sys
from typing import BinaryIO

import av
import av.error
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer

from bot.desk.requests import BYTES_PER_SAMPLE, RATE_HZ
from knowledge.confined import OUT_OF_MEMORY, confine

NOT_AUDIO, TOO_LONG, DAMAGED = 4, 5, 6

MAX_MEMORY_BYTES = 768 * 1024 * 1024
# An hour of MP3 takes about ten seconds.
MAX_CPU_SECS = 60
# What may be opened, as FFmpeg calls it: nothing that could name another file or address.
CONTAINERS = "wav,w64,flac,mp3,ogg,matroska,webm"
PROTOCOLS = "pipe"
PROBE_BYTES = 1024 * 1024
CODECS = ("flac", "mp3", "opus", "libopus", "vorbis", "libvorbis", "pcm_")


def decode(source: str, out: BinaryIO, *, longest_secs: float) -> int:
    """Write the audio of `source`, an address as FFmpeg takes it; return an exit code."""
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": PROTOCOLS, "probesize": str(PROBE_BYTES)}
    try:
        container = av.open(source, options=options, metadata_errors="ignore")
    except av.error.FFmpegError:
        return NOT_AUDIO
    with container:
        stream = next(iter(container.streams.audio), None)
        if stream is None or not stream.codec_context.name.startswith(CODECS):
            return NOT_AUDIO
        return _decode(container, stream, out, left=round(longest_secs * RATE_HZ))


def _decode(container: InputContainer, stream: AudioStream, out: BinaryIO, *, left: int) -> int:
    """Write at most `left` samples; a packet that is damaged is left out, as a player would."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    packets = damaged = written = 0
    try:
        for packet in container.demux(stream):
            packets += 1
            try:
                frames = packet.decode()
                parts = [part for frame in frames for part in resampler.resample(frame)]
            except av.error.FFmpegError as error:
                if isinstance(error, MemoryError):
                    raise
                damaged += 1
                continue
            for part in parts:
                if part.samples > left:
                    return TOO_LONG
                left -= part.samples
                written += part.samples
                out.write(bytes(part.planes[0])[: part.samples * BYTES_PER_SAMPLE])
            out.flush()
    except (av.error.InvalidDataError, av.error.EOFError):
        damaged += 1
    return DAMAGED if not written or 2 * damaged > packets else 0


def main() -> int:
    """Decode stdin to stdout, which libraries then find to be stderr."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # A Ctrl-C is for the parent, which then closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    av.logging.set_level(None)
    confine(memory_bytes=MAX_MEMORY_BYTES, cpu_secs=MAX_CPU_SECS)
    try:
        return decode("pipe:0", out, longest_secs=float(sys.argv[1]))
    except MemoryError:
        return OUT_OF_MEMORY
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    os._exit(main())
