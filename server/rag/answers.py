"""Answers a gap: the operator's words become a document, and the gap is closed by it."""

from uuid import UUID

from knowledge.gaps import Gap
from knowledge.jobs import IndexRequest, Upload
from knowledge.queue import Queue


async def answer(gap: Gap, *, text: str, title: str | None, queue: Queue) -> UUID:
    """Queue the answer as a document named after the question, and return the job's id.

    The gap is closed together with the document's storing. A gap has one document: another answer replaces it.
    """
    upload = Upload(
        f"answer-{gap.id}.md",
        text.encode(),
        content_type="text/markdown",
        title=title or gap.question,
        closes_gap=gap.id,
    )
    return await queue.submit(IndexRequest(collection=gap.collection, uploads=(upload,)))
