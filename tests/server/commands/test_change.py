"""`jarvis set` against a server that speaks its interface."""

import json
from typing import Any

import pytest

from tests.server.commands.test_running import CALL, jarvis, server

__all__ = ["server"]


def test_set_sends_what_was_said_and_nothing_else(server: Any):
    server.calls = [CALL]
    result = jarvis(server, "set", "6f1c", "--llm", "google", "--voice", "Bill", "--speed", "1.2", "--volume", "1.6")
    assert (result.exit_code, result.output) == (0, f"set: {CALL['id']}\n")
    sent, asked = server.asked[-2:]
    assert asked == f"PATCH /api/ingress/session/{CALL['id']}"
    assert json.loads(sent) == {"llm": "google", "tts": {"voice": "Bill", "speed": 1.2, "volume": 1.6}}


def test_set_says_what_the_server_says_to_a_name_that_the_call_has_not(server: Any):
    server.calls = [CALL]
    result = jarvis(server, "set", "6f1c", "--llm", "nobody")
    assert (result.exit_code, "it has extractive" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [((), "Say what to change"), (("--voice", ""), "can't be the voice"), (("--tts", ""), "can't be the tts")],
)
def test_set_asks_nothing_of_the_server_that_makes_no_sense(server: Any, options: tuple[str, ...], said: str):
    server.calls = [CALL]
    result = jarvis(server, "set", "6f1c", *options)
    assert (result.exit_code, said in result.output, server.asked) == (1, True, [])


def test_set_of_a_call_that_ended_meanwhile_is_said(server: Any):
    server.calls = [CALL | {"gone": True}]
    result = jarvis(server, "set", "6f1c", "--stt", "google")
    assert (result.exit_code, "has just ended" in result.output) == (1, True)
