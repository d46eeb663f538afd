"""What a held conversation came to."""

from typing import Any

import numpy as np

from evals.caller.audio import RATE_HZ
from evals.caller.recording import Recording
from evals.scenarios.keys import FaultAt, HostAt
from evals.scenarios.observing import by_turn, false_interrupts, missed_turns, said, spoken, timeline, turns
from evals.scenarios.overhearing import Message

PASSAGE = {"title": "Workshop", "source": "workshop.md", "text": "18 dollars"}
CITATION = {"type": "citation", "title": "Workshop", "quote": "18", "passage": "18 dollars"}


def message(at_ms: float, kind: str, **data: Any) -> Message:
    return Message(at_ms, kind, data)


def searched(at_ms: float, question: str | None, *passages: dict[str, str]) -> Message:
    return message(at_ms, "server-message", type="passages", question=question, ms=4.0, passages=list(passages))


def answered(at_ms: float, text: str) -> list[Message]:
    started, stopped = message(at_ms, "bot-llm-started"), message(at_ms + 2, "bot-llm-stopped")
    return [started, message(at_ms + 1, "bot-llm-text", text=text), stopped]


def recording(caller: list[tuple[int, int]], bot: list[tuple[int, int]]) -> Recording:
    """Both sides voiced in these milliseconds."""
    made = Recording()
    for write, places in ((made.write_caller, caller), (made.write_bot, bot)):
        for start, stop in places:
            samples = (stop - start) * RATE_HZ // 1000
            tone = (8_000 * np.sin(np.arange(samples) / 20)).astype(np.int16)
            write(start * RATE_HZ // 1000, tone)
    return made


def test_a_turn_has_what_was_told_in_it():
    messages = [*answered(1, "Hello."), searched(12, "What?", PASSAGE), *answered(20, "It is 18 dollars.")]
    greeting, asked = turns([None, "What?"], by_turn(messages, [5.0, 10.0]), None)
    assert (greeting.said, greeting.passages) == ("Hello.", None)
    assert (asked.heard, asked.said) == ("What?", "It is 18 dollars.")
    assert [each.title for each in asked.passages or ()] == ["Workshop"]


def test_a_citation_that_comes_late_is_of_the_turn_that_was_looked_up():
    messages = [searched(12, "What?", PASSAGE), *answered(13, "18."), message(31, "server-message", **CITATION)]
    first, second = turns(["What?", "Thanks."], by_turn([*messages, searched(33, None)], [10.0, 30.0]), None)
    assert ([each.title for each in first.cited], second.cited) == (["Workshop"], ())
    assert second.passages is None


def test_where_no_passages_are_told_a_citation_is_of_the_turn_that_was_understood_last():
    messages = [
        message(12, "user-transcription", text="what", final=True),
        message(31, "server-message", **CITATION),
        message(32, "user-transcription", text="tha", final=False),
        message(33, "server-message", **CITATION),
    ]
    first, second = by_turn(messages, [10.0, 30.0])
    assert ([each.at_ms for each in first], [each.at_ms for each in second]) == ([12, 31, 33], [32])


def test_an_answer_in_parts_is_said_as_one():
    assert said([*answered(1, "One"), *answered(5, "and  two.")]) == "One and two."


def test_what_was_heard_is_the_recognisers_in_a_spoken_call():
    heard = message(11, "user-transcription", text="what", final=True)
    sound = spoken(recording([(10, 500)], []), [10.0])
    (turn,) = turns(["What?"], [[heard, message(12, "user-transcription", text="wh", final=False)]], sound)
    assert turn.heard == "what"


def test_times_are_of_the_sound():
    sound = spoken(recording([(1_000, 2_000), (6_000, 7_000)], [(2_800, 4_000), (4_500, 5_000)]), [900.0, 5_900.0])
    first, second = turns(["a", "b"], [[], []], sound)
    assert first.v2v_ms is not None
    assert first.longest_gap_ms is not None
    assert abs(first.v2v_ms - 800) < 20
    assert abs(first.longest_gap_ms - 500) < 20
    assert (second.v2v_ms, missed_turns(sound)) == (None, 1)


def test_a_bot_that_is_spoken_over_yields():
    sound = spoken(recording([(1_000, 2_000), (4_000, 5_000)], [(2_500, 4_400), (6_000, 7_000)]), [900.0, 3_900.0])
    first, _ = turns(["a", "b"], [[], []], sound)
    assert first.yield_ms is not None
    assert abs(first.yield_ms - 400) < 20


def test_giving_way_to_nobody_is_a_false_interruption():
    sound = spoken(recording([(1_000, 2_000)], []), [900.0])
    messages = [message(at, "bot-interrupted") for at in (1_200, 2_300, 9_000)]
    assert false_interrupts(messages, sound) == 1


def test_the_timeline_has_faults_where_their_turns_began():
    faults = [
        FaultAt(turn=1, stage="stt", fault="stall"),
        FaultAt(turn=2, stage="llm", fault="drop"),
        HostAt(turn=0, event="drain"),
    ]
    found = timeline([], [10.0, 30.0, None], [None] * 3, None, faults)
    assert [(each.from_ms, each.label) for each in found if each.lane == "fault"] == [
        (10.0, "host: drain"),
        (30.0, "stt: stall"),
    ]


def test_the_timeline_has_each_lane_in_the_order_of_time():
    messages = [searched(14, "What?", PASSAGE), *answered(20, "18."), message(24, "server-message", **CITATION)]
    found = timeline(messages, [10.0], ["What?"], None)
    assert [(each.lane, each.from_ms, each.to_ms, each.label) for each in found] == [
        ("caller", 10.0, None, "What?"),
        ("turn", 10.0, None, "turn 1"),
        ("retrieval", 10.0, 14, "Workshop"),
        ("llm", 20, 22, ""),
        ("llm", 24, None, "cites Workshop"),
    ]
