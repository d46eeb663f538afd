"""The sentences that answer: chosen by meaning, by words, and by the kind of answer the question expects."""

from collections.abc import Sequence

import pytest

from bot.extractive.choice import COMPANION_MARGIN, MAX_WORDS, Candidate, Choice, choose, shortlist
from bot.extractive.question import Question
from bot.extractive.sentences import Sentence

# A sentence of another passage that has nothing to do with any question.
FAR = ("Roses are red.", 0.0)


def candidates(*rows: tuple[str, float | None], numbers: Sequence[int] = (), title: str = "Page") -> list[Candidate]:
    """Candidates of passage and document 1, or of those in `numbers`."""
    placed = [numbers[i] if numbers else 1 for i in range(len(rows))]
    return [
        Candidate(Sentence(text, number, i), number, title, "", similarity=similarity)
        for i, ((text, similarity), number) in enumerate(zip(rows, placed, strict=True))
    ]


def said(question: str, *rows: tuple[str, float | None], numbers: Sequence[int] = (), title: str = "Page") -> list[str]:
    """What is said, be it an answer or the nearest there is."""
    return [s.text for s in choose(Question(question), candidates(*rows, numbers=numbers, title=title)).sentences]


def chosen(question: str, *rows: tuple[str, float | None], numbers: Sequence[int] = (), title: str = "Page"):
    """What is said as an answer."""
    choice = choose(Question(question), candidates(*rows, numbers=numbers, title=title))
    return [s.text for s in choice.sentences] if choice.answers else []


def test_the_sentence_nearest_in_meaning_is_chosen():
    assert chosen("Is it open?", ("We sell bikes.", 0.3), ("The open doors are unlocked.", 0.8)) == [
        "The open doors are unlocked."
    ]


def test_of_two_as_near_the_one_with_the_questions_words_is_better():
    rows = ("Battery charging is fast.", 0.7), ("The warranty covers batteries.", 0.7)
    assert chosen("Is there a battery warranty?", *rows) == ["The warranty covers batteries."]


def test_words_of_the_heading_count_for_the_sentences_under_it():
    rows = ("It covers ten years.", 0.6), FAR
    assert chosen("What about the warranty?", *rows, numbers=(1, 2), title="Warranty") == ["It covers ten years."]
    assert chosen("What about the warranty?", *rows, numbers=(1, 2), title="Parking") == []


def test_a_sentence_with_the_kind_of_answer_that_was_asked_for_wins():
    rows = ("A rental is great fun.", 0.72), ("A rental is 40 dollars.", 0.7)
    assert chosen("How much is a rental?", *rows, numbers=(1, 2))[0] == "A rental is 40 dollars."


@pytest.mark.parametrize(
    ("question", "sentence", "similarity"),
    [
        ("Do you sell scooters?", "Our garden has roses.", None),
        ("Do you sell scooters?", "Our garden has roses.", 0.2),
        ("Do you sell electric scooters?", "We buy electric bicycles.", 0.5),
        ("How many bikes did you sell last year?", "We sell bikes.", None),
    ],
    ids=["no word", "off topic", "another thing", "another kind of answer"],
)
def test_nothing_is_chosen_when_nothing_supports_an_answer(question: str, sentence: str, similarity: float | None):
    assert chosen(question, (sentence, similarity), FAR if similarity is not None else ("Roses are red.", None)) == []


def test_what_does_not_stand_out_from_the_other_passages_is_no_answer():
    question, best = "Do you sell gift vouchers?", ("Gift cards can be bought online.", 0.6)
    assert chosen(question, best, FAR, FAR, FAR, numbers=(1, 2, 3, 4)) == [best[0]]
    assert chosen(question, best, *[("Cards are printed on paper.", 0.6)] * 3, numbers=(1, 2, 3, 4)) == []


@pytest.mark.parametrize(
    ("question", "similarity", "is_offered"),
    [
        ("Do you sell electric scooters?", 0.5, True),
        ("Do you sell electric scooters?", None, True),
        ("What is the weather like?", 0.05, False),
        ("What is the weather like?", None, False),
    ],
)
def test_what_does_not_answer_but_is_near_is_offered_as_that(question: str, similarity: float | None, is_offered: bool):
    choice = choose(Question(question), candidates(("We sell electric bicycles.", similarity)))
    assert ([s.text for s in choice.sentences], choice.answers) == (["We sell electric bicycles."] * is_offered, False)


