"""What is known of one context while it is answered."""

from pipecat.frames.frames import LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext

from processors.failover.turn import Turn
from processors.guess import Guesses


def test_a_turn_is_withdrawn_with_its_guess_and_never_without_one():
    guess = Guesses(settled=lambda _: None).begin("When?")
    certain, guessed = (Turn(LLMContextFrame(context=LLMContext()), "smart", each) for each in (None, guess))
    guess.withdraw()
    assert (certain.is_withdrawn, guessed.is_withdrawn) == (False, True)
