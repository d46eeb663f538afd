from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.jobs import Failure, IndexRequest, JobStore, NewItem, Upload
from knowledge.store import ItemEnd

pytestmark = pytest.mark.integration

UPLOADS = (
    Upload(
        "a.md",
        b"# A\x00",
        "text/markdown",
        title="A",
        effective_date=date(2030, 1, 2),
        access=("staff",),
        closes_gap=UUID(int=7),
    ),
    Upload("b.md", b""),
)


async def expanded(jobs: JobStore, *items: NewItem) -> UUID:
    job_id = await jobs.add(IndexRequest())
    await jobs.expand(job_id, items)
    return job_id


async def test_a_new_job_is_queued_and_its_total_not_known(jobs: JobStore) -> None:
    job = await jobs.get(await jobs.add(IndexRequest(collection="manuals", uploads=UPLOADS)))
    assert job is not None
    assert (job.collection, job.state, job.total, job.done, job.has_ended) == ("manuals", "queued", 0, 0, False)


async def test_a_job_that_is_not_there_is_none(jobs: JobStore) -> None:
    assert await jobs.get(uuid4()) is None
    assert await jobs.start(uuid4()) is None


async def test_a_job_gives_back_its_request_without_the_uploads(jobs: JobStore) -> None:
    request = IndexRequest("manuals", ("/docs",), ("https://a/",), UPLOADS, ("staff",))
    assert await jobs.start(await jobs.add(request)) == (
        IndexRequest("manuals", ("/docs",), ("https://a/",), (), ("staff",)),
        False,
    )


@pytest.mark.parametrize("access", [None, (), ("staff",)])
async def test_no_labels_are_not_the_same_as_labels_that_stay(jobs: JobStore, access: tuple[str, ...] | None) -> None:
    started = await jobs.start(await jobs.add(IndexRequest(access=access)))
    assert started is not None
    assert started[0].access == access


async def test_an_upload_is_an_item_with_its_content(jobs: JobStore) -> None:
    job_id = await jobs.add(IndexRequest(uploads=UPLOADS))
    item = await jobs.next_item(job_id)
    assert item is not None
    assert (item.kind, item.source, item.content) == ("upload", "a.md", b"# A\x00")
    assert item.details == {
        "content_type": "text/markdown",
        "title": "A",
        "effective_date": "2030-01-02",
        "access": ["staff"],
        "closes_gap": str(UUID(int=7)),
    }
    assert item.closes_gap == UUID(int=7)


async def test_a_file_closes_no_gap(jobs: JobStore) -> None:
    item = await jobs.next_item(await expanded(jobs, NewItem("file", "a", {})))
    assert item is not None
    assert item.closes_gap is None


async def test_a_content_is_not_kept_longer_than_it_is_needed(jobs: JobStore, pool: AsyncConnectionPool[Any]) -> None:
    job_id = await jobs.add(IndexRequest(uploads=UPLOADS))
    await jobs.end_item(ItemEnd(job_id, 0, "added"))
    async with pool.connection() as connection:
        cursor = await connection.execute("select content from index_items order by ordinal")
        assert await cursor.fetchall() == [(None,), (b"",)]


async def test_removals_come_last(jobs: JobStore) -> None:
    job_id = await expanded(jobs, NewItem("vanished", "old", {}), NewItem("file", "a", {}), NewItem("file", "b", {}))
    order = []
    while (item := await jobs.next_item(job_id)) is not None:
        order.append(item.source)
        await jobs.end_item(ItemEnd(job_id, item.ordinal, "unchanged"))
    assert order == ["a", "b", "old"]


async def test_what_is_found_stands_behind_the_uploads(jobs: JobStore) -> None:
    job_id = await jobs.add(IndexRequest(uploads=UPLOADS))
    await jobs.expand(job_id, [NewItem("file", "/c.md", {})])
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.total, job.done) == (3, 0)


async def test_what_cannot_be_listed_has_failed_from_the_start(jobs: JobStore) -> None:
    job_id = await expanded(jobs, NewItem("file", "a", {}), NewItem("file", "b", {}, reason="it is gone."))
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.total, job.done, job.failures) == (2, 1, (Failure("b", "it is gone."),))


