import asyncio
import json
import signal
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from bot.speech.client import SpeechAudio, SpeechClient, SpeechWord
from bot.speech.errors import SpeechRequestError, SpeechUnavailableError
from bot.speech.recognition import Engine

pytestmark = pytest.mark.integration

RECORDING = Path(__file__).parents[2] / "fixtures" / "speech" / "rms" / "q01.flac"
QUESTION = "how long do i have to send back something i never used"
LONG_TEXT = "The workshop repairs bicycles of every make. " * 200
TEXTS = ["How long do you have? Unused items can be sent back within 30 days. Something never used is refunded."]


@dataclass
class Running:
    process: asyncio.subprocess.Process
    client: SpeechClient
    socket: Path

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@asynccontextmanager
async def running(folder: Path, *, recognisers: int = 1, engines: Sequence[Engine] = ()) -> AsyncIterator[Running]:
    socket = folder / "s"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.speech.process", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    settings = {
        "socket": str(socket),
        "cache_dir": str(folder / "cache"),
        "recognisers": recognisers,
        "engines": list(engines),
    }
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    client = SpeechClient(socket)
    try:
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
        yield Running(process, client, socket)
    finally:
        await client.aclose()
        process.stdin.close()
        await process.wait()


def pcm() -> bytes:
    samples, _ = soundfile.read(RECORDING, dtype="int16")
    return samples.tobytes()


async def speak(client: SpeechClient, text: str, *, voice: str = "en-us+f2") -> bytes:
    parts = client.synthesize(text, voice=voice, words_per_minute=165, pitch=50, sample_rate=16_000)
    return b"".join([part.pcm async for part in parts if isinstance(part, SpeechAudio)])


async def test_it_recognises_what_the_knowledge_speaks_of_and_remembers_it(tmp_path):
    async with running(tmp_path) as speech:
        before = await speech.client.recognise(pcm(), 16_000)
        answer = await speech.client.set_vocabulary(TEXTS)
        after = await speech.client.recognise(pcm(), 16_000)
    assert before.words
    assert answer["words"] > 2000
    assert after.text == QUESTION
    async with running(tmp_path) as restarted:
        assert (await restarted.client.recognise(pcm(), 16_000)).text == QUESTION


async def test_requests_are_answered_while_the_vocabulary_changes(tmp_path):
    async with running(tmp_path) as speech:
        changing = asyncio.create_task(speech.client.set_vocabulary(TEXTS))
        answered = 0
        while not changing.done():
            await speech.client.recognise(pcm()[:32_000], 16_000)
            answered += 1
        await changing
        assert answered > 1
        assert len(speech.workers()) == 1


async def test_a_recogniser_that_dies_is_replaced(tmp_path):
    async with running(tmp_path) as speech:
        (worker,) = speech.workers()
        worker.kill()
        assert (await speech.client.recognise(pcm(), 16_000)).words
        assert [replacement.pid for replacement in speech.workers()] != [worker.pid]


async def test_each_engine_that_is_wanted_hears_beside_the_embedded_one(tmp_path):
    async with running(tmp_path, engines=["moonshine"]) as speech:
        moonshine = SpeechClient(speech.socket, engine="moonshine")
        try:
            heard = await moonshine.recognise(pcm(), 16_000)
        finally:
            await moonshine.aclose()
        assert (heard.text, heard.words) == ("How long do I have to send back something I never used?", None)
        assert (await speech.client.recognise(pcm(), 16_000)).words
        assert len(speech.workers()) == 2


async def test_an_engine_that_is_not_there_is_refused(tmp_path):
    async with running(tmp_path) as speech:
        moonshine = SpeechClient(speech.socket, engine="moonshine")
        try:
            with pytest.raises(SpeechRequestError, match="engine must be one of pocketsphinx"):
                await moonshine.recognise(pcm(), 16_000)
        finally:
            await moonshine.aclose()


async def test_only_its_user_may_use_the_socket(tmp_path):
    async with running(tmp_path) as speech:
        assert stat.S_IMODE(speech.socket.stat().st_mode) == 0o600


