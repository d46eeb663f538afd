"""Markers become sources: what is spoken, what is shown, what is dropped."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.tests.utils import SleepFrame

from knowledge.types import Passage
from processors.citations import CitationProcessor, MarkerReader
from processors.frames import PassagesFrame, UnansweredFrame
from tests.patient import run_test


def passage(
    title: str = "Returns policy",
    text: str = "Goods can go back within thirty days. Keep the receipt. Version 1.2 costs $4.50.",
) -> Passage:
    return Passage(
        document_id=UUID(int=1), source="returns.md", title=title, heading_path=("Returns",), text=text,
        start=100, end=100 + len(text), score=1.0, similarity=0.7,
    )  # fmt: skip


PASSAGES = {1: passage(), 2: passage("Delivery", "Parcels arrive in two days.")}


DATED = {
    1: replace(PASSAGES[1], effective_date=date(2025, 5, 3)),
    2: replace(PASSAGES[2], document_id=UUID(int=2), effective_date=date(2023, 11, 22)),
    3: replace(PASSAGES[2], document_id=UUID(int=3), title="FAQ"),
}


def spoken(pieces: str, passages: Mapping[int, Passage] = PASSAGES) -> str:
    """The voice's words for an answer whose text arrives in the pieces between the bars."""
    reader = MarkerReader(passages)
    return "".join(reader.feed(piece).spoken for piece in pieces.split("|")) + reader.end().spoken


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Within thirty days [1].", "Within thirty days. That's from the returns policy."),
        ("Within thirty days. [1]", "Within thirty days. That's from the returns policy."),
        ("Within thirty days [|1|].", "Within thirty days. That's from the returns policy."),
        ("Within| thirty| days| |[|1]| |.", "Within thirty days . That's from the returns policy."),
        ("Within thirty days [1]", "Within thirty days. That's from the returns policy."),
        ("Yes [1]. Keep it [1].", "Yes. That's from the returns policy. Keep it."),
        ("Yes [1]. Soon [2].", "Yes. That's from the returns policy. Soon. That's from the delivery page."),
        ("Yes [1][2].", "Yes. That's from the returns policy and the delivery page."),
        ("Yes [1, 2].", "Yes. That's from the returns policy and the delivery page."),
        ("It costs $4.50 [1] in all.", "It costs $4.50 in all. That's from the returns policy."),
        ("Version 1.2 [1]. Next.", "Version 1.2. That's from the returns policy. Next."),
        ("Nothing [9].", "Nothing."),
        ("Brackets [like these] stay.", "Brackets [like these] stay."),
        ("No marker at all.", "No marker at all."),
    ],
)
def test_a_marker_is_never_spoken_and_its_source_is_spoken_once(answer: str, words: str):
    assert spoken(answer) == words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Yes [1]. Keep it [1].", "Yes. That's from the returns policy. Keep it."),
        ("Yes [1]. Soon [2].",
         "Yes. That's from the returns policy of May 3rd, 2025. "
         "Soon. That's from the delivery page of November 22nd, 2023."),
        ("Yes [1]. Soon [3].", "Yes. That's from the returns policy of May 3rd, 2025. Soon. That's from the FAQ."),
        ("Yes [1, 3].", "Yes. That's from the returns policy of May 3rd, 2025 and the FAQ."),
        ("Yes [1]. So|on [2].",
         "Yes. That's from the returns policy. Soon. That's from the delivery page of November 22nd, 2023, "
         "and the returns policy is of May 3rd, 2025."),
    ],
    ids=["one document", "two", "one of them dated", "in one sentence", "the second comes late"],
)  # fmt: skip
def test_an_answer_from_more_than_one_document_names_their_dates(answer: str, words: str):
    assert spoken(answer, DATED) == words


