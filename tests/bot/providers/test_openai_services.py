"""Pipecat's services and OpenAI's client, in a pipeline, against servers in OpenAI's place."""

from pathlib import Path
from typing import Any

import pytest
from httpx2 import Request, Response
from openai import APIConnectionError, APIError, BadRequestError, RateLimitError
from pipecat.frames.frames import FunctionCallsStartedFrame, LLMContextFrame, TTSSpeakFrame, TTSTextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr

from bot.providers.openai import OpenAILLM, OpenAISTT, OpenAITTS
from bot.providers.openai_services import category_of
from bot.speech.stt import NOT_UNDERSTOOD
from processors.frames import CallingFrame
from tests.bot.providers.calls import QUESTION, SPOKEN, Came, answered, heard, interrupted, spoken
from tests.bot.providers.similarity import NoSimilarity
from tests.vendors.faults import Fault, Faults
from tests.vendors.openai_audio import CHARACTER_SECS, RATE_HZ, OpenAIAudio
from tests.vendors.openai_chat import KEY, Messages, OpenAIChat, ToolCall

NOWHERE = Path("/nowhere")
POST = Request("POST", "http://127.0.0.1/v1")
STALLED_SECS = 0.4
# Long enough for a busy machine; what was not given up would take minutes.
SOON_SECS = 8.0
BYTES = round(len(SPOKEN) * CHARACTER_SECS * RATE_HZ) * 2

CATEGORIES: list[tuple[Fault, ErrorCategory]] = [
    ("refuse", ErrorCategory.CONNECTIVITY),
    ("unauthorized", ErrorCategory.AUTHENTICATION),
    ("rate_limited", ErrorCategory.RATE_LIMIT),
    ("server_error", ErrorCategory.SERVER),
    ("stall", ErrorCategory.CONNECTIVITY),
    ("half_open", ErrorCategory.CONNECTIVITY),
    ("stall_midway", ErrorCategory.CONNECTIVITY),
    ("drop", ErrorCategory.CONNECTIVITY),
]


async def answer(chat: OpenAIChat, *messages: Any, **settings) -> Came:
    settings = {"stalled_secs": STALLED_SECS, "first_token_secs": STALLED_SECS / 2, **settings}
    async with chat.serving() as url:
        llm = OpenAILLM(api_key=SecretStr(KEY), base_url=url, **settings)
        return await answered(llm.build(instruction="Be brief.", similarity=NoSimilarity()), *messages)


async def transcript(audio: OpenAIAudio) -> Came:
    async with audio.serving() as url:
        stt = OpenAISTT(api_key=SecretStr(KEY), base_url=url, stalled_secs=STALLED_SECS)
        return await heard(stt.build(speech_socket=NOWHERE))


async def speech(audio: OpenAIAudio, *, voice: str = "marin") -> Came:
    async with audio.serving() as url:
        tts = OpenAITTS(api_key=SecretStr(KEY), base_url=url, voice=voice, stalled_secs=STALLED_SECS)
        return await spoken(tts.build(speech_socket=NOWHERE))


async def test_an_answer_arrives_whole():
    chat = OpenAIChat(answer=lambda messages: f"You asked: {messages[-1]['content']}")
    came = await answer(chat, stalled_secs=8.0, first_token_secs=8.0)
    assert (came.text, came.categories) == ("You asked: When do you open?", [])


async def test_the_model_is_told_our_instruction_and_not_to_think():
    chat = OpenAIChat()
    await answer(chat, stalled_secs=8.0, first_token_secs=8.0)
    assert chat.asked[0]["messages"] == [{"role": "system", "content": "Be brief."}, QUESTION]
    assert chat.asked[0]["reasoning_effort"] == "none"


async def test_what_it_answers_rests_on_the_passages_behind_the_question():
    def read(messages: Messages) -> str:
        return "At ten [1]." if "opens at ten" in str(messages[-1]["content"]) else "I don't know."

    passages = {"role": "developer", "content": "[1] The pool opens at ten."}
    turns = [QUESTION, {"role": "assistant", "content": "Which one?"}, {"role": "user", "content": "The pool."}]
    came = await answer(OpenAIChat(answer=read), *turns, passages, stalled_secs=8.0, first_token_secs=8.0)
    assert (came.text, came.categories) == ("At ten [1].", [])


async def test_what_a_tool_is_called_with_gives_signs_of_life():
    chat = OpenAIChat(answer=lambda messages: ToolCall("book", {"day": "Monday", "seats": 2}))
    came = await answer(chat, stalled_secs=8.0, first_token_secs=8.0)
    kinds = [type(frame) for frame in came.down if isinstance(frame, CallingFrame | FunctionCallsStartedFrame)]
    assert kinds == [CallingFrame] * 5 + [FunctionCallsStartedFrame]


@pytest.mark.parametrize(("fault", "category"), CATEGORIES)
async def test_an_answer_that_fails_says_why_and_soon(fault: Fault, category: ErrorCategory):
    came = await answer(OpenAIChat(faults=Faults(fault)))
    assert came.categories == [category]
    assert came.is_ended
    assert came.secs < SOON_SECS


@pytest.mark.parametrize("fault", ["stall_midway", "drop"])
async def test_half_of_an_answer_has_been_said_when_the_rest_fails(fault: Fault):
    came = await answer(OpenAIChat(faults=Faults(fault), answer=lambda messages: "one two three four five six"))
    assert came.text == "one two three"


