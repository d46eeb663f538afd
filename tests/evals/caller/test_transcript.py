from evals.caller.transcript import Citation, Ending, Transcript

CITATION = {
    "type": "citation",
    "number": 1,
    "title": "Opening hours",
    "heading_path": ["Weekends"],
    "quote": "Saturday 9 to 14",
    "passage": "We open on Saturday 9 to 14.",
    "start": 11,
    "end": 27,
    "source": "hours.md",
}


def rtvi(kind, **data):
    return {"label": "rtvi-ai", "type": kind, "data": data}


def spoken(segment_id, text, remaining=""):
    progress = {"accumulated_text": text, "remaining_text": remaining}
    return rtvi("bot-output", text=text, segment_id=segment_id, will_be_spoken=True, spoken_progress=progress)


def transcript_of(*messages):
    transcript = Transcript()
    for message in messages:
        transcript.receive(message)
    return transcript


def test_the_greeting_is_said_before_any_question():
    assert transcript_of(spoken(1, "Hello.")).exchanges[0].said == "Hello."


def test_only_final_transcriptions_are_heard():
    transcript = Transcript()
    transcript.begin_question()
    transcript.receive(rtvi("user-transcription", text="when are", final=False))
    transcript.receive(rtvi("user-transcription", text="when are you", final=True))
    transcript.receive(rtvi("user-transcription", text="open", final=True))
    assert transcript.exchanges[1].heard == "when are you open"


def test_said_is_what_was_spoken_of_each_segment():
    transcript = transcript_of(spoken(1, "Hello."), spoken(2, "", "How can I"), spoken(2, "How", "can I"))
    assert transcript.exchanges[0].said == "Hello. How"


def test_generated_text_stands_in_where_spoken_words_are_not_reported():
    assert transcript_of(rtvi("bot-transcription", text="Hello.")).exchanges[0].said == "Hello."


def test_text_that_is_not_spoken_is_not_said():
    assert transcript_of(rtvi("bot-output", text="x = 1", segment_id=1, will_be_spoken=False)).exchanges[0].said == ""


def test_an_answer_goes_on_until_the_bot_notices_the_caller():
    transcript = transcript_of(rtvi("bot-started-speaking"), spoken(1, "We open"))
    transcript.begin_question()
    transcript.receive(spoken(1, "We open at"))
    transcript.receive(spoken(2, "Then"))
    transcript.receive(rtvi("bot-interrupted"))
    transcript.receive(spoken(3, "By bus."))
    assert [exchange.said for exchange in transcript.exchanges] == ["We open at Then", "By bus."]


def test_the_rest_of_an_interrupted_segment_stays_with_its_answer():
    transcript = transcript_of(rtvi("bot-started-speaking"), spoken(1, "We open"))
    transcript.begin_question()
    transcript.receive(rtvi("bot-interrupted"))
    transcript.receive(spoken(1, "We open at"))
    assert [exchange.said for exchange in transcript.exchanges] == ["We open at", ""]


def test_a_citation_belongs_to_the_answer_that_is_given():
    transcript = Transcript()
    transcript.begin_question()
    transcript.receive(rtvi("server-message", **CITATION))
    assert transcript.exchanges[1].citations == [
        Citation(
            number=1, title="Opening hours", heading_path=("Weekends",), quote="Saturday 9 to 14", source="hours.md"
        )
    ]


def test_a_citation_without_a_source_is_reported_as_an_error():
    transcript = transcript_of(rtvi("server-message", type="citation", number=1))
    assert transcript.exchanges[0].citations == []
    assert len(transcript.errors) == 1


def test_the_bot_is_speaking_between_its_two_messages():
    transcript = transcript_of(rtvi("bot-started-speaking"))
    assert transcript.bot_speaking
    transcript.receive(rtvi("bot-stopped-speaking"))
    assert not transcript.bot_speaking


def test_an_interrupted_bot_no_longer_thinks():
    assert not transcript_of(rtvi("bot-llm-started"), rtvi("bot-interrupted")).bot_thinking


def test_notices_and_errors_are_kept():
    transcript = transcript_of(
        rtvi("server-message", type="notice", text="slow"), rtvi("error", error="e", fatal=False)
    )
    assert (transcript.notices, transcript.errors) == (["slow"], ["e"])


def test_the_first_reason_for_the_end_is_kept():
    transcript = transcript_of(
        rtvi("server-message", type="call_ended", reason="limit", text="Ten minutes are over."),
        {"type": "signalling", "message": {"type": "peerLeft"}},
    )
    assert transcript.ending == Ending("limit", "Ten minutes are over.")
    assert transcript.hung_up


def test_messages_of_other_kinds_are_passed_over():
    transcript = transcript_of(rtvi("metrics", ttfb=[]), {"type": "bot-output"}, {"type": "signalling"}, {})
    assert transcript.exchanges[0].said == ""
