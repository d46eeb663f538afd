"""What providers did and what it costs, as the real services report it and where they don't."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    TTSSpeakFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import LLMTokenUsage
from pipecat.pipeline.worker import PipelineParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.tests.utils import SleepFrame
from pydantic import SecretStr

from bot.failover import Failover, answerer
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM, OpenAISTT, OpenAITTS
from bot.providers.prices import Price, listed
from bot.settings import BotSettings, Retrieval
from bot.usage import Meter, estimated_units, units_of
from bot.wording.table import wording
from tests.bot.providers.calls import SPOKEN, Came
from tests.bot.providers.similarity import NoSimilarity
from tests.patient import run_test
from tests.vendors.faults import Faults
from tests.vendors.openai_audio import OpenAIAudio
from tests.vendors.openai_chat import KEY, OpenAIChat

ENGLISH = wording("en")

DAY = date(2026, 12, 1)
NOWHERE = Path("/nowhere")
ASKED = "When do you open?"
INSTRUCTION = "Be brief."


class Told:
    """A meter, and what it reported."""

    def __init__(self, prices: Sequence[Price] = listed()) -> None:
        self.events: list[dict[str, Any]] = []
        self.meter = Meter(prices, report=self.events.append, today=lambda: DAY)

    @property
    def added(self) -> list[dict[str, Any]]:
        return [each for event in self.events for each in event["added"]]


async def run(service: FrameProcessor, *frames: Frame) -> Came:
    params = PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=24_000, enable_usage_metrics=True)
    down, up = await run_test(service, frames_to_send=frames, pipeline_params=params)
    return Came(down, up, 0)


def context(text: str = ASKED) -> LLMContextFrame:
    return LLMContextFrame(LLMContext(messages=[{"role": "user", "content": text}]))


@asynccontextmanager
async def openai(chat: OpenAIChat, told: Told, **settings: Any) -> AsyncIterator[FrameProcessor]:
    """The real service, in front of a server in OpenAI's place, and metered."""
    async with chat.serving() as url:
        provider = OpenAILLM(api_key=SecretStr(KEY), base_url=url, stalled_secs=5, **settings)
        service = provider.build(instruction=INSTRUCTION, similarity=NoSimilarity())
        told.meter.listen("llm", provider, service)
        yield service


async def test_an_answer_costs_the_tokens_that_the_vendor_tells():
    told = Told()
    async with openai(OpenAIChat(), told) as service:
        await run(service, context())
    told.meter.tell()
    (added,) = told.added
    # A word a token: 4 of the question and 2 of the instruction, and 4 of the answer.
    assert added == {
        "stage": "llm",
        "provider": "openai",
        "model": "gpt-6.1-terra",
        "units": {"input_tokens": 6, "output_tokens": 4},
        "usd": "0.000026000",
        "priced": True,
    }
    assert (told.events[0]["usd"], told.meter.usd) == ("0.000026000", Decimal("0.000026"))


async def test_what_was_told_is_not_told_again():
    told = Told()
    async with openai(OpenAIChat(), told) as service:
        await run(service, context(), context())
    told.meter.tell()
    told.meter.tell()
    assert [event["usd"] for event in told.events] == ["0.000052000"]


