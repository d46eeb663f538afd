"""Gemini as Pipecat speaks to it."""

from collections.abc import Sequence
from typing import Any

import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.llm_service import LLMService
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr

from bot.providers.google import GoogleLLM
from tests.bot.providers.google_running import Running, running
from tests.vendors.faults import Fault, Faults
from tests.vendors.google_genai import KEY, GoogleGenAI

ANSWER = "The pool opens at nine [1]. It closes at ten in the evening [2]."


class NoSimilarity:
    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        raise AssertionError("a language model compares nothing")


def service(url: str, *, key: str = KEY) -> LLMService[Any]:
    provider = GoogleLLM(api_key=SecretStr(key), base_url=url, first_token_secs=0.4, silent_secs=0.4)
    return provider.build(instruction="Be brief.", similarity=NoSimilarity())


def question(text: str = "When does the pool open?") -> LLMContextFrame:
    messages: list[Any] = [
        {"role": "developer", "content": "[1] The pool opens at nine."},
        {"role": "user", "content": text},
    ]
    return LLMContextFrame(context=LLMContext(messages=messages))


def said(call: Running) -> str:
    return "".join(frame.text for frame in call.came(LLMTextFrame))


async def test_an_answer_comes_piece_by_piece():
    async with GoogleGenAI(lambda body: ANSWER).serving() as url, running(service(url)) as call:
        await call.send(question())
        await call.until(LLMFullResponseEndFrame)
    assert said(call) == ANSWER
    assert len(call.came(LLMTextFrame)) > 1


async def test_gemini_is_told_the_instruction_the_passages_and_the_question():
    google = GoogleGenAI(lambda body: ANSWER)
    async with google.serving() as url, running(service(url)) as call:
        await call.send(question())
        await call.until(LLMFullResponseEndFrame)
    texts = [part["text"] for content in google.asked[0]["contents"] for part in content["parts"]]
    assert google.models == ["gemini-3.6-flash"]
    assert google.asked[0]["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert texts == ["[1] The pool opens at nine.", "When does the pool open?"]


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        ("refuse", ErrorCategory.CONNECTIVITY),
        ("unauthorized", ErrorCategory.AUTHENTICATION),
        ("rate_limited", ErrorCategory.RATE_LIMIT),
        ("server_error", ErrorCategory.SERVER),
        ("stall", ErrorCategory.CONNECTIVITY),
        ("stall_midway", ErrorCategory.CONNECTIVITY),
        ("drop", ErrorCategory.CONNECTIVITY),
        ("garbage", ErrorCategory.SERVER),
    ],
)
async def test_a_failure_is_reported_once_and_the_answer_ends(fault: Fault, category: ErrorCategory):
    async with GoogleGenAI(lambda body: ANSWER, Faults(fault)).serving() as url, running(service(url)) as call:
        await call.send(question())
        await call.until(LLMFullResponseEndFrame)
    assert [error.category for error in call.came(ErrorFrame)] == [category]


async def test_a_key_that_google_does_not_know_is_told_apart():
    async with GoogleGenAI().serving() as url, running(service(url, key="another")) as call:
        await call.send(question())
        errors = await call.until(ErrorFrame)
    assert errors[0].category is ErrorCategory.AUTHENTICATION


async def test_a_request_without_a_first_token_is_sent_once_more():
    google = GoogleGenAI(lambda body: ANSWER, Faults("stall", times=1))
    async with google.serving() as url, running(service(url)) as call:
        await call.send(question())
        await call.until(LLMFullResponseEndFrame)
    assert (said(call), len(google.asked), call.came(ErrorFrame)) == (ANSWER, 2, [])


async def test_an_interrupted_answer_is_not_read_to_its_end():
    google = GoogleGenAI(lambda body: ANSWER, Faults("stall_midway"))
    async with google.serving() as url, running(service(url)) as call:
        await call.send(question())
        await call.until(LLMTextFrame)
        await call.send(InterruptionFrame())
        await call.until(InterruptionFrame)
    assert (google.left, call.came(ErrorFrame)) == (1, [])


async def test_an_empty_answer_ends_without_an_error():
    async with GoogleGenAI(lambda body: ANSWER, Faults("empty")).serving() as url, running(service(url)) as call:
        await call.send(question())
        await call.until(LLMFullResponseEndFrame)
    assert (said(call), call.came(ErrorFrame)) == ("", [])
