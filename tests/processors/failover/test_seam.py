"""Where another goes on with an answer, nothing is said twice and nothing is left out."""

import pytest
from pipecat.processors.aggregators.llm_context import LLMContext

from processors.failover.seam import GO_ON, Seam, going_on, sentence_end


@pytest.mark.parametrize(
    ("said", "rest", "joined"),
    [
        ("Within ", "thirty days.", "Within thirty days."),
        ("Within", "thirty days.", "Within thirty days."),
        ("Within", " thirty days.", "Within thirty days."),
        ("Within", ", say, a month.", "Within, say, a month."),
        ("Within thirty ", "Within| thirty| days.", "Within thirty days."),
        ("Within thirty", "within  THIRTY| days.", "Within thirty days."),
        ("Within thir", "Within thirty| days.", "Within thirty days."),
        ("Within thir", "thirty days.", "Within thirty days."),
        ("Goods go back. Within thirty ", "Within thi|rty days.", "Goods go back. Within thirty days."),
        ("Is it open? No, ", "no one is there.", "Is it open? No, no one is there."),
        ("Within thirty ", "Within a month.", "Within thirty Within a month."),
        ("Within thirty days.", "Within thirty days.", "Within thirty days."),
        ("", "Within thirty days.", "Within thirty days."),
    ],
)
def test_what_comes_is_joined_to_what_was_said(said: str, rest: str, joined: str):
    seam = Seam(said)
    assert said + "".join(seam.feed(piece) for piece in rest.split("|")) + seam.end() == joined


def test_text_is_held_back_only_while_it_could_be_a_repetition():
    seam = Seam("Within thirty ")
    assert [seam.feed(piece) for piece in ("Wi", "thin a", " month")] == ["", "Within a", " month"]


def test_the_next_is_given_what_was_said_and_the_context_stays_as_it_was():
    context = LLMContext([{"role": "user", "content": "When?"}])
    longer = going_on(context, "Within ")
    assert longer.get_messages()[1:] == [
        {"role": "assistant", "content": "Within "},
        {"role": "developer", "content": GO_ON},
    ]
    assert len(context.get_messages()) == 1


@pytest.mark.parametrize(
    ("said", "end"), [("", ""), ("Yes.", " "), ("Within thir", ". "), ("Yes. ", " "), ("In days [", "0]. ")]
)
def test_a_new_sentence_begins_behind_the_end_of_the_last(said: str, end: str):
    assert sentence_end(said) == end
