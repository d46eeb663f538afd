"""What the retrieval process answers on its socket."""

import time

from aiohttp import web
from aiohttp.typedefs import Handler
from loguru import logger
from pydantic import BaseModel, Field, ValidationError

from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.gaps import GapPassage, GapStore
from knowledge.retriever import Retriever
from knowledge.store import Store
from knowledge.types import Turn


class SearchRequest(BaseModel):
    """A question with what was said before it, oldest first."""

    question: str = Field(max_length=5_000)
    history: list[Turn] = Field([], max_length=50)
    limit: int = Field(4, ge=1, le=100)
    collection: str = "default"
    access: list[str] = []
    gated: bool = True
    explain: bool = False


class SimilarityRequest(BaseModel):
    """A question and the sentences to compare it with."""

    question: str = Field(max_length=5_000)
    sentences: list[str] = Field(max_length=500)


class GapRequest(BaseModel):
    """A question that was not answered, the passages that did not, and the call that asked, where one did."""

    question: str = Field(min_length=1, max_length=5_000)
    passages: list[GapPassage] = Field([], max_length=20)
    collection: str = "default"
    call_id: str | None = Field(None, max_length=100)


def create_app(*, retriever: Retriever, store: Store, gaps: GapStore) -> web.Application:
    """Return the application; every error is JSON `{"error": sentence}`."""

    async def search(request: web.Request) -> web.Response:
        started = time.perf_counter()
        body = SearchRequest.model_validate_json(await request.read())
        result = await retriever.search(
            body.question,
            history=body.history,
            limit=body.limit,
            collection=body.collection,
            access=body.access,
            gated=body.gated,
            explain=body.explain,
        )
        return web.json_response(
            {
                "verdict": result.verdict,
                "passages": [passage.to_dict() for passage in result.passages],
                "secs": time.perf_counter() - started,
            }
        )

    async def similarity(request: web.Request) -> web.Response:
        body = SimilarityRequest.model_validate_json(await request.read())
        return web.json_response({"similarities": await retriever.similarity(body.question, body.sentences)})

    async def gap(request: web.Request) -> web.Response:
        body = GapRequest.model_validate_json(await request.read())
        if body.collection not in (there := await store.collections()):
            raise NoSuchCollectionError(body.collection, sorted(there))
        vector = await retriever.vector(body.question)
        gap_id = await gaps.record(
            body.question, body.passages, collection=body.collection, vector=vector, call_id=body.call_id
        )
        return web.json_response({"id": str(gap_id)})

    async def healthz(_: web.Request) -> web.Response:
        documents, chunks = await store.count()
        return web.json_response({"documents": documents, "chunks": chunks, "ready": retriever.ready})

    app = web.Application(middlewares=[_errors_as_json])
    app.add_routes(
        [
            web.post("/search", search),
            web.post("/similarity", similarity),
            web.post("/gaps", gap),
            web.get("/healthz", healthz),
        ]
    )
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except EmptyQuestionError as error:
        return _error(400, str(error))
    except NoSuchCollectionError as error:
        return _error(404, str(error), collection=error.collection, there=list(error.there))
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors()}))
        return _error(400, f"The request is not valid; check {places}.")
    except KnowledgeUnavailableError as error:
        return _error(503, str(error))
    except web.HTTPException as error:
        routes = "POST /search, POST /similarity, POST /gaps and GET /healthz"
        return _error(error.status, f"{error.reason}; the routes are {routes}.")
    except Exception as error:
        logger.error("A request failed: {}", type(error).__name__)
        return _error(500, "The request failed; the log of the retrieval process names the error.")


def _error(status: int, sentence: str, **more: object) -> web.Response:
    return web.json_response({"error": sentence, **more}, status=status)
