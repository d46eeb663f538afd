"""An erased caller is nowhere: a call is made, erased, and then looked for in all that the program keeps.

What is not looked at is Postgres' log of changes (`pg_wal`), which holds what was written until it is written over.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from evals.program import Jarvis
from tests.e2e.test_lost import until
from tests.e2e.test_records import CALLS, asked, has_ended, on_a_call_of, record

pytestmark = pytest.mark.e2e

CALLER = "customer-quillfeather"
METADATA = {"invoice": "marzipan-4711"}
# Of servers, not of calls.
SERVERS = re.compile(r"jarvis:servers?(:.*)?")
# How many requests a key or an address made lately.
COUNTS, COUNTED_SECS = re.compile(r"jarvis:(limit|places:).*"), 120


class Kept:
    """All that a running program keeps."""

    def __init__(self, jarvis: Jarvis):
        self._jarvis = jarvis
        self._data_dir = Path(jarvis.environment["JARVIS_DATA_DIR"])

    def _connect(self) -> psycopg.Connection:
        port, password = (self._file("postgres", name) for name in ("port", "password"))
        return psycopg.connect(
            host="127.0.0.1", port=port, user="jarvis", password=password, dbname="jarvis", autocommit=True
        )

    def _file(self, *parts: str) -> str:
        return self._data_dir.joinpath(*parts).read_text().strip()

    def settle(self, *, full: bool = False) -> None:
        """Has Postgres look at its tables, as it does by itself in time, and write what it holds into its files."""
        with self._connect() as connection:
            connection.execute("vacuum (full, analyze)" if full else "analyze")
            connection.execute("checkpoint")

    def tables_with(self, words: Sequence[str]) -> set[str]:
        """The tables, those that Postgres keeps for itself among them, in which one of the words is."""
        found = set()
        with self._connect() as connection:
            tables = connection.execute(
                "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind = 'r' and n.nspname not in ('pg_toast')"
            ).fetchall()
            patterns = [f"%{word}%" for word in words]
            for schema, table in tables:
                look = sql.SQL("select exists (select from {} t where t::text ilike any(%s))").format(
                    sql.Identifier(schema, table)
                )
                row = connection.execute(look, [patterns]).fetchone()
                if row is not None and row[0]:
                    found.add(table)
        return found

    def redis(self) -> dict[str, str]:
        """Every key but those of servers and of counts that lapse by themselves, and its value."""
        read = {"string": "get", "list": "lrange", "hash": "hgetall", "set": "smembers", "zset": "zrange"}
        kept = {}
        with Redis(
            host="127.0.0.1", port=int(self._file("redis", "port")), password=self._file("redis", "password")
        ) as r:
            for raw in r.scan_iter():
                key = raw.decode(errors="replace")
                lapses = 0 <= int(r.ttl(raw)) <= COUNTED_SECS  # pyright: ignore[reportArgumentType]
                kind = r.type(raw).decode()  # pyright: ignore[reportAttributeAccessIssue]  (redis types both its clients at once)
                whole = (0, -1) if kind in ("list", "zset") else ()
                if not (SERVERS.fullmatch(key) or (COUNTS.fullmatch(key) and lapses)):
                    kept[key] = str(getattr(r, read[kind])(raw, *whole))
        return kept

    def files_with(self, words: Sequence[str]) -> set[str]:
        """The files, but for Postgres' log of changes, in which one of the words is; the server's own log is one."""
        return {name for name, path in self._files() if any(word.encode() in _lower(path) for word in words)}

    def others(self) -> set[str]:
        """The files that are neither Postgres' nor sockets."""
        return {name for name, _ in self._files() if not name.startswith("postgres/")}

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self._data_dir.rglob("*")):
            if path.is_file() and "pg_wal" not in path.parts:
                yield str(path.relative_to(self._data_dir)), path


def _lower(path: Path) -> bytes:
    try:
        return path.read_bytes().lower()
    except FileNotFoundError:
        return b""


def spoken(found: dict[str, Any]) -> list[str]:
    """What the caller said in a call."""
    return [turn["text"].lower() for turn in found["turns"] if turn["role"] == "user"]


async def test_an_erased_caller_is_nowhere(own_jarvis: Jarvis):
    kept = Kept(own_jarvis)
    keys, files = set(kept.redis()), kept.others()
    async with on_a_call_of(own_jarvis, caller=CALLER, metadata=METADATA) as caller:
        await caller.ask("q18")
        await caller.hears("49 dollars")
        assert CALLER in str(kept.redis())
        await caller.ask("u01")  # nothing answers it
        await until(lambda: len(spoken(record(own_jarvis, caller.session.id))) == 2)
        await until(lambda: asked(own_jarvis, "GET", "/api/rag/gaps")[1]["gaps"])
        status, problem = await asyncio.to_thread(asked, own_jarvis, "DELETE", f"{CALLS}?caller={CALLER}")
        assert (status, problem["title"]) == (409, "The call still runs")

    call_id = caller.session.id
    found = await has_ended(own_jarvis, call_id)
    words = [CALLER, *METADATA.values(), *spoken(found)]
    kept.settle()
    assert kept.tables_with(words) == {"calls", "turns", "gaps", "gap_askings"}
    assert any(name.startswith("postgres/data/base/") for name in kept.files_with(words))

    await until(lambda: not asked(own_jarvis, "GET", "/api/ingress/sessions")[1]["sessions"])
    status, erased = await asyncio.to_thread(asked, own_jarvis, "DELETE", f"{CALLS}?caller={CALLER}")
    assert (status, erased) == (200, {"calls": 1})

    assert kept.tables_with([*words, call_id]) == set()
    kept.settle(full=True)
    assert kept.files_with(words) == set()
    after = kept.redis()
    assert not [word for word in [*words, call_id] if word in str(after).lower()]
    assert (set(after) - keys, kept.others() - files) == (set(), set())
    assert asked(own_jarvis, "GET", f"{CALLS}/{call_id}")[0] == 404
    status, _, _ = own_jarvis.request("GET", f"/api/ingress/session/{call_id}", token=caller.session.token)
    assert status == 404
