"""What Jarvis is told."""

from importlib import resources

import pytest

from bot.prompts import prompt

NAMES = sorted(f.name.removesuffix(".txt") for f in resources.files("bot.prompts").iterdir() if f.name.endswith(".txt"))


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_is_filled_in_completely(name: str):
    text = prompt(name, name="Ada", business="Acme", language="German")
    assert text == text.strip() != ""
    assert "{" not in text


def test_the_instruction_says_who_speaks_for_whom():
    assert "You are Ada, the voice assistant of Acme." in prompt("instruction", name="Ada", business="Acme")


def test_the_instruction_says_how_a_source_is_marked():
    assert "[1]" in prompt("instruction", name="Ada", business="Acme")


def test_a_value_with_braces_is_not_filled_in_again():
    assert "{x}" in prompt("instruction", name="{x}", business="Acme")