async def test_a_job_that_found_nothing_is_done(jobs: JobStore) -> None:
    job_id = await expanded(jobs)
    await jobs.end(job_id)
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.state, job.total, job.has_ended) == ("done", 0, True)


async def test_a_job_with_a_failed_document_has_failed(jobs: JobStore) -> None:
    job_id = await expanded(jobs, NewItem("file", "a", {}), NewItem("file", "b", {}))
    await jobs.end_item(ItemEnd(job_id, 0, "added"))
    await jobs.end_item(ItemEnd(job_id, 1, "failed", "it is damaged."))
    await jobs.end(job_id)
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.state, job.error, job.counts) == ("failed", None, {"added": 1, "failed": 1})


async def test_a_job_that_cannot_go_on_has_failed_and_says_why(jobs: JobStore) -> None:
    job_id = await expanded(jobs, NewItem("file", "a", {}))
    await jobs.end(job_id, error="no key.")
    job = await jobs.get(job_id)
    assert job is not None
    assert (job.state, job.error, job.done, job.total) == ("failed", "no key.", 0, 1)


async def test_a_job_that_ended_is_not_started_again(jobs: JobStore) -> None:
    job_id = await expanded(jobs)
    await jobs.end(job_id)
    assert await jobs.start(job_id) is None


async def test_a_job_that_goes_on_says_that_it_is_listed(jobs: JobStore) -> None:
    job_id = await expanded(jobs, NewItem("file", "a", {}))
    await jobs.start(job_id)
    started = await jobs.start(job_id)
    assert started is not None
    assert started[1]


async def test_unfinished_jobs_are_those_that_did_not_end(jobs: JobStore) -> None:
    ids = [await jobs.add(IndexRequest()) for _ in range(3)]
    await jobs.start(ids[0])
    await jobs.end(ids[1])
    assert await jobs.unfinished() == [(ids[0], "default"), (ids[2], "default")]


async def test_a_removal_that_turned_out_to_be_a_move_is_done(jobs: JobStore) -> None:
    job_id = await expanded(jobs, NewItem("vanished", "old", {}), NewItem("vanished", "older", {}))
    await jobs.end_removal(job_id, source="old", state="moved")
    assert await jobs.vanished(job_id) == {"older"}


async def test_a_hundred_failures_are_named_and_all_are_counted(jobs: JobStore) -> None:
    job_id = await expanded(jobs, *(NewItem("file", f"{n}", {}, reason="it is gone.") for n in range(120)))
    job = await jobs.get(job_id)
    assert job is not None
    assert (len(job.failures), job.failures[0].source, job.counts) == (100, "0", {"failed": 120})


async def test_jobs_are_forgotten_a_month_after_they_ended(jobs: JobStore, pool: AsyncConnectionPool[Any]) -> None:
    old, recent, running = [await expanded(jobs, NewItem("file", "a", {})) for _ in range(3)]
    for job_id in (old, recent):
        await jobs.end(job_id)
    async with pool.connection() as connection:
        await connection.execute(
            "update index_jobs set ended_at = now() - interval '31 days', created_at = now() - interval '31 days' "
            "where id = any(%s)",
            [[old]],
        )
    await jobs.forget_old()
    assert [await jobs.get(job_id) is None for job_id in (old, recent, running)] == [True, False, False]


async def test_the_next_item_is_found_without_looking_at_those_that_are_done(
    jobs: JobStore, pool: AsyncConnectionPool[Any]
) -> None:
    job_id = await expanded(jobs, *(NewItem("file", f"{n}", {}) for n in range(2000)), NewItem("vanished", "old", {}))
    async with pool.connection() as connection:
        await connection.execute("update index_items set state = 'added' where ordinal < 1500")
        await connection.execute("analyze index_items")
        cursor = await connection.execute(
            "explain select ordinal, kind, source, details, content from index_items "
            "where job_id = %s and state = 'pending' order by (kind = 'vanished'), ordinal limit 1",
            [job_id],
        )
        plan = "\n".join(line for (line,) in await cursor.fetchall())
    assert "Index Scan using index_items_pending" in plan
    assert "Sort" not in plan
