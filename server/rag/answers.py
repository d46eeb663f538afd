"""Answers a gap: the operator's words become a document, and once it is there the gap is closed by it."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from knowledge.gaps import Gap, GapStore
from knowledge.jobs import IndexRequest, Job, JobStore, Upload
from knowledge.queue import Queue
from knowledge.store import Store

POLL_SECS = 0.05


@dataclass(frozen=True, slots=True)
class GapAnswers:
    """Turns answers into documents."""

    store: Store
    jobs: JobStore
    queue: Queue
    gaps: GapStore

    async def answer(self, gap: Gap, *, text: str, title: str | None, wait_secs: float) -> tuple[Job, Gap]:
        """The job that indexes the answer, and the gap as it is then.

        Waits at most `wait_secs` for the job. A gap whose job has not ended by then, or failed, stays open; the same
        answer again closes it. A gap has one document: another answer replaces it.
        """
        stem = f"answer-{gap.id}"
        upload = Upload(f"{stem}.md", text.encode(), content_type="text/markdown", title=title or gap.question)
        job_id = await self.queue.submit(IndexRequest(collection=gap.collection, uploads=(upload,)))
        job = await self._ended(job_id, wait_secs)
        document_id = await self._ready(gap.collection, stem, upload.name) if job.state == "done" else None
        if document_id is not None:
            await self.gaps.close(gap.id, document_id=document_id)
        return job, await self.gaps.get(gap.id) or gap

    async def _ended(self, job_id: UUID, wait_secs: float) -> Job:
        """The job when it has ended, or as it is after the wait."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_secs
        while True:
            job = await self.jobs.get(job_id)
            assert job is not None, "a job is kept for a month"
            if job.has_ended or loop.time() >= deadline:
                return job
            await asyncio.sleep(POLL_SECS)

    async def _ready(self, collection: str, stem: str, source: str) -> UUID | None:
        """The document under this source, which is the first one behind its stem; None where it does not answer."""
        found = await self.store.list_documents(collection=collection, status="ready", after=stem, limit=1)
        return next((document.id for document in found if document.source == source), None)