def test_two_versions_of_a_document_are_both_named():
    versions = {
        1: DATED[1],
        2: replace(DATED[1], document_id=UUID(int=2), effective_date=date(2024, 1, 1), text="Fourteen days."),
    }
    assert spoken("30 days [1]. 14 days [2].", versions) == (
        "30 days. That's from the returns policy of May 3rd, 2025. "
        "14 days. That's from the returns policy of January 1st, 2024."
    )


def test_the_page_is_told_which_document_it_is_and_of_when():
    passages = {1: replace(DATED[1], page=7)}
    (citation,) = MarkerReader(passages).feed("Yes [1]. A").citations
    message = citation.to_message()
    assert {key: message[key] for key in ("document_id", "page", "effective_date", "score")} == {
        "document_id": str(UUID(int=1)),
        "page": 7,
        "effective_date": "2025-05-03",
        "score": 1.0,
    }


def test_a_marker_that_names_no_passage_of_this_turn_is_dropped_and_counted():
    text = MarkerReader(PASSAGES).feed("Surely [7].")
    assert (text.citations, text.dropped) == ([], 1)


def test_a_citation_points_at_the_sentence_that_supports_the_claim():
    reader = MarkerReader(PASSAGES)
    (citation,) = reader.feed("You can send goods back for thirty days [1]. A").citations
    assert citation.quote == "Goods can go back within thirty days."
    assert (citation.start, citation.end) == (100, 100 + len(citation.quote))


async def test_the_page_gets_each_source_and_the_voice_gets_no_marker():
    down, _ = await run_test(
        CitationProcessor(),
        frames_to_send=[
            PassagesFrame(passages=(passage(),)),
            LLMFullResponseStartFrame(),
            LLMTextFrame("Within thirty days [1]."),
            LLMFullResponseEndFrame(),
        ],
    )
    (source,) = [f for f in down if isinstance(f, RTVIServerMessageFrame)]
    assert source.data["title"] == "Returns policy"
    words = "".join(f.text for f in down if isinstance(f, LLMTextFrame))
    assert words == "Within thirty days. That's from the returns policy."


async def test_an_interruption_forgets_the_answer_it_cut_off():
    down, _ = await run_test(
        CitationProcessor(),
        frames_to_send=[
            PassagesFrame(passages=(passage(),)),
            LLMFullResponseStartFrame(),
            LLMTextFrame("Within thirty days [1"),
            SleepFrame(),
            InterruptionFrame(),
            SleepFrame(),
            LLMFullResponseStartFrame(),
            LLMTextFrame("Good."),
            LLMFullResponseEndFrame(),
        ],
    )
    assert "".join(f.text for f in down if isinstance(f, LLMTextFrame)) == "Good."


def answer(*texts: str) -> list[Frame]:
    return [LLMFullResponseStartFrame(), *(LLMTextFrame(text) for text in texts), LLMFullResponseEndFrame()]


async def unanswered(*frames: Frame | SleepFrame) -> list[tuple[str, tuple[Passage, ...]]]:
    """What `on_unanswered` told."""
    told: list[tuple[str, tuple[Passage, ...]]] = []
    processor = CitationProcessor()

    @processor.event_handler("on_unanswered")
    async def on_unanswered(_processor: object, question: str, passages: tuple[Passage, ...]) -> None:
        told.append((question, passages))

    await run_test(processor, frames_to_send=[*frames, SleepFrame()])
    return told


LOOKED_UP = PassagesFrame(passages=(passage(),), question="Is there a zeppelin?")
NOTHING_FOUND = PassagesFrame(question="Is there a zeppelin?")


@pytest.mark.parametrize("found", [LOOKED_UP, NOTHING_FOUND], ids=["passages", "nothing found"])
async def test_an_answer_that_cites_nothing_of_what_was_looked_up_is_told(found: PassagesFrame):
    assert await unanswered(found, *answer("I couldn't ", "find that.")) == [("Is there a zeppelin?", found.passages)]


async def test_a_marker_that_names_no_passage_answers_nothing():
    assert len(await unanswered(LOOKED_UP, *answer("There is one [7]."))) == 1


