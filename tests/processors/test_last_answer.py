"""What counts as the last answer."""

from processors.last_answer import Answers


def test_the_greeting_counts_until_there_is_an_answer():
    answers = Answers()
    answers.speak("Hello.")
    assert answers.last.text == "Hello."


def test_what_is_said_beside_answers_is_none():
    answers = Answers()
    answers.begin(1)
    answers.say("At nine.")
    answers.speak("Are you still there?")
    assert answers.last.text == "At nine."


def test_an_answer_has_all_its_words_and_sources():
    answers = Answers()
    answers.begin(7)
    answers.cite({"title": "Hours"})
    answers.say("At nine.")
    answers.say(" Or ten.")
    assert (answers.last.number, answers.last.text, answers.last.citations) == (
        7,
        "At nine. Or ten.",
        [{"title": "Hours"}],
    )


def test_an_answer_without_a_word_leaves_the_last_one():
    answers = Answers()
    answers.begin(1)
    answers.say("At nine.")
    answers.begin(2)
    answers.cite({"title": "Hours"})
    answers.say(" ")
    assert (answers.last.number, answers.last.citations) == (1, [])


def test_what_an_earlier_bot_said_last_counts():
    assert Answers("At nine.").last.text == "At nine."
