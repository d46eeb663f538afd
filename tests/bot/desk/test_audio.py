"""Audio of many kinds becomes PCM; what is none is refused in words."""

import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from bot.desk.audio import decoded
from bot.desk.errors import DeskRequestError
from bot.desk.requests import RATE_HZ, AudioForm

pytestmark = pytest.mark.integration

RECORDING = Path(__file__).parents[2] / "fixtures" / "speech" / "slt" / "q18.flac"
SAMPLES, RATE = soundfile.read(RECORDING, dtype="int16")
SECS = len(SAMPLES) / RATE


def file(kind: str, subtype: str | None = None) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, SAMPLES, RATE, format=kind, subtype=subtype)
    return out.getvalue()


def webm() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(SAMPLES.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def long_silence(secs: int) -> bytes:
    """Minutes of silence, which compress to almost nothing."""
    out = io.BytesIO()
    soundfile.write(out, np.zeros(secs * RATE, np.int16), RATE, format="FLAC")
    return out.getvalue()


async def sent(audio: bytes, *, piece: int = 3001) -> AsyncIterator[bytes]:
    for at in range(0, len(audio), piece):
        yield audio[at : at + piece]


async def pcm(audio: bytes, form: AudioForm | None = None, *, longest_secs: float = 60.0) -> np.ndarray:
    """The samples that a recogniser would get."""
    parts = [part async for part in decoded(sent(audio), form or AudioForm(), longest_secs=longest_secs)]
    return np.frombuffer(b"".join(parts), np.int16)


@pytest.mark.parametrize(
    "audio",
    [file("WAV"), file("FLAC"), file("MP3"), file("OGG", "OPUS"), file("OGG", "VORBIS"), webm(), file("WAV", "ULAW")],
    ids=["wav", "flac", "mp3", "opus", "vorbis", "webm", "mu-law"],
)
async def test_a_file_of_each_kind_is_heard_whole(audio: bytes):
    samples = await pcm(audio)
    assert len(samples) / RATE_HZ == pytest.approx(SECS, abs=0.15)
    assert np.abs(samples.astype(int)).max() == pytest.approx(np.abs(SAMPLES.astype(int)).max(), rel=0.2)


async def test_a_lossless_file_keeps_every_sample():
    assert np.array_equal(await pcm(file("FLAC")), SAMPLES)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (16_000, 2), (44_100, 2), (48_000, 1)])
async def test_raw_pcm_is_made_mono_at_16_khz(rate: int, channels: int):
    at = np.arange(2 * rate) / rate
    tone = (8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)
    sent_as = np.repeat(tone, channels).tobytes()
    samples = await pcm(sent_as, AudioForm(format="s16le", sample_rate=rate, channels=channels))
    spectrum = np.abs(np.fft.rfft(samples))
    assert len(samples) == pytest.approx(2 * RATE_HZ, abs=20)
    assert np.argmax(spectrum) * RATE_HZ / len(samples) == pytest.approx(440, abs=2)


async def test_pcm_that_ends_within_a_sample_is_refused():
    with pytest.raises(DeskRequestError, match="whole ones"):
        await pcm(b"\0" * 4001, AudioForm(format="s16le"))


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n"


@pytest.mark.parametrize(
    "audio",
    [b"", b"hello, I am a text", file("WAV")[:30], PLAYLIST, bytes(100_000), b"\x89PNG\r\n\x1a\n" + bytes(5000)],
    ids=["empty", "text", "cut off in its header", "a playlist", "zeros", "an image"],
)
async def test_what_is_no_audio_is_refused_with_what_is_taken(audio: bytes):
    with pytest.raises(DeskRequestError, match="WAV, FLAC, MP3"):
        await pcm(audio)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3"])
async def test_a_file_that_is_cut_off_is_heard_up_to_there(kind: str):
    whole = file(kind)
    samples = await pcm(whole[: len(whole) // 2])
    assert 0.3 * SECS < len(samples) / RATE_HZ < 0.7 * SECS


@pytest.mark.parametrize(
    ("audio", "form"),
    [(long_silence(120), AudioForm()), (bytes(2 * RATE_HZ * 61), AudioForm(format="s16le"))],
    ids=["a small file of two minutes", "pcm"],
)
async def test_what_is_longer_than_it_may_be_is_refused_as_too_long(audio: bytes, form: AudioForm):
    with pytest.raises(DeskRequestError) as refused:
        await pcm(audio, form, longest_secs=60.0)
    assert (refused.value.status, refused.value.title) == (413, "The audio is too long")


async def test_what_goes_wrong_with_the_sending_is_told_as_it_is():
    async def breaks_off() -> AsyncIterator[bytes]:
        yield file("WAV")[:5000]
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        async for _ in decoded(breaks_off(), AudioForm(), longest_secs=60.0):
            pass


async def test_samples_come_before_the_file_has_ended():
    async def endless() -> AsyncIterator[bytes]:
        out = io.BytesIO()
        with wave.open(out, "wb") as written:
            written.setparams((1, 2, RATE, 0, "NONE", ""))
            written.writeframes(SAMPLES.tobytes())
        while True:
            yield out.getvalue()

    parts = decoded(endless(), AudioForm(), longest_secs=3600.0)
    assert await anext(parts)
    await parts.aclose()
