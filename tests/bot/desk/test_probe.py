"""Whether a provider answers, and what is said of one that does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pipecat.frames.frames import ErrorFrame, Frame, TranscriptionFrame, TTSAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr

from bot.desk.probe import FAILED, LATE, NOT_MADE, ProbeError, probe
from bot.providers.embedded import EmbeddedSTT, EmbeddedTTS
from bot.providers.openai import OpenAILLM
from bot.settings import BotSettings, Retrieval

SETTINGS = BotSettings(retrieval=Retrieval(socket=Path("/nowhere/k")), speech_socket=Path("/nowhere/s"))
SPEECH = np.zeros(1_600, dtype=np.int16).tobytes()
SECRET = "sk-secret"


class Scripted(FrameProcessor):
    """Answers the first frame of a kind with what it was told."""

    def __init__(self, asked: str, answers: list[Frame]) -> None:
        super().__init__()
        self._asked = asked
        self._answers = answers

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if type(frame).__name__ == self._asked:
            for answer in self._answers:
                up = isinstance(answer, ErrorFrame)
                await self.push_frame(answer, FrameDirection.UPSTREAM if up else FrameDirection.DOWNSTREAM)
        await self.push_frame(frame, direction)


class ScriptedVoice(Scripted):
    def add_text_transformer(self, _transform: object) -> None:
        """Reads nothing, so that nothing is read in another way."""


class ScriptedSTT(EmbeddedSTT):
    answers: ClassVar[list[Frame]] = []

    def build(self, *, speech_socket: Path, cache: object = None) -> Any:
        return Scripted("VADUserStoppedSpeakingFrame", self.answers)


class ScriptedTTS(EmbeddedTTS):
    answers: ClassVar[list[Frame]] = []

    def build(self, *, speech_socket: Path, cache: object = None) -> Any:
        return ScriptedVoice("LLMTextFrame", self.answers)


class UnmadeTTS(EmbeddedTTS):
    def build(self, *, speech_socket: Path, cache: object = None) -> Any:
        raise FileNotFoundError(SECRET)


def hearing(*answers: Frame) -> BotSettings:
    provider = type("Told", (ScriptedSTT,), {"answers": list(answers)})
    return SETTINGS.model_copy(update={"stt": (provider(),)})


def speaking(*answers: Frame) -> BotSettings:
    provider = type("Told", (ScriptedTTS,), {"answers": list(answers)})
    return SETTINGS.model_copy(update={"tts": (provider(),)})


def transcript(text: str) -> Frame:
    return TranscriptionFrame(text=text, user_id="", timestamp="", finalized=True)


async def asked(stage: Literal["stt", "llm", "tts"], settings: BotSettings, *, limit_secs: float = 10.0) -> float:
    return await probe(stage, settings, speech=SPEECH, limit_secs=limit_secs)


async def test_a_recogniser_that_hears_a_word_answers():
    assert 0 <= await asked("stt", hearing(transcript("hello"))) < 5


async def test_a_recogniser_that_hears_no_word_is_told():
    with pytest.raises(ProbeError, match="heard no word"):
        await asked("stt", hearing(transcript(" ")))


async def test_a_voice_that_makes_a_sound_answers():
    assert 0 <= await asked("tts", speaking(TTSAudioRawFrame(b"\1\0", 24_000, 1))) < 5


async def test_the_embedded_answers_need_nothing_that_runs():
    assert 0 <= await asked("llm", SETTINGS) < 5


async def test_a_voice_without_a_sound_is_told():
    with pytest.raises(ProbeError, match="without a sound"):
        await asked("tts", speaking())


async def test_who_does_not_answer_in_time_is_told():
    with pytest.raises(ProbeError, match=LATE):
        await asked("stt", hearing(), limit_secs=0.5)


async def test_who_cannot_be_made_is_told_without_what_the_sdk_said():
    with pytest.raises(ProbeError) as error:
        await asked("tts", SETTINGS.model_copy(update={"tts": (UnmadeTTS(),)}))
    assert str(error.value) == NOT_MADE


@pytest.mark.parametrize(
    ("category", "said"),
    [
        (ErrorCategory.AUTHENTICATION, "key is refused"),
        (ErrorCategory.QUOTA, "no credit"),
        (ErrorCategory.CONNECTIVITY, "can't be reached"),
        (ErrorCategory.UNKNOWN, FAILED),
        (None, FAILED),
    ],
)
async def test_an_error_is_told_by_its_category_in_words_of_ours(category: ErrorCategory | None, said: str):
    with pytest.raises(ProbeError, match=said) as error:
        await asked("tts", speaking(ErrorFrame(error=f"{SECRET} is wrong", category=category)))
    assert SECRET not in str(error.value)


async def test_what_a_call_copes_with_is_no_failure():
    coped = ErrorFrame(error="a tool failed", category=ErrorCategory.APPLICATION)
    assert await asked("tts", speaking(coped, TTSAudioRawFrame(b"\1\0", 24_000, 1))) >= 0


@pytest.fixture
async def refusing() -> AsyncIterator[str]:
    """A server that takes no key, and repeats it."""

    async def refuse(request: web.Request) -> web.Response:
        message = f"Incorrect API key provided: {request.headers['Authorization']}"
        return web.json_response({"error": {"message": message, "code": "invalid_api_key"}}, status=401)

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", refuse)])
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/v1"))


async def test_a_model_that_refuses_the_key_is_told(refusing: str):
    provider = OpenAILLM(api_key=SecretStr(SECRET), base_url=refusing)
    with pytest.raises(ProbeError, match="key is refused") as error:
        await asked("llm", SETTINGS.model_copy(update={"llm": (provider,)}))
    assert SECRET not in str(error.value)


async def test_a_model_out_of_reach_is_told():
    provider = OpenAILLM(api_key=SecretStr(SECRET), base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ProbeError, match="can't be reached"):
        await asked("llm", SETTINGS.model_copy(update={"llm": (provider,)}))


async def test_probes_end_with_who_asked():
    before = len(asyncio.all_tasks())
    with pytest.raises(ProbeError):
        await asked("stt", hearing(), limit_secs=0.2)
    assert len(asyncio.all_tasks()) == before