@pytest.mark.parametrize("audio", [b"", b"odd", bytes(2 * 16_000 * 61)])
async def test_audio_that_cannot_be_an_utterance_is_refused(tmp_path, audio):
    async with running(tmp_path) as speech:
        with pytest.raises(SpeechRequestError):
            await speech.client.recognise(audio, 16_000)


async def test_it_speaks(tmp_path):
    async with running(tmp_path) as speech:
        audio = np.frombuffer(await speak(speech.client, "The pool opens at seven."), np.int16)
        assert 1.2 < len(audio) / 16_000 < 2.2
        with pytest.raises(SpeechRequestError, match="no voice"):
            await speak(speech.client, "Hello.", voice="xx-none")


async def test_a_listener_who_leaves_is_no_error(tmp_path):
    async with running(tmp_path) as speech:
        parts = speech.client.synthesize(LONG_TEXT, voice="en-us", words_per_minute=165, pitch=50, sample_rate=16_000)
        await anext(parts)
        await parts.aclose()
        await speak(speech.client, "Hello.")
    assert speech.process.stderr is not None
    assert b"Traceback" not in await speech.process.stderr.read()


async def test_a_short_text_does_not_wait_for_a_long_one(tmp_path):
    async with running(tmp_path) as speech:
        long = asyncio.create_task(speak(speech.client, LONG_TEXT))
        await speak(speech.client, "Hello.")
        assert not long.done()
        assert len(await long) > 0


@pytest.mark.parametrize("end", ["sigterm", "parent gone"])
async def test_it_ends_cleanly_and_leaves_no_process(tmp_path, end):
    async with running(tmp_path, recognisers=2) as speech:
        workers = speech.workers()
        if end == "sigterm":
            speech.process.send_signal(signal.SIGTERM)
        else:
            assert speech.process.stdin is not None
            speech.process.stdin.close()
        async with asyncio.timeout(5):
            assert await speech.process.wait() == 0
        assert len(workers) == 2
        _, alive = psutil.wait_procs(workers, timeout=2)
        assert not alive
        assert not speech.socket.exists()


async def test_workers_do_not_outlive_a_killed_process(tmp_path):
    async with running(tmp_path) as speech:
        workers = speech.workers()
        speech.process.kill()
        await speech.process.wait()
        _, alive = psutil.wait_procs(workers, timeout=3)
        assert not alive


async def test_a_process_that_is_not_there_is_unavailable(tmp_path):
    client = SpeechClient(tmp_path / "nobody")
    with pytest.raises(SpeechUnavailableError, match="running"):
        await client.recognise(pcm(), 16_000)
    await client.aclose()


def long_speech(client: SpeechClient) -> AsyncGenerator[SpeechAudio | SpeechWord]:
    """Longer than any buffer on its way, so that it goes on for as long as nobody listens."""
    return client.synthesize(LONG_TEXT, voice="en-us", words_per_minute=165, pitch=50, sample_rate=16_000)


async def test_a_successor_takes_over_and_neither_a_sentence_nor_a_question_is_lost(tmp_path):
    async with running(tmp_path) as old:
        caller = old.client
        speech = long_speech(caller)
        await anext(speech)
        async with running(tmp_path):
            old.process.send_signal(signal.SIGTERM)
            assert (await caller.recognise(pcm()[:32_000], 16_000)) is not None
            assert [part async for part in speech]
            assert await old.process.wait() == 0
            assert await speak(caller, "Hello.")


async def test_a_process_that_ends_leads_its_callers_to_an_older_one_at_once(tmp_path):
    async with running(tmp_path) as older, running(tmp_path) as newer:
        speech = long_speech(newer.client)
        await anext(speech)
        newer.process.send_signal(signal.SIGTERM)
        while newer.socket.readlink().suffix != f".{older.process.pid}":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await speak(older.client, "Hello.")
        assert newer.process.returncode is None
        await speech.aclose()
