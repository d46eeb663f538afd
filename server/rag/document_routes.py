"""`/api/rag/documents`: what is stored, and what becomes of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from knowledge.errors import NoSuchCollectionError
from knowledge.store import DEFAULT_COLLECTION
from server.deps import KnowledgeDep, needs
from server.rag.bodies import KnowledgeRoute
from server.rag.document_schemas import DocumentChange, DocumentPage, DocumentStatus, StoredDocument
from server.rag.fields import CollectionName
from server.rag.problems import no_such, responses
from server.services import Knowledge

router = APIRouter(prefix="/documents", tags=["documents"], route_class=KnowledgeRoute)


@router.get(
    "",
    dependencies=[needs("knowledge:read")],
    summary="List documents",
    responses=responses(404),
    response_model_exclude_unset=True,
)
async def list_documents(
    knowledge: KnowledgeDep,
    collection: CollectionName = DEFAULT_COLLECTION,
    status: DocumentStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[
        str | None, Query(max_length=2500, pattern=r"^[^\x00]*$", description="`next` of the page before")
    ] = None,
) -> DocumentPage:
    """A collection's documents in the order of their sources."""
    await known_collection(knowledge, collection)
    found = await knowledge.store.list_documents(collection=collection, status=status, after=after, limit=limit + 1)
    page = found[:limit]
    return DocumentPage(
        documents=[StoredDocument.of(each) for each in page],
        next=page[-1].source if len(found) > limit else None,
    )


@router.get(
    "/{document_id}",
    dependencies=[needs("knowledge:read")],
    summary="Show a document",
    responses=responses(404),
    response_model_exclude_unset=True,
)
async def show_document(document_id: UUID, knowledge: KnowledgeDep, text: bool = False) -> StoredDocument:
    """A document; `text=true` adds what was read from it."""
    found = await knowledge.store.get_document(document_id)
    if found is None:
        raise no_such("document")
    return StoredDocument.of(found, text=await knowledge.store.document_text(document_id) if text else None)


@router.patch(
    "/{document_id}",
    dependencies=[needs("knowledge:write")],
    summary="Change a document",
    responses=responses(404, 413, 415),
    response_model_exclude_unset=True,
)
async def change_document(document_id: UUID, body: DocumentChange, knowledge: KnowledgeDep) -> StoredDocument:
    """Retires or restores a document, or changes who may hear of it and from when it holds; calls know at once."""
    await knowledge.store.change_document(
        document_id,
        retired=body.retired,
        access=body.access,
        effective_date=body.effective_date,
        set_date="effective_date" in body.model_fields_set,
    )
    return await show_document(document_id, knowledge)


@router.delete(
    "/{document_id}",
    dependencies=[needs("knowledge:write")],
    status_code=204,
    summary="Remove a document",
    responses=responses(404),
)
async def remove_document(document_id: UUID, knowledge: KnowledgeDep) -> Response:
    """Removes a document and everything that was made of it; its file or page, indexed again, brings it back."""
    if not await knowledge.store.remove_document(document_id):
        raise no_such("document")
    return Response(status_code=204)


async def known_collection(knowledge: Knowledge, collection: str) -> None:
    """Raises NoSuchCollectionError where it is not there."""
    there = await knowledge.store.collections()
    if collection not in there:
        raise NoSuchCollectionError(collection, sorted(there))
