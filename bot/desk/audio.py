"""What audio is sent as, and how it becomes what recognisers take: s16le mono PCM at 16 kHz."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import numpy as np
import soxr
from loguru import logger

from bot.desk.decoder_child import DAMAGED, NOT_AUDIO, TOO_LONG
from bot.desk.errors import DeskRequestError, DeskUnavailableError
from bot.desk.requests import BYTES_PER_SAMPLE, RATE_HZ, AudioForm
from knowledge.confined import OUT_OF_MEMORY, kill, start_confined

READ_BYTES = 32 * 1024
# Longer than anybody who sends audio is waited for.
STALLED_SECS = 60.0
TAKEN = "Send WAV, FLAC, MP3, Ogg with Opus or Vorbis, or WebM; raw s16le PCM needs `format=s16le` and `sample_rate`."


def decoded(audio: AsyncIterator[bytes], form: AudioForm, *, longest_secs: float) -> AsyncGenerator[bytes]:
    """The audio as s16le mono PCM at 16 kHz, as it comes; raises `DeskRequestError` where it is none, or too long."""
    if form.format == "s16le":
        return _from_pcm(audio, form, longest_secs=longest_secs)
    return _from_file(audio, longest_secs=longest_secs)


async def _from_pcm(audio: AsyncIterator[bytes], form: AudioForm, *, longest_secs: float) -> AsyncGenerator[bytes]:
    size = BYTES_PER_SAMPLE * form.channels
    stream = soxr.ResampleStream(form.sample_rate, RATE_HZ, 1, dtype="int16")
    left, held = round(longest_secs * form.sample_rate) * size, b""
    async for part in audio:
        left -= len(part)
        if left < 0:
            raise _too_long(longest_secs)
        held += part
        whole = len(held) // size * size
        samples = np.frombuffer(held[:whole], np.int16).reshape(-1, form.channels)
        held = held[whole:]
        if samples.size:
            mono = samples[:, 0] if form.channels == 1 else samples.mean(axis=1).astype(np.int16)
            yield stream.resample_chunk(np.ascontiguousarray(mono)).tobytes()
    if held:
        raise DeskRequestError(
            "The audio ends within a sample", f"PCM is {size} bytes a sample here; send whole ones, s16le. {TAKEN}"
        )
    yield stream.resample_chunk(np.zeros(0, np.int16), last=True).tobytes()


async def _from_file(audio: AsyncIterator[bytes], *, longest_secs: float) -> AsyncGenerator[bytes]:
    child = await start_confined("bot.desk.decoder_child", str(longest_secs))
    assert child.stdout is not None
    feeding = asyncio.create_task(_feed(child, audio), name="decoder-input")
    try:
        while part := await asyncio.wait_for(child.stdout.read(READ_BYTES), STALLED_SECS):
            yield part
        code = await asyncio.wait_for(child.wait(), STALLED_SECS)
        if feeding.done():
            # What went wrong with the sending of audio is no fault of the audio.
            feeding.result()
        if code:
            raise _refusal(code, longest_secs)
        # Behind its end, a file may have what nobody decodes.
        await feeding
    except TimeoutError as error:
        raise DeskUnavailableError("The audio was not decoded in time; send it again.") from error
    finally:
        feeding.cancel()
        await kill(child)
        await asyncio.gather(feeding, return_exceptions=True)


async def _feed(child: Process, audio: AsyncIterator[bytes]) -> None:
    """Hand all of the audio to the decoder, and the end of it even where it broke off."""
    assert child.stdin is not None
    try:
        async for part in audio:
            with suppress(ConnectionError):
                child.stdin.write(part)
                await child.stdin.drain()
    finally:
        child.stdin.close()


def _refusal(code: int, longest_secs: float) -> DeskRequestError:
    if code not in (NOT_AUDIO, DAMAGED, TOO_LONG):
        logger.warning("An audio decoder ended with code {}", code)
    match code:
        case c if c == NOT_AUDIO:
            return DeskRequestError("This is not audio that can be read", TAKEN)
        case c if c == DAMAGED:
            return DeskRequestError("The audio is damaged", f"Most of it cannot be decoded; save it anew. {TAKEN}")
        case c if c == TOO_LONG:
            return _too_long(longest_secs)
        case c if c in (OUT_OF_MEMORY, -signal.SIGXCPU):
            return DeskRequestError("The audio takes too much to decode", f"Save it anew, or in parts. {TAKEN}")
        case _:
            return DeskRequestError("The audio makes the decoder fail", f"Save it anew. {TAKEN}")


def _too_long(longest_secs: float) -> DeskRequestError:
    return DeskRequestError(
        "The audio is too long", f"At most {longest_secs / 60:.0f} minutes are taken; send it in parts.", status=413
    )
