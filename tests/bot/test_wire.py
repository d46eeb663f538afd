"""What stands in the text messages of a program's call."""

import json

import pytest
from pipecat.processors.frameworks.rtvi import models as rtvi

from bot.wire import LABEL, End, Text, WireError, interrupted, read_text, ready, send_text


def test_a_caller_may_hang_up():
    assert read_text('{"type": "end"}') == End(type="end")


def test_a_caller_may_ask_in_writing():
    assert read_text('{"type": "text", "text": "Hi"}') == Text(type="text", text="Hi")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not_json"),
        ("hello", "not_json"),
        ("{", "not_json"),
        ("[" * 60_000, "not_json"),
        ("[]", "unknown_message"),
        ("null", "unknown_message"),
        ("{}", "unknown_message"),
        ('{"type": "dance"}', "unknown_message"),
        ('{"type": "text"}', "unknown_message"),
        ('{"type": "text", "text": ""}', "unknown_message"),
        ('{"type": "text", "text": 7}', "unknown_message"),
        (json.dumps({"type": "text", "text": "x" * 2001}), "unknown_message"),
        ('{"label": "rtvi-ai", "type": "client-ready", "id": "1"}', "unknown_message"),
    ],
)
def test_what_is_not_such_a_message_is_refused_by_its_fault(text: str, fault: str):
    with pytest.raises(WireError) as refusal:
        read_text(text)
    assert refusal.value.fault == fault


def test_a_refusal_says_what_to_do_and_nothing_of_what_was_sent():
    with pytest.raises(WireError) as refusal:
        read_text('{"type": "secret"}')
    message = refusal.value.to_message()
    assert message["data"]["code"] == "unknown_message"
    assert "Send `end`" in message["data"]["error"]
    assert "secret" not in json.dumps(message)


def test_our_messages_are_ones_of_rtvi():
    assert LABEL == rtvi.MESSAGE_LABEL
    assert rtvi.Message.model_validate(send_text("Hi", message_id="1")).type == "send-text"
    assert rtvi.SendTextData.model_validate(send_text("Hi", message_id="1")["data"]).content == "Hi"
    assert rtvi.BotInterruptedMessage().model_dump(exclude_none=True).items() >= interrupted().items()
    hello = ready(version=rtvi.PROTOCOL_VERSION, pc_id="ws-1", codec="pcm", sample_rate=8000)
    assert rtvi.BotReady.model_validate(hello).type == "bot-ready"
