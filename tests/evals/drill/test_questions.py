"""What callers ask in a drill."""

from evals.drill.questions import IDS, questions
from evals.program import RECORDINGS


def test_each_question_has_a_recording_and_one_sentence_for_an_answer():
    asked = questions()
    assert [each.id for each in asked] == [*IDS]
    assert all((RECORDINGS / "slt" / f"{each.id}.flac").is_file() for each in asked)
    assert all(each.phrase in each.answer.lower() and each.answer.count(".") == 1 for each in asked)
