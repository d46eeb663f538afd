"""The header that makes PCM a WAV file."""

import io
import wave

import soundfile

from server.tts.wav import header


def test_pcm_behind_its_header_is_a_wav_file():
    with wave.open(io.BytesIO(header(4800) + bytes(4800))) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate(), read.getnframes()) == (
            1,
            2,
            24_000,
            2400,
        )


def test_a_file_of_unknown_length_is_read_to_its_end():
    samples, rate = soundfile.read(io.BytesIO(header(None) + bytes(4800)), dtype="int16")
    assert (len(samples), rate) == (2400, 24_000)
