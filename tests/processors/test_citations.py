"""Markers become sources: what is spoken, what is shown, what is dropped."""

from uuid import UUID

import pytest
from pipecat.frames.frames import (
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.tests.utils import SleepFrame, run_test

from knowledge.types import Passage
from processors.citations import CitationProcessor, MarkerReader, best_quote, spoken_name
from processors.frames import PassagesFrame


def passage(
    title: str = "Returns policy", text: str = "Goods can go back within thirty days. Keep the receipt."
) -> Passage:
    return Passage(
        document_id=UUID(int=1), source="returns.md", title=title, heading_path=("Returns",), text=text,
        start=100, end=100 + len(text), score=1.0, similarity=0.7,
    )  # fmt: skip


PASSAGES = {1: passage(), 2: passage("Delivery", "Parcels arrive in two days.")}


def spoken(pieces: str) -> str:
    """The voice's words for an answer whose text arrives in the pieces between the bars."""
    reader = MarkerReader(PASSAGES)
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


def test_a_marker_that_names_no_passage_of_this_turn_is_dropped_and_counted():
    text = MarkerReader(PASSAGES).feed("Surely [7].")
    assert (text.citations, text.dropped) == ([], 1)


def test_a_citation_points_at_the_sentence_that_supports_the_claim():
    reader = MarkerReader(PASSAGES)
    (citation,) = reader.feed("You can send goods back for thirty days [1].").citations
    assert citation.quote == "Goods can go back within thirty days."
    assert (citation.start, citation.end) == (100, 100 + len(citation.quote))


def test_the_quote_is_found_anywhere_in_the_passage():
    text = "First things first.  Keep the receipt with you. Then leave."
    quote, start = best_quote("keep your receipt", text)
    assert text[start : start + len(quote)] == quote == "Keep the receipt with you."


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Returns policy", "the returns policy"),
        ("Our story", "our story"),
        ("The workshop", "the workshop"),
        ("FAQ", "the FAQ"),
        ("Delivery", "the delivery page"),
        ("Bicycle rental", "the bicycle rental page"),
    ],
)
def test_a_source_has_a_name_that_can_be_said_in_mid_sentence(title: str, name: str):
    assert spoken_name(title) == name


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
    assert "".join(f.text for f in down if isinstance(f, LLMTextFrame)) == "Within thirty daysGood."
