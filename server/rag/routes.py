"""`/api/rag`: searching and indexing, and what both need to be known of."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from knowledge.errors import KnowledgeUnavailableError
from server.deps import KnowledgeDep, ServicesDep, needs
from server.errors import Problem
from server.rag import document_routes, gap_routes
from server.rag.bodies import KnowledgeRoute
from server.rag.index_schemas import JobState, QueuedJob
from server.rag.problems import RETRY_SECS, responses
from server.rag.schemas import Collections, Found, Health, SearchBody, StoredCollection
from server.rag.uploads import read_index_request, request_body

PREFIX = "/api/rag"

router = APIRouter(tags=["knowledge"], route_class=KnowledgeRoute)


@router.post(
    "/search",
    dependencies=[needs("knowledge:read")],
    summary="Search the documents",
    responses=responses(404, 413, 415),
    response_model_exclude_unset=True,
)
async def search(body: SearchBody, knowledge: KnowledgeDep) -> Found:
    """The passages that answer a question best, with their citations; the question may follow up on earlier turns."""
    try:
        result = await knowledge.search.search(
            body.question,
            history=[turn.to_turn() for turn in body.history],
            limit=body.limit,
            collection=body.collection,
            access=body.access,
            gated=body.gated,
            explain=body.explain,
        )
    except KnowledgeUnavailableError as error:
        detail = "The retrieval process does not answer in time. Try again in a moment; the server's log has more."
        raise Problem(503, "The knowledge can't be searched", detail, retry_after_secs=RETRY_SECS) from error
    return Found.of(result)


@router.post(
    "/index",
    status_code=202,
    dependencies=[needs("knowledge:write")],
    summary="Index documents and web pages",
    responses=responses(413, 415),
    openapi_extra={"requestBody": request_body()},
)
async def index(request: Request, response: Response, knowledge: KnowledgeDep) -> QueuedJob:
    """Puts documents into a collection, which is made where it is new; at most 64 MB, 200 documents, 100 addresses.

    A document replaces the one of the same name. What is unchanged is not indexed again.
    """
    wanted = await read_index_request(request)
    job_id = await knowledge.queue.submit(wanted)
    response.headers["Location"] = f"{PREFIX}/jobs/{job_id}"
    return QueuedJob(
        job=job_id,
        collection=wanted.collection,
        documents=[upload.name for upload in wanted.uploads],
        urls=list(wanted.urls),
    )


@router.get(
    "/jobs/{job_id}", dependencies=[needs("knowledge:read")], summary="How far a job is", responses=responses(404)
)
async def job(job_id: UUID, knowledge: KnowledgeDep) -> JobState:
    """A job's progress, and what could not be indexed; jobs are kept for a month."""
    found = await knowledge.jobs.get(job_id)
    if found is None:
        raise Problem(404, "There is no such job", "Check the id; a job is forgotten a month after its end.")
    return JobState.of(found)


@router.get(
    "/collections", dependencies=[needs("knowledge:read")], summary="List the collections", responses=responses()
)
async def collections(knowledge: KnowledgeDep) -> Collections:
    """The sets of documents that are searched as one."""
    stored = await knowledge.store.collections()
    return Collections(collections=[StoredCollection.of(each) for each in stored.values()])


public = APIRouter(tags=["knowledge"])


@public.get("/healthz", summary="Whether the knowledge can be searched and indexed")
async def healthz(held: ServicesDep) -> Health:
    """Whether the processes that search and that index run; asks nobody, and needs no key."""
    running = {process.name for process in held.processes if process.pid is not None}
    retrieval, indexer = "retrieval" in running, "indexer" in running
    return Health(status="ok" if retrieval and indexer else "degraded", retrieval=retrieval, indexer=indexer)


rag = APIRouter(prefix=PREFIX)
for each in (router, document_routes.router, gap_routes.router):
    rag.include_router(each)
rag.include_router(public)
