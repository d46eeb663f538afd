"""What a call's answers rest on, as the server is told it; what they found nothing for is kept."""

from collections.abc import Sequence

from loguru import logger

from bot.extractive.talk import is_aside
from bot.reports import Report
from knowledge.client import KnowledgeClient
from knowledge.errors import KnowledgeError
from knowledge.types import Passage
from processors.citations import Citation, CitationProcessor
from processors.claims import Fault


def tell_grounds(
    citations: CitationProcessor, search: KnowledgeClient, *, report: Report, call_id: str, keeps: bool
) -> None:
    """Reports `citation`, `marker_dropped`, `unsupported` and `gap`, without a word of them; gaps go to the knowledge.

    Without `keeps` they are only counted.
    """

    @citations.event_handler("on_citation")
    async def on_citation(_processor: object, citation: Citation) -> None:
        report({"type": "citation", "document": str(citation.passage.document_id)})

    @citations.event_handler("on_marker_dropped")
    async def on_marker_dropped(_processor: object, count: int) -> None:
        report({"type": "marker_dropped", "count": count})

    @citations.event_handler("on_unsupported")
    async def on_unsupported(_processor: object, lacking: set[Fault]) -> None:
        report({"type": "unsupported", "lacking": sorted(lacking)})

    @citations.event_handler("on_unanswered")
    async def on_unanswered(_processor: object, question: str, passages: Sequence[Passage]) -> None:
        # What the embedded answerer has a reply of its own to is nothing that a document could answer.
        if is_aside(question):
            return
        report({"type": "gap"})
        if not keeps:
            return
        try:
            await search.record_gap(question, passages, call_id=call_id)
        except KnowledgeError as error:
            logger.warning("session {}: a gap was not kept: {}", call_id, type(error).__name__)
