"""Of a service's frames, only those of the attempt that counts are an answer."""

import asyncio

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    UserStartedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext

from processors.failover.routing import Attempt, Routing
from processors.failover.seam import Seam
from tests.processors.failover.scripted_llm import ScriptedLLM


class Routed:
    """One service and its attempts."""

    def __init__(self) -> None:
        self.service = ScriptedLLM([])
        self.routing = Routing([self.service])
        self.items: asyncio.Queue[tuple[Attempt, Frame]] = asyncio.Queue()

    async def begun(self) -> Attempt:
        """An attempt that the service has turned to."""
        frame = LLMContextFrame(context=LLMContext([]))
        attempt = Attempt(name="a", service=self.service, frame=frame, items=self.items, seam=Seam(""), began=0.0)
        await self.routing.begin(attempt)
        await self.service._call_event_handler("on_before_process_frame", frame)
        return attempt


async def test_text_of_the_attempt_is_its_own_and_goes_no_further():
    routed = Routed()
    attempt, text = await routed.begun(), LLMTextFrame("Yes.")
    assert not routed.routing.passes(routed.service, text)
    assert routed.items.get_nowait() == (attempt, text)


async def test_text_of_no_attempt_is_dropped():
    routed = Routed()
    assert not routed.routing.passes(routed.service, LLMTextFrame("Yes."))
    assert routed.items.empty()


async def test_text_of_an_attempt_that_was_dropped_is_dropped():
    routed = Routed()
    routed.routing.drop(await routed.begun())
    routed.routing.passes(routed.service, LLMFullResponseEndFrame())
    assert routed.items.empty()


async def test_what_is_no_answer_goes_on():
    assert Routed().routing.passes(ScriptedLLM([]), UserStartedSpeakingFrame())


async def test_a_caller_who_interrupts_goes_on():
    assert Routed().routing.passes(ScriptedLLM([]), InterruptionFrame())
