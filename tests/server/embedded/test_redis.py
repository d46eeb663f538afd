from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError

from server.embedded.redis import SNAPSHOTS, EmbeddedRedis

pytestmark = pytest.mark.integration


async def test_nothing_of_what_was_written_is_on_the_disk_or_there_in_the_next_run(data_dir: Path) -> None:
    redis = EmbeddedRedis(data_dir)
    async with Redis.from_url(await redis.start(), decode_responses=True) as client:
        await client.set("word", "Grüße")
    await redis.stop()
    assert list((data_dir / "redis" / "data").iterdir()) == []
    async with Redis.from_url(await redis.start(), decode_responses=True) as client:
        assert await client.get("word") is None
    await redis.stop()


async def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    async with EmbeddedRedis(data_dir) as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        retry = Retry(NoBackoff(), 0)
        async with Redis(host="127.0.0.1", port=port, password="wrong", retry=retry) as client:
            with pytest.raises(AuthenticationError):
                await client.get("word")


async def test_a_snapshot_of_an_earlier_version_is_removed_unread(data_dir: Path) -> None:
    folder = data_dir / "redis" / "data"
    async with EmbeddedRedis(data_dir):
        pass
    for name in SNAPSHOTS:
        (folder / name).write_bytes(b"REDIS9999 from the future")
    async with EmbeddedRedis(data_dir) as url, Redis.from_url(url) as client:
        assert await client.get("word") is None
        assert list(folder.iterdir()) == []
