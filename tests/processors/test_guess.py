"""A guess is settled once, and what is done for one that is withdrawn stops."""

import asyncio

import pytest

from processors.guess import Guess, Guesses


def asked(guesses: Guesses, text: str = "When?") -> Guess:
    guess = guesses.begin(text)
    guess.is_asked = True
    return guess


async def test_what_is_done_for_a_guess_ends_as_it_is_withdrawn():
    guess = asked(Guesses(settled=lambda _: None))
    asyncio.get_running_loop().call_soon(guess.withdraw)
    async with guess.until_withdrawn():
        await asyncio.Event().wait()
    assert guess.is_withdrawn


async def test_what_is_late_by_itself_is_said_to_be():
    guess = asked(Guesses(settled=lambda _: None))
    with pytest.raises(TimeoutError):
        async with guess.until_withdrawn():
            raise TimeoutError


async def test_a_guess_that_was_kept_lets_its_work_go_on():
    guess = asked(Guesses(settled=lambda _: None))
    async with guess.until_withdrawn():
        guess.keep()
        guess.withdraw()
        await asyncio.sleep(0)
    assert (guess.is_kept, guess.is_withdrawn) == (True, False)


def test_the_next_guess_withdraws_the_last():
    settled: list[Guess] = []
    guesses = Guesses(settled=settled.append)
    first, second = asked(guesses), asked(guesses)
    assert (settled, first.is_withdrawn, second.is_open) == ([first], True, True)


def test_one_that_nobody_worked_at_is_not_told_of():
    settled: list[Guess] = []
    guesses = Guesses(settled=settled.append)
    guesses.begin("When?")
    guesses.withdraw()
    assert settled == []