async def test_an_answer_that_was_cut_off_is_estimated():
    told = Told()
    chat = OpenAIChat(answer=lambda _messages: "We open at nine. " * 50, faults=Faults(pace=1))
    async with openai(chat, told) as service:
        came = await run(service, context(), SleepFrame(0.5), InterruptionFrame(), SleepFrame(0.1))
    told.meter.tell()
    (added,) = told.added
    asked = len(INSTRUCTION) + len(str({"role": "user", "content": ASKED}))
    assert came.text
    assert added["units"] == {"input_tokens": -(-asked // 4), "output_tokens": -(-len(came.text) // 4)}


async def test_a_request_that_was_refused_costs_nothing():
    told = Told()
    async with openai(OpenAIChat(faults=Faults("unauthorized")), told) as service:
        await run(service, context())
    told.meter.tell()
    assert told.events == []


async def test_a_model_without_a_price_is_counted_and_its_cost_is_unknown():
    told = Told(prices=[])
    provider = OpenAILLM(api_key=SecretStr(KEY), model="gpt-99")
    told.meter._add("llm", provider, "gpt-99", {"output_tokens": 7})
    told.meter.tell()
    assert told.added == [
        {
            "stage": "llm", "provider": "openai", "model": "gpt-99", "units": {"output_tokens": 7}, "usd": "0",
            "priced": False,
        }
    ]  # fmt: skip
    assert told.events[0]["priced"] is False


async def test_speech_costs_its_characters():
    told = Told()
    async with OpenAIAudio().serving() as url:
        provider = OpenAITTS(api_key=SecretStr(KEY), base_url=url)
        service = provider.build(speech_socket=NOWHERE)
        told.meter.listen("tts", provider, service)
        await run(service, TTSSpeakFrame(SPOKEN))
    told.meter.tell()
    assert (told.added[0]["units"], told.added[0]["usd"]) == ({"characters": 16}, "0.000240000")


async def test_hearing_costs_the_seconds_that_were_sent():
    told = Told()
    speech = InputAudioRawFrame(b"\x01\x00" * 16_000, 16_000, 1)
    async with OpenAIAudio().serving() as url:
        provider = OpenAISTT(api_key=SecretStr(KEY), base_url=url)
        service = provider.build(speech_socket=NOWHERE)
        told.meter.listen("stt", provider, service)
        await run(service, VADUserStartedSpeakingFrame(), speech, VADUserStoppedSpeakingFrame())
    told.meter.tell()
    secs = told.added[0]["units"]["audio_secs"]
    # Pipecat sends a little silence behind the speech.
    assert 1 <= secs < 2.5
    assert Decimal(told.added[0]["usd"]) == (Decimal(str(secs)) * Decimal("0.0001")).quantize(Decimal("1e-9"))


@pytest.mark.parametrize(
    ("tokens", "units"),
    [
        # OpenAI: what the cache held is within the prompt.
        ({"prompt_tokens": 100, "total_tokens": 110, "cache_read_input_tokens": 80}, (20, 80, 0)),
        # Anthropic: it is beside it.
        (
            {
                "prompt_tokens": 20,
                "total_tokens": 140,
                "cache_read_input_tokens": 80,
                "cache_creation_input_tokens": 30,
            },
            (20, 80, 30),
        ),
        # A server that tells no total.
        ({"prompt_tokens": 100, "total_tokens": 0}, (100, 0, 0)),
    ],
)
def test_tokens_of_the_cache_are_billed_once(tokens: dict[str, int], units: tuple[int, int, int]):
    found = units_of(LLMTokenUsage(completion_tokens=10, **tokens))
    assert (found["input_tokens"], found["cached_tokens"], found["cache_write_tokens"]) == units
    assert found["output_tokens"] == 10


def test_an_estimate_is_rounded_up():
    assert estimated_units(LLMContext(messages=[]), instruction="Hello", said=9) == {
        "input_tokens": 2,
        "output_tokens": 3,
    }


class Call:
    """Who answers a call with a cap, and the money that was told."""

    def __init__(self, url: str, **budget: Any) -> None:
        settings = BotSettings.model_validate(
            {
                "llm": (OpenAILLM(api_key=SecretStr(KEY), base_url=url), ExtractiveLLM()),
                "retrieval": Retrieval(socket=NOWHERE),
                "speech_socket": NOWHERE,
                "budget": {"prices": listed(), **budget},
            }
        )
        self.events: list[dict[str, Any]] = []
        self.failover = Failover(settings, report=self.events.append)
        self.llm = answerer(settings, self.failover, similarity=NoSimilarity(), spoken=True)


async def test_at_the_cap_the_documents_answer_and_the_caller_is_told_once():
    chat = OpenAIChat()
    async with chat.serving() as url:
        call = Call(url, call_usd=Decimal("0.000001"))
        first = await run(call.llm, context())
        call.failover.tell_usage()
        call = Call(url, call_usd=Decimal("0.000001"), spent_usd=call.failover.meter.usd)
        later = await run(call.llm, context(), context(), SleepFrame(0.3))
    assert (first.text, len(chat.asked)) == ("We open at nine.", 1)
    assert (later.text.count(ENGLISH.saving), later.text.startswith(ENGLISH.saving)) == (1, True)


async def test_a_cap_reached_in_a_call_counts_from_its_next_turn_on():
    chat = OpenAIChat()
    async with chat.serving() as url:
        call = Call(url, call_usd=Decimal("0.000001"))
        assert call.failover.of("llm").next() == "openai"
        await run(call.llm, context())
        call.failover.tell_usage()
    assert call.failover.of("llm").next() == "extractive"


async def test_a_day_that_is_spent_and_one_that_is_not_are_told_to_a_running_call():
    call = Call("http://127.0.0.1:9/v1")
    call.failover.limit("free")
    spent = call.failover.of("llm").next()
    call.failover.limit("all")
    assert (spent, call.failover.of("llm").next()) == ("extractive", "openai")
