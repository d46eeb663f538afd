"""The 44 bytes before PCM that make it a WAV file."""

import struct

from bot.desk.requests import BYTES_PER_SAMPLE, SPEECH_HZ

HEADER_BYTES = 44
# What players take for "until it ends".
UNKNOWN = 0xFFFFFFFF


def header(pcm_bytes: int | None) -> bytes:
    """The header of so much s16le mono PCM at 24 kHz; None is an unknown length."""
    data = UNKNOWN if pcm_bytes is None else pcm_bytes
    riff = UNKNOWN if pcm_bytes is None else pcm_bytes + HEADER_BYTES - 8
    per_sec = SPEECH_HZ * BYTES_PER_SAMPLE
    form = struct.pack("<HHIIHH", 1, 1, SPEECH_HZ, per_sec, BYTES_PER_SAMPLE, 8 * BYTES_PER_SAMPLE)
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", riff),
            b"WAVEfmt ",
            struct.pack("<I", len(form)),
            form,
            b"data",
            struct.pack("<I", data),
        )
    )