async def test_a_first_token_that_is_late_is_asked_for_once_more():
    chat = OpenAIChat(faults=Faults("stall", times=1))
    came = await answer(chat, stalled_secs=8.0)
    assert (came.text, came.categories, len(chat.asked)) == ("We open at nine.", [], 2)


@pytest.mark.parametrize("fault", ["refuse", "rate_limited", "server_error"])
async def test_a_request_that_failed_is_not_sent_again(fault: Fault):
    chat = OpenAIChat(faults=Faults(fault))
    await answer(chat)
    assert len(chat.asked) == 1


@pytest.mark.parametrize("fault", ["empty", "garbage"])
async def test_an_answer_without_text_ends_without_an_error(fault: Fault):
    came = await answer(OpenAIChat(faults=Faults(fault)))
    assert (came.text, came.categories, came.is_ended) == ("", [], True)


async def test_a_transcript_is_final_and_made_of_sound_at_the_rate_of_the_line():
    audio = OpenAIAudio(transcripts=["When do you open?"])
    assert (await transcript(audio)).transcripts == [("When do you open?", True)]
    assert (audio.asked[0]["model"], audio.asked[0]["language"]) == ("gpt-transcribe", "en")
    # Half a second of silence behind the speech is Pipecat's.
    assert (audio.asked[0]["rate_hz"], audio.asked[0]["audio_secs"]) == (16_000, 1.5)


async def test_nothing_heard_is_a_blank_transcript_that_ends_the_turn():
    came = await transcript(OpenAIAudio(faults=Faults("empty")))
    assert (came.transcripts, came.categories) == ([(NOT_UNDERSTOOD, True)], [])


@pytest.mark.parametrize(("fault", "category"), [*CATEGORIES, ("garbage", ErrorCategory.SERVER)])
async def test_speech_that_could_not_be_recognised_is_blank_and_says_why(fault: Fault, category: ErrorCategory):
    came = await transcript(OpenAIAudio(transcripts=["words"], faults=Faults(fault)))
    assert (came.transcripts, came.categories) == ([(NOT_UNDERSTOOD, True)], [category])
    assert came.secs < SOON_SECS


async def test_a_text_is_spoken_whole_and_then_written_down():
    came = await speech(OpenAIAudio())
    assert (len(came.pcm), came.categories, came.is_ended) == (BYTES, [], True)
    assert [frame.text for frame in came.down if isinstance(frame, TTSTextFrame)] == [SPOKEN]


async def test_a_voice_that_openai_does_not_have_is_asked_for():
    audio = OpenAIAudio(voices=frozenset({"af_heart"}))
    assert len((await speech(audio, voice="af_heart")).pcm) == BYTES


async def test_a_voice_that_the_server_does_not_have_is_an_invalid_request():
    came = await speech(OpenAIAudio(voices=frozenset({"af_heart"})))
    assert came.categories == [ErrorCategory.INVALID_REQUEST]


@pytest.mark.parametrize(
    ("fault", "category"), [*CATEGORIES, ("garbage", ErrorCategory.SERVER), ("empty", ErrorCategory.SERVER)]
)
async def test_a_text_that_could_not_be_spoken_says_why_and_soon(fault: Fault, category: ErrorCategory):
    came = await speech(OpenAIAudio(faults=Faults(fault)))
    # Pipecat adds one of its own for a context without a sound.
    assert came.categories[0] is category
    assert came.secs < SOON_SECS


@pytest.mark.parametrize("fault", ["stall_midway", "drop"])
async def test_half_of_a_text_has_been_spoken_when_the_rest_fails(fault: Fault):
    came = await speech(OpenAIAudio(faults=Faults(fault)))
    assert 0 < len(came.pcm) <= BYTES // 2 + 4_800


async def test_a_text_without_a_sound_holds_up_nothing():
    came = await speech(OpenAIAudio(faults=Faults("empty")))
    assert came.secs < 3.0


async def test_an_interruption_does_not_wait_for_an_answer_that_stands_still():
    async with OpenAIChat(faults=Faults("stall_midway")).serving() as url:
        llm = OpenAILLM(api_key=SecretStr(KEY), base_url=url, stalled_secs=60.0, first_token_secs=60.0)
        service = llm.build(instruction="Be brief.", similarity=NoSimilarity())
        came = await interrupted(service, LLMContextFrame(LLMContext(messages=[QUESTION])))
    assert (came.categories, came.secs < SOON_SECS) == ([], True)


async def test_an_interruption_does_not_wait_for_speech_that_stands_still():
    async with OpenAIAudio(faults=Faults("stall_midway")).serving() as url:
        tts = OpenAITTS(api_key=SecretStr(KEY), base_url=url, stalled_secs=60.0)
        came = await interrupted(tts.build(speech_socket=NOWHERE), TTSSpeakFrame(SPOKEN))
    assert (came.categories, came.secs < SOON_SECS) == ([], True)


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (APIConnectionError(request=POST), ErrorCategory.CONNECTIVITY),
        (
            RateLimitError("", response=Response(429, request=POST), body={"code": "insufficient_quota"}),
            ErrorCategory.QUOTA,
        ),
        (APIError("An error within the stream.", POST, body=None), ErrorCategory.SERVER),
        (BadRequestError("", response=Response(400, request=POST), body=None), None),
        (RuntimeError(), None),
    ],
)
def test_an_error_without_a_telling_status_has_a_category(error: Exception, category: ErrorCategory | None):
    assert category_of(error) is category
