"""A cough between a question and its answer costs the caller nothing."""

from typing import Any, cast

import pytest
from pipecat.frames.frames import LLMContextFrame, UserStartedSpeakingFrame, UserStoppedSpeakingFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMUserAggregatorParams
from pipecat.turns.empty_user_turn import EmptyUserTurnConfig
from pipecat.turns.user_start import ExternalUserTurnStartStrategy
from pipecat.turns.user_stop import ExternalUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

from bot.still_asked import MOST_IN_A_ROW, UserAggregator
from tests.patient import run_test

QUESTION = {"role": "user", "content": "How late are you open?"}
ANSWER = {"role": "assistant", "content": "Until seven."}
AGAIN = {"role": "developer", "content": "Ask whether they could say it again."}
COUGH = (UserStartedSpeakingFrame(), UserStoppedSpeakingFrame())


async def answered(*said: dict[str, str], coughs: int = 1) -> list[Any]:
    """What the language model is given after so many turns without a word, each time its last message."""
    context = LLMContext(cast(Any, [dict(each) for each in said]))
    aggregator = UserAggregator(
        context,
        params=LLMUserAggregatorParams(
            user_turn_strategies=UserTurnStrategies(
                start=[ExternalUserTurnStartStrategy()], stop=[ExternalUserTurnStopStrategy(wait_for_transcript=False)]
            ),
            empty_user_turn=EmptyUserTurnConfig(interrupted_prompt=AGAIN["content"], idle_prompt=AGAIN["content"]),
        ),
    )
    down, _ = await run_test(aggregator, frames_to_send=list(COUGH) * coughs)
    return [frame.context.messages[-1] for frame in down if isinstance(frame, LLMContextFrame)]


async def test_a_question_that_nobody_answered_is_asked_once_more():
    assert await answered(QUESTION) == [QUESTION]


async def test_behind_an_answer_the_caller_is_asked_to_say_it_again():
    assert await answered(QUESTION, ANSWER) == [AGAIN]


async def test_before_anything_was_said_the_caller_is_asked_to_say_it_again():
    assert await answered() == [AGAIN]


@pytest.mark.parametrize("coughs", [MOST_IN_A_ROW, MOST_IN_A_ROW + 2])
async def test_a_noise_that_goes_on_is_not_answered_for_ever(coughs: int):
    assert len(await answered(QUESTION, coughs=coughs)) == MOST_IN_A_ROW
