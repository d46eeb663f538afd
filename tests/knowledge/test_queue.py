from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.errors import KnowledgeError, KnowledgeUnavailableError
from knowledge.jobs import IndexRequest, JobStore
from knowledge.queue import Queue
from knowledge.store import Store

pytestmark = pytest.mark.integration

Queued = Callable[[], Awaitable[list[tuple[Any, ...]]]]


@pytest.fixture
def queued(pool: AsyncConnectionPool[Any]) -> Queued:
    """Tells what stands in the queue: (status, lock, job id)."""

    async def read() -> list[tuple[Any, ...]]:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "select status::text, lock, args->>'job_id' from procrastinate_jobs order by id"
            )
            return await cursor.fetchall()

    return read


async def test_a_submitted_job_is_stored_and_queued(queue: Queue, jobs: JobStore, queued: Queued) -> None:
    job_id = await queue.submit(IndexRequest())
    assert await jobs.unfinished() == [(job_id, "default")]
    assert await queued() == [("todo", "collection default", str(job_id))]


async def test_a_new_collection_is_made(queue: Queue, store: Store) -> None:
    await queue.submit(IndexRequest(collection="manuals"))
    assert list(await store.collections()) == ["default", "manuals"]


async def test_a_collection_that_cannot_be_is_refused_before_anything_is_stored(
    queue: Queue, jobs: JobStore, queued: Queued
) -> None:
    with pytest.raises(KnowledgeError, match="My Manuals"):
        await queue.submit(IndexRequest(collection="My Manuals"))
    assert (await jobs.unfinished(), await queued()) == ([], [])


async def test_preparing_twice_changes_nothing(queue: Queue, queued: Queued) -> None:
    await queue.submit(IndexRequest())
    await queue.prepare()
    assert len(await queued()) == 1


async def test_what_a_dead_indexer_had_taken_is_queued_again_once(
    queue: Queue, queued: Queued, pool: AsyncConnectionPool[Any]
) -> None:
    await queue.submit(IndexRequest())
    async with pool.connection() as connection:
        await connection.execute("update procrastinate_jobs set status = 'doing'")
    resumed = await queue.resume()
    assert (resumed, [status for status, *_ in await queued()]) == (1, ["todo"])


async def test_an_unfinished_job_that_is_not_in_the_queue_is_put_there(
    queue: Queue, jobs: JobStore, queued: Queued
) -> None:
    job_id = await jobs.add(IndexRequest())
    await jobs.start(job_id)
    resumed = await queue.resume()
    assert (resumed, [queued_id for *_, queued_id in await queued()]) == (1, [str(job_id)])


async def test_a_job_that_waits_in_the_queue_is_not_put_there_twice(queue: Queue, queued: Queued) -> None:
    await queue.submit(IndexRequest())
    assert (await queue.resume(), len(await queued())) == (0, 1)


async def test_a_job_that_ended_is_not_resumed(queue: Queue, jobs: JobStore) -> None:
    await jobs.end(await jobs.add(IndexRequest()))
    assert await queue.resume() == 0


async def test_a_queue_that_takes_no_job_is_said_plainly(queue: Queue, pool: AsyncConnectionPool[Any]) -> None:
    async with pool.connection() as connection:
        await connection.execute("alter table procrastinate_jobs rename to elsewhere")
    try:
        with pytest.raises(KnowledgeUnavailableError, match="could not be queued"):
            await queue.submit(IndexRequest())
    finally:
        async with pool.connection() as connection:
            await connection.execute("alter table elsewhere rename to procrastinate_jobs")
