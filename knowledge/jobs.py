"""Indexing jobs: what is to be indexed, item by item, and how far it is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from knowledge.database import BULK_TIMEOUT_SECS, Database
from knowledge.store import ItemEnd

ItemKind = Literal["file", "url", "upload", "vanished"]
# Failures that a report names; the count says how many there are.
NAMED_FAILURES = 100
KEPT_DAYS = 30


@dataclass(frozen=True)
class Upload:
    """A document that is handed over with its content; `name` is its source.

    What is None is read from the document itself, or stays as it was. `closes_gap` is the gap that it answers.
    """

    name: str
    content: bytes
    content_type: str | None = None
    title: str | None = None
    effective_date: date | None = None
    access: tuple[str, ...] | None = None
    closes_gap: UUID | None = None


@dataclass(frozen=True)
class IndexRequest:
    """What is to be indexed into a collection: files and folders on this host, pages and sitemaps, uploads.

    `access` are the labels of the files and pages; None leaves those they have.
    """

    collection: str = "default"
    paths: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    uploads: tuple[Upload, ...] = ()
    access: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Item:
    """One document of a job that is still to be done.

    `details` are its title, content type, effective date, labels, origin and the gap it closes, where there are any.
    """

    ordinal: int
    kind: ItemKind
    source: str
    details: dict[str, Any]
    content: bytes | None

    @property
    def closes_gap(self) -> UUID | None:
        """The gap that it answers."""
        gap = self.details.get("closes_gap")
        return None if gap is None else UUID(gap)


@dataclass(frozen=True)
class NewItem:
    """A document that a job is to do; with a `reason` it has failed already."""

    kind: ItemKind
    source: str
    details: dict[str, Any]
    content: bytes | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Failure:
    """A document that could not be indexed, and why, in a sentence for the operator."""

    source: str
    reason: str


@dataclass(frozen=True)
class Job:
    """A job as it stands: `total` items, of which `counts` says how many ended in which way.

    `total` is 0 until the folders and sitemaps have been listed. A job with a failed document is failed; all that could
    be indexed is indexed.
    """

    id: UUID
    collection: str
    state: Literal["queued", "running", "done", "failed"]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    total: int
    counts: dict[str, int]
    failures: tuple[Failure, ...]

    @property
    def done(self) -> int:
        """How many items ended, one way or another."""
        return sum(items for state, items in self.counts.items() if state != "pending")

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed")


class JobStore:
    """Reads and writes jobs.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, request: IndexRequest) -> UUID:
        """Store a job and return its id; it is not queued yet."""
        stored = {"paths": request.paths, "urls": request.urls, "access": request.access}
        items = [
            NewItem(
                "upload",
                upload.name,
                {
                    "content_type": upload.content_type,
                    "title": upload.title,
                    "effective_date": upload.effective_date and upload.effective_date.isoformat(),
                    "access": upload.access,
                    "closes_gap": upload.closes_gap and str(upload.closes_gap),
                },
                upload.content,
            )
            for upload in request.uploads
        ]
        async with self._database.transaction(BULK_TIMEOUT_SECS) as statements:
            (row,) = await statements.run("add_job", collection=request.collection, request=Jsonb(stored))
            await statements.run_many("add_item", _item_rows(row["id"], items, first=0))
        return row["id"]

    async def get(self, job_id: UUID) -> Job | None:
        """Return a job with its counts and first failures; None when there is none."""
        async with self._database.transaction() as statements:
            rows = await statements.run("get_job", job_id=job_id)
            if not rows:
                return None
            counts = {row["state"]: row["items"] for row in await statements.run("job_counts", job_id=job_id)}
            failures = await statements.run("job_failures", job_id=job_id, limit=NAMED_FAILURES)
        row = rows[0]
        return Job(
            id=row["id"],
            collection=row["collection"],
            state=row["state"],
            error=row["error"],
            created_at=row["created_at"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            total=sum(counts.values()) if row["is_expanded"] else 0,
            counts=counts,
            failures=tuple(Failure(**failure) for failure in failures),
        )

    async def unfinished(self) -> list[tuple[UUID, str]]:
        """Return (id, collection) of the jobs that are not done, oldest first."""
        return [(row["id"], row["collection"]) for row in await self._database.read("unfinished_jobs")]

    async def start(self, job_id: UUID) -> tuple[IndexRequest, bool] | None:
        """Note that a job runs, and return its request, without uploads, and whether its items are listed already."""
        async with self._database.transaction() as statements:
            rows = await statements.run("get_job", job_id=job_id)
            if not rows or rows[0]["state"] in ("done", "failed"):
                return None
            await statements.run("start_job", job_id=job_id)
        row = rows[0]
        stored = row["request"]
        access = stored["access"]
        request = IndexRequest(
            collection=row["collection"],
            paths=tuple(stored["paths"]),
            urls=tuple(stored["urls"]),
            access=None if access is None else tuple(access),
        )
        return request, row["is_expanded"]

    async def expand(self, job_id: UUID, items: Sequence[NewItem]) -> None:
        """Add what folders and sitemaps hold; from now on the total is known."""
        async with self._database.transaction(BULK_TIMEOUT_SECS) as statements:
            # The job before its items, as whoever makes the schema locks them.
            await statements.run("expanded_job", job_id=job_id)
            (row,) = await statements.run("last_item", job_id=job_id)
            rows = _item_rows(job_id, items, first=row["items"])
            await statements.run_many("add_item", rows)
            for item_row, item in zip(rows, items, strict=True):
                if item.reason is not None:
                    end = ItemEnd(job_id, item_row["ordinal"], "failed", item.reason)
                    await statements.run("end_item", **asdict(end))

    async def next_item(self, job_id: UUID) -> Item | None:
        """Return the next item to do; the removals come last, so that what moved is recognised before."""
        rows = await self._database.read("next_item", job_id=job_id, timeout_secs=BULK_TIMEOUT_SECS)
        return next((Item(**row) for row in rows), None)

    async def vanished(self, job_id: UUID) -> set[str]:
        """Return the sources whose removal is still to be done."""
        return {row["source"] for row in await self._database.read("vanished_items", job_id=job_id)}

    async def end_item(self, end: ItemEnd) -> None:
        """Note how an item ended."""
        await self._database.read("end_item", **asdict(end))

    async def end_removal(self, job_id: UUID, *, source: str, state: str) -> None:
        """Note how the removal of this source ended."""
        await self._database.read("end_removal", job_id=job_id, source=source, state=state)

    async def end(self, job_id: UUID, *, error: str | None = None) -> None:
        """Note that a job ended; it failed with an error, or when one of its items did."""
        await self._database.read("end_job", job_id=job_id, error=error)

    async def forget_old(self) -> None:
        """Remove the jobs that ended a month ago."""
        await self._database.read("forget_jobs", days=KEPT_DAYS)


def _item_rows(job_id: UUID, items: Sequence[NewItem], *, first: int) -> list[dict[str, Any]]:
    return [
        {
            "job_id": job_id,
            "ordinal": ordinal,
            "kind": item.kind,
            "source": item.source,
            "details": Jsonb(item.details),
            "content": item.content,
        }
        for ordinal, item in enumerate(items, start=first)
    ]