def test_no_candidates_choose_nothing():
    assert choose(Question("Anything?"), []) == Choice()


def test_at_most_three_sentences_are_chosen():
    rows = [(f"Sentence number {name}.", 0.9) for name in ("alpha", "beta", "gamma", "delta", "epsilon")]
    assert len(chosen("Tell me the number.", *rows)) == 3


def test_chosen_sentences_stand_in_the_order_of_their_passage():
    rows = ("First you pay.", 0.9), ("Then you ride.", 0.95), ("The weather is fine.", 0.1), ("Last you go.", 0.92)
    assert said("Tell me.", *rows, FAR, numbers=(1, 1, 1, 1, 2)) == [
        "First you pay.",
        "Then you ride.",
        "Last you go.",
    ]


def test_an_answer_takes_from_two_passages_at_most_and_begins_with_the_best():
    rows = ("One.", 0.9), ("Two.", 0.95), ("Three.", 0.91), FAR, FAR
    assert said("Tell me.", *rows, numbers=(1, 2, 3, 4, 5)) == ["Two.", "Three."]


def test_a_sentence_much_weaker_than_the_best_is_left_out():
    rows = ("Strong.", 0.95), ("Weak.", 0.95 - COMPANION_MARGIN - 0.01), FAR
    assert said("Tell me.", *rows, numbers=(1, 1, 2)) == ["Strong."]


def test_an_answer_grows_no_longer_than_can_be_listened_to():
    rows = ("Short and good.", 0.95), (" ".join(["word"] * MAX_WORDS), 0.94), ("Short as well.", 0.93)
    assert said("Tell me.", *rows, FAR, numbers=(1, 1, 1, 2)) == ["Short and good.", "Short as well."]


def listed(*similarities: float) -> list[Candidate]:
    texts = ("Please bring:", "a passport.", "two photos.", "some money.")
    return [
        Candidate(
            Sentence(text, 1, i, lead_in=0 if i else None), 1, "Visits", "", texts[0] if i else "", similarities[i]
        )
        for i, text in enumerate(texts)
    ]


def test_an_item_of_a_list_is_read_with_its_lead_in():
    answer = choose(Question("Do I have to bring photos?"), listed(0.6, 0.4, 0.95, 0.3)).sentences
    assert [s.text for s in answer] == ["Please bring:", "two photos."]


def test_a_lead_in_is_read_with_its_list():
    answer = choose(Question("What do I have to bring?"), listed(0.95, 0.4, 0.4, 0.3)).sentences
    assert [s.text for s in answer] == ["Please bring:", "a passport.", "two photos.", "some money."]


def test_without_similarities_words_decide():
    rows = ("Our garden has roses.", None), ("A puncture costs 18 dollars to repair.", None)
    assert chosen("What does repairing a puncture cost?", *rows) == ["A puncture costs 18 dollars to repair."]


def test_words_of_an_earlier_turn_count_less_than_those_of_the_last():
    rows = candidates(("A city bike costs 32 dollars.", 0.6), ("An electric one is 70 dollars.", 0.6), FAR)
    answer = choose(Question("And an electric one?", ("What does a city bike cost?",)), rows).sentences
    assert answer[-1].text == "An electric one is 70 dollars."


def test_a_turn_that_leans_on_an_earlier_one_is_answered_no_more_readily():
    rows = candidates(("A rental for a week costs as much as 5 days.", 0.92), FAR)
    assert not choose(Question("And for a whole week?", ("What does a locker cost?",)), rows).answers


DISAGREEING = ("Returns are accepted within 30 days.", 0.8), ("Returns are accepted within 14 days.", 0.75)


def test_of_two_documents_that_disagree_both_are_said():
    question = "How long are returns accepted?"
    rows = DISAGREEING[0], ("Returns need a receipt.", 0.78), DISAGREEING[1], FAR, FAR
    assert chosen(question, *rows, numbers=(1, 1, 2, 3, 4), title="FAQ") == [text for text, _ in DISAGREEING]


def test_the_shortlist_keeps_what_has_the_questions_words_in_its_order():
    rows = candidates(FAR, ("Helmets are free.", None), FAR, ("A helmet protects.", None))
    kept = shortlist(Question("Do I need a helmet?"), rows, limit=2)
    assert [c.sentence.text for c in kept] == ["Helmets are free.", "A helmet protects."]
