"""What a question may lean on."""

from collections.abc import Sequence
from typing import Any

from bot.talk.history import OnTheMatter, on_the_matter
from knowledge.types import Turn


def turns(*texts: str) -> list[Turn]:
    """What the caller and the bot said by turns, the caller first."""
    return [Turn("assistant" if n % 2 else "user", text) for n, text in enumerate(texts)]


def test_requests_and_what_was_said_to_them_are_left_out():
    said = turns("How much is it?", "49 dollars.", "Slower, please.", "All right.", "Once more.", "49 dollars.")
    assert on_the_matter(said) == said[:2]


def test_the_greeting_and_small_talk_stay():
    said = [Turn("assistant", "Hello."), *turns("Thanks.", "You're welcome.", "Yes.", "It is red.")]
    assert on_the_matter(said) == said


async def test_a_search_is_asked_with_what_is_left():
    asked: list[Any] = []

    class Noting:
        async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> Any:
            asked.append((question, [*history], limit))

    said = turns("How much is it?", "49 dollars.", "Slower, please.", "All right.")
    await OnTheMatter(Noting()).search("And for two?", history=said, limit=3)
    assert asked == [("And for two?", said[:2], 3)]
