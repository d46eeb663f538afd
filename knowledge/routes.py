"""What the retrieval process answers on its socket."""

import time

from aiohttp import web
from aiohttp.typedefs import Handler
from loguru import logger
from pydantic import BaseModel, Field, ValidationError

from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.retriever import Retriever
from knowledge.store import Store
from knowledge.types import Turn


class SearchRequest(BaseModel):
    """A question with what was said before it, oldest first."""

    question: str
    history: list[Turn] = []
    limit: int = Field(4, ge=1, le=50)


class SimilarityRequest(BaseModel):
    """A question and the sentences to compare it with."""

    question: str = Field(max_length=2_000)
    sentences: list[str] = Field(max_length=500)


def create_app(*, retriever: Retriever, store: Store) -> web.Application:
    """Return the application; every error is JSON `{"error": sentence}`."""

    async def search(request: web.Request) -> web.Response:
        started = time.perf_counter()
        body = SearchRequest.model_validate_json(await request.read())
        passages = await retriever.search(body.question, history=body.history, limit=body.limit)
        return web.json_response(
            {"passages": [passage.to_dict() for passage in passages], "secs": time.perf_counter() - started}
        )

    async def similarity(request: web.Request) -> web.Response:
        body = SimilarityRequest.model_validate_json(await request.read())
        return web.json_response({"similarities": await retriever.similarity(body.question, body.sentences)})

    async def healthz(_: web.Request) -> web.Response:
        documents, chunks = await store.count()
        return web.json_response({"documents": documents, "chunks": chunks, "ready": retriever.ready})

    app = web.Application(middlewares=[_errors_as_json])
    app.add_routes([web.post("/search", search), web.post("/similarity", similarity), web.get("/healthz", healthz)])
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except EmptyQuestionError as error:
        return _error(400, str(error))
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors()}))
        return _error(400, f"The request is not valid; check {places}.")
    except KnowledgeUnavailableError as error:
        return _error(503, str(error))
    except web.HTTPException as error:
        return _error(error.status, f"{error.reason}; the routes are POST /search, POST /similarity and GET /healthz.")
    except Exception as error:
        logger.error("A request failed: {}", type(error).__name__)
        return _error(500, "The request failed; the log of the retrieval process names the error.")


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
