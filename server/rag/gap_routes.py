"""`/api/rag/gaps`: the questions that the documents did not answer."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from knowledge.gaps import Gap
from server.deps import KnowledgeDep, needs
from server.errors import Problem
from server.rag.answers import answer
from server.rag.bodies import KnowledgeRoute
from server.rag.document_routes import known_collection
from server.rag.fields import CollectionName
from server.rag.gap_schemas import AnsweredGap, CloseGap, GapAnswer, Gaps, StoredGap
from server.rag.index_schemas import JobState
from server.rag.problems import no_such, responses
from server.services import Knowledge

router = APIRouter(prefix="/gaps", tags=["gaps"], route_class=KnowledgeRoute)


@router.get("", dependencies=[needs("knowledge:read")], summary="List gaps", responses=responses(404))
async def list_gaps(
    knowledge: KnowledgeDep,
    collection: CollectionName | None = None,
    state: Literal["open", "closed", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Gaps:
    """Gaps, open ones first, the most asked first; of all collections where none is named."""
    if collection is not None:
        await known_collection(knowledge, collection)
    found = await knowledge.gaps.list(collection=collection, state=None if state == "all" else state, limit=limit)
    return Gaps(gaps=[StoredGap.of(each) for each in found])


@router.post(
    "/{gap_id}/close",
    dependencies=[needs("knowledge:write")],
    summary="Close a gap",
    responses=responses(404, 413, 415),
)
async def close_gap(gap_id: UUID, knowledge: KnowledgeDep, body: CloseGap | None = None) -> StoredGap:
    """Closes a gap, by the document that answers it or without one; it opens again when it is asked in vain again."""
    gap = await _gap(knowledge, gap_id)
    document_id = None if body is None else body.document
    if document_id is not None:
        document = await knowledge.store.get_document(document_id)
        if document is None or document.collection != gap.collection:
            raise Problem(422, "The request is not valid", "There is no such document in the gap's collection.")
    await knowledge.gaps.close(gap_id, document_id=document_id)
    return StoredGap.of(await _gap(knowledge, gap_id))


@router.post(
    "/{gap_id}/answer",
    dependencies=[needs("knowledge:write")],
    status_code=202,
    summary="Answer a gap",
    responses=responses(404, 413, 415),
)
async def answer_gap(gap_id: UUID, body: GapAnswer, response: Response, knowledge: KnowledgeDep) -> AnsweredGap:
    """Makes the answer a document, named after the question; the gap is closed by it as soon as it is indexed."""
    gap = await _gap(knowledge, gap_id)
    job_id = await answer(gap, text=body.text, title=body.title, queue=knowledge.queue)
    job = await knowledge.jobs.get(job_id)
    assert job is not None, "a job is kept for a month"
    response.headers["Location"] = f"/api/rag/jobs/{job_id}"
    return AnsweredGap(job=JobState.of(job), gap=StoredGap.of(await _gap(knowledge, gap_id)))


async def _gap(knowledge: Knowledge, gap_id: UUID) -> Gap:
    gap = await knowledge.gaps.get(gap_id)
    if gap is None:
        raise no_such("gap")
    return gap