async def test_an_answer_that_says_of_itself_that_it_is_none_is_told_though_it_cites():
    assert len(await unanswered(LOOKED_UP, UnansweredFrame(), *answer("The nearest is this. It flies [1]."))) == 1


@pytest.mark.parametrize(
    "frames",
    [
        [LOOKED_UP, *answer("There is one [1].")],
        [LOOKED_UP, *answer("There is one [", "1", "].")],
        [PassagesFrame(), *answer("You're welcome.")],
        [PassagesFrame(passages=(passage(),)), *answer("I can't look things up.")],
        [*answer("Hello.")],
        [LOOKED_UP],
        [LOOKED_UP, LLMFullResponseStartFrame(), LLMTextFrame("I couldn't")],
    ],
    ids=["cited", "in pieces", "small talk", "no question", "greeting", "not answered", "not said to its end"],
)
async def test_an_answer_that_lacks_no_document_is_not_told(frames: list[Frame]):
    assert await unanswered(*frames) == []


@pytest.mark.parametrize("late", [[], [LLMFullResponseEndFrame()]], ids=["no end", "end"])
async def test_an_answer_that_was_cut_off_is_not_told(late: list[Frame]):
    begun = [LOOKED_UP, LLMFullResponseStartFrame(), LLMTextFrame("I couldn't"), SleepFrame()]
    assert await unanswered(*begun, InterruptionFrame(), SleepFrame(), *late) == []


async def test_a_question_is_told_once():
    assert len(await unanswered(LOOKED_UP, *answer("No."), *answer("Are you still there?"))) == 1


async def test_each_unanswered_question_of_a_call_is_told():
    other = replace(NOTHING_FOUND, question="And a balloon?")
    told = await unanswered(LOOKED_UP, *answer("No."), other, *answer("No."))
    assert [question for question, _ in told] == ["Is there a zeppelin?", "And a balloon?"]


async def test_what_one_answer_said_of_itself_holds_for_no_other():
    frames = [LOOKED_UP, UnansweredFrame(), *answer("No."), LOOKED_UP, *answer("There is one [1].")]
    assert len(await unanswered(*frames)) == 1


PRICES = {
    1: passage("Workshop", "Repairing a flat tire costs 18 dollars, tube included. We open at nine."),
    2: passage("Delivery", "Parcels arrive in two days. Delivery costs 5 dollars."),
}
SAID_INSTEAD = "The workshop page says: Repairing a flat tire costs 18 dollars, tube included."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("A flat tire costs 25 dollars [1].", SAID_INSTEAD),
        ("A flat tire costs 25 dollars. [1]", SAID_INSTEAD),
        ("A| flat| tire| costs| 2|5| dollars| [|1|]|.", SAID_INSTEAD),
        ("A flat tire costs 25 dollars [1]. We open at nine [1].", f"{SAID_INSTEAD} We open at nine."),
        ("We open at nine [1]. A flat tire costs 25 dollars [1].",
         "We open at nine. That's from the workshop page. " + SAID_INSTEAD),
        ("A flat tire costs 25 dollars [1]. A flat tire is 26 dollars [1].",
         f"{SAID_INSTEAD} I couldn't confirm that in our documents."),
        ("You owe Mr Smith 7 cents [1]. And Mr Jones 8 cents [1].", "I couldn't confirm that in our documents. "),
        ("Sure. It| costs 25 dollars for a flat tire [1].",
         "Sure. It – well, the workshop page says: Repairing a flat tire costs 18 dollars, tube included."),
        ("For a flat tire, you pay 25 dollars [1].",
         "For a flat tire, the workshop page says: Repairing a flat tire costs 18 dollars, tube included."),
    ],
    ids=["marker before", "marker behind", "in pieces", "then a true one", "after a true one", "the same twice",
         "nothing near", "behind an opening", "behind a clause"],
)  # fmt: skip
def test_a_sentence_that_its_source_does_not_say_is_not_said(answer: str, words: str):
    assert spoken(answer, PRICES) == words


