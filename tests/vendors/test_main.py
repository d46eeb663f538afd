"""What the doubles' process does with what it is told."""

from tests.vendors.__main__ import take
from tests.vendors.deepgram_listen import DeepgramListen
from tests.vendors.openai_chat import OpenAIChat
from tests.vendors.script import Script
from tests.vendors.stands import Stand


def stand(double: object) -> Stand:
    return Stand(double, "", {}, lambda _: [])


def test_a_double_takes_the_time_that_it_is_told():
    model = OpenAIChat()
    take({"double": "llm/openai", "delay_secs": 0.3, "pace": 4.0}, {"llm/openai": stand(model)}, Script())
    assert (model.faults.delay_secs, model.faults.pace) == (0.3, 4.0)


def test_what_is_not_told_stays():
    model = OpenAIChat()
    stands, script = {"llm/openai": stand(model)}, Script()
    take({"double": "llm/openai", "delay_secs": 0.3}, stands, script)
    take({"double": "llm/openai", "fault": "stall"}, stands, script)
    assert (model.faults.delay_secs, model.faults.fault) == (0.3, "stall")


def test_all_recognisers_hear_what_is_usual_and_models_answer_what_is_fixed():
    ear, script = DeepgramListen(), Script()
    take({"hear_always": "When do you close?", "answer": "At six."}, {"stt/deepgram": stand(ear)}, script)
    take({"hear": "And on Sundays?"}, {"stt/deepgram": stand(ear)}, script)
    assert (ear.next_words()[0], ear.next_words()[0]) == ("And", "When")
    assert script.fixed == "At six."


def test_models_recall_what_they_are_told_until_they_are_told_otherwise():
    script = Script()
    take({"recalls": ["What did you say?"]}, {}, script)
    take({"hear": "Hello."}, {}, script)
    assert script.recalls == ["What did you say?"]


def test_a_recogniser_is_told_when_its_words_are_final():
    ear = DeepgramListen()
    take({"double": "stt/deepgram", "final_secs": 0.25}, {"stt/deepgram": stand(ear)}, Script())
    assert ear.final_secs == 0.25


def test_what_is_called_and_written_is_what_was_told_last_and_stays_beside_what_is_told_of_others():
    script = Script()
    take({"calls": {"Where is it?": {"order_status": {}}}, "writes": {"When?": "At ten."}}, {}, script)
    take({"calls": {"Bye.": {"end_call": {}}}, "writes": {}}, {}, script)
    take({"hear": "Bye."}, {}, script)
    assert ([*script.calls], script.writes) == (["Bye."], {})
