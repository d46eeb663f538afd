"""What is wrong with a vendor is in the log, by its name and with what sets it, and never a key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from pydantic import SecretStr

from bot.desk.checking import check
from bot.providers.cartesia import CartesiaTTS
from bot.providers.deepgram import DeepgramSTT
from bot.providers.embedded import EmbeddedTTS, ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.settings import BotSettings, Retrieval
from tests.vendors.cartesia import Cartesia
from tests.vendors.openai_chat import KEY, OpenAIChat

WRONG = "sk-wrong"


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines that are logged, each with its level."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line).strip()), format="{level} {message}", level="INFO")
    yield lines
    logger.remove(sink)


def settings(**stages: Any) -> BotSettings:
    return BotSettings(retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/nowhere"), **stages)


async def test_a_refused_key_is_told_with_the_variables_and_without_the_key(log: list[str]):
    async with OpenAIChat().serving() as url:
        await check(settings(llm=(OpenAILLM(api_key=SecretStr(WRONG), base_url=url), ExtractiveLLM())))
    (told,) = [line for line in log if line.startswith("WARNING")]
    why, _, variables = told.partition(". It is set by ")
    assert why.endswith("(llm): the key is refused; set another")
    assert {"OPENAI_API_KEY", "OPENAI_MODEL"} <= {*variables.split(", ")}
    assert WRONG not in "".join(log)


async def test_one_that_answers_is_told_with_its_time(log: list[str]):
    async with OpenAIChat().serving() as url:
        await check(settings(llm=(OpenAILLM(api_key=SecretStr(KEY), base_url=url), ExtractiveLLM())))
    assert [line.rpartition(" answers after ")[0] for line in log if line.startswith(("INFO", "WARNING"))] == [
        f"INFO {OpenAILLM.title} (llm)"
    ]


async def test_one_that_is_wrong_keeps_no_other_from_being_asked(log: list[str]):
    async with OpenAIChat().serving() as llm, Cartesia().serving() as tts:
        await check(
            settings(
                llm=(OpenAILLM(api_key=SecretStr(WRONG), base_url=llm), ExtractiveLLM()),
                tts=(CartesiaTTS(api_key=SecretStr(Cartesia.KEY), base_url=tts), EmbeddedTTS()),
            )
        )
    assert any("Cartesia (tts) answers after" in line for line in log)


async def test_recognisers_that_nobody_can_speak_to_are_not_asked_and_it_is_said(log: list[str]):
    await check(settings(stt=(DeepgramSTT(api_key=SecretStr("k")), *BotSettings.model_fields["stt"].default)))
    assert [line for line in log if line.startswith("WARNING")] == [
        "WARNING the recognisers were not asked: SpeechUnavailableError"
    ]


async def test_what_runs_on_this_host_is_not_asked(log: list[str]):
    await check(settings())
    assert log == []