@pytest.mark.parametrize(
    "answer",
    [
        "A flat tire is eighteen dollars [1].",
        "A flat tire is $18 [1].",
        "It costs 25 dollars.",
        "We open at 9 a.m. as ever [1].",
    ],
    ids=["in words", "as a sign", "no source", "an abbreviation"],
)
def test_a_sentence_that_is_true_or_names_no_source_is_said_as_it_is(answer: str):
    assert spoken(answer, PRICES).startswith(answer.removesuffix(" [1].").removesuffix("."))


def test_what_is_not_said_names_no_source_and_tells_what_its_source_lacks():
    reader = MarkerReader(PRICES)
    whole, rest = reader.feed("You owe Mr Smith 7 cents [1]."), reader.end()
    assert [*whole.citations, *rest.citations] == []
    assert rest.unsupported == [{"number", "name"}]


def test_what_is_said_instead_is_what_the_page_shows():
    text = MarkerReader(PRICES).feed("A flat tire costs 25 dollars [1]. W")
    assert [each.quote for each in text.citations] == ["Repairing a flat tire costs 18 dollars, tube included."]


def test_of_two_documents_the_one_that_speaks_instead_is_dated():
    dated = {n: replace(each, document_id=UUID(int=n), effective_date=date(2025, n, 1)) for n, each in PRICES.items()}
    words = spoken("Parcels arrive in two days [2]. A flat tire costs 25 dollars [1].", dated)
    assert words.endswith(
        "The workshop page of January 1st, 2025 says: Repairing a flat tire costs 18 dollars, tube included."
    )


@pytest.mark.parametrize(
    ("pieces", "given_out"),
    [
        ("Sure.| A flat| tire", ["", "Sure. A ", ""]),
        ("For a flat tire, |you pay", ["", "For a flat tire, "]),
        ("For 25 small dollars, |you get", ["", ""]),
        ("We open at nine. [1]| A", ["", "We open at nine. That's from the workshop page. "]),
    ],
    ids=["an opening", "a clause", "a clause that no passage has", "a sentence"],
)
def test_a_voice_can_begin_as_early_as_without_a_check(pieces: str, given_out: list[str]):
    reader = MarkerReader(PRICES)
    assert [reader.feed(piece).spoken for piece in pieces.split("|")] == given_out


async def test_what_is_not_said_is_told():
    told: list[object] = []
    processor = CitationProcessor()

    @processor.event_handler("on_unsupported")
    async def on_unsupported(_processor: object, lacking: object) -> None:
        told.append(lacking)

    frames = [PassagesFrame(passages=(PRICES[1],)), *answer("A flat tire is ", "25 dollars [1].")]
    down, _ = await run_test(processor, frames_to_send=[*frames, SleepFrame()])
    assert told == [{"number"}]
    assert "".join(f.text for f in down if isinstance(f, LLMTextFrame)) == SAID_INSTEAD


async def test_the_bot_and_what_the_caller_named_may_be_named():
    frames = [
        PassagesFrame(passages=(PRICES[1],), caller="I ride a Brompton"),
        *answer("At Larkspur a Brompton is $18 [1]."),
    ]
    down, _ = await run_test(CitationProcessor(known="Larkspur Cycles"), frames_to_send=frames)
    words = "".join(f.text for f in down if isinstance(f, LLMTextFrame))
    assert words == "At Larkspur a Brompton is $18. That's from the workshop page."


def test_a_voice_with_little_to_say_is_told_that_a_sentence_is_over_and_one_with_much_is_not():
    reader = MarkerReader(PRICES)
    opening = reader.feed("Sure. Bring it. And take").spoken
    rest = reader.feed(" all the time that you want to look around in our shop while we repair it. Then ").spoken
    assert (opening, rest.endswith("repair it. ")) == ("Sure. Bring it. And ", True)
